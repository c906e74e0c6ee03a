//! The command line `sealane`: parse the arguments, do what they say, report how it ended.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    sealane_client::cli::main().await
}
