//! A codec server as a process: command line, settings, logging, signals, exit code.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use sealane_service::{
    build, core_dumps,
    exit::{self, ExitStatus},
    settings::{Settings, SettingsError},
    shutdown,
    telemetry::{
        self, InitError,
        traces::{self, TracesError},
    },
};

use crate::{CodecServerError, run};

/// Encrypts and decrypts payloads for the Temporal Web UI and CLI. All settings are environment
/// variables; see docs/configuration.md and docs/codec-server.md.
#[derive(Debug, Parser)]
#[command(name = PROGRAM, version = build::version())]
struct Arguments {
    /// File of KEY=VALUE lines; the environment wins over it.
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
}

/// Name of the program, in its messages and its traces.
const PROGRAM: &str = "sealane-codec-server";

/// Runs the codec server that the environment describes until SIGTERM or SIGINT, and returns the exit
/// code.
///
/// 0 stopped as asked, 64 wrong command line, 69 the address is taken or the key source cannot be
/// reached, 70 internal error, 77 refused by the key source, 78 wrong settings or no usable key. A
/// second signal ends the process at once.
pub fn main() -> ExitCode {
    core_dumps::prevent(PROGRAM);
    match Arguments::try_parse() {
        Ok(arguments) => exit::conclude(PROGRAM, start(&arguments)),
        Err(error) => usage(&error),
    }
}

/// Help and version are answers, not errors.
fn usage(error: &clap::Error) -> ExitCode {
    let code = if error.use_stderr() {
        exit::USAGE
    } else {
        exit::OK
    };
    // Nothing can be told to anybody if the standard streams are closed.
    error.print().ok();
    ExitCode::from(code)
}

/// Why the process ends other than as asked.
#[derive(Debug, thiserror::Error)]
enum ProcessError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Logging(#[from] InitError),
    #[error(transparent)]
    Traces(#[from] TracesError),
    #[error("the async runtime cannot be started: {0}")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    CodecServer(#[from] CodecServerError),
}

impl ExitStatus for ProcessError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Settings(error) => error.exit_code(),
            Self::Logging(error) => error.exit_code(),
            Self::Traces(error) => error.exit_code(),
            Self::Runtime(_) => exit::INTERNAL,
            Self::CodecServer(error) => error.exit_code(),
        }
    }
}

fn start(arguments: &Arguments) -> Result<(), ProcessError> {
    let settings = Settings::load(arguments.config.as_deref(), |name| std::env::var_os(name))?;
    telemetry::init(&settings.log)?;
    let _traces = traces::start(&settings.traces, PROGRAM)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ProcessError::Runtime)?;
    let outcome = runtime.block_on(async {
        let asked = shutdown::requested();
        run(settings, asked).await
    });
    // A large request that nobody waits for any more must not keep the process.
    runtime.shutdown_background();
    Ok(outcome?)
}
