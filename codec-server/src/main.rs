//! The codec server process.

use std::process::ExitCode;

fn main() -> ExitCode {
    sealane_codec_server::main()
}
