//! The worker process of the flows in this repository.

use std::process::ExitCode;

fn main() -> ExitCode {
    sealane_worker::main(sealane_worker::flows::register)
}
