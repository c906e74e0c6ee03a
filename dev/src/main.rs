//! `cargo run`: the whole system on this machine, until Ctrl-C.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    sealane_dev::main().await
}
