//! A worker as a process: command line, settings, logging, signals, exit code.

use std::{env, io, path::PathBuf, process::ExitCode, sync::Once, thread, time::Duration};

use clap::Parser;
use sealane_service::{
    build, core_dumps,
    exit::{self, ExitStatus},
    settings::{Settings, SettingsError},
    shutdown,
    telemetry::{self, InitError, traces::TracesError},
};
use temporalio_sdk::WorkerOptions;
use tokio::runtime::{Builder, Runtime};

use crate::{
    error::{RegistrationError, WorkerError},
    idle::Idle,
    memory,
    run::{self, CANCEL_GRACE},
    traces,
};

/// After this much more than drain and cancellation, the process has hung and is ended. Last answers and last spans may take 5 s each.
const HANG_GRACE: Duration = Duration::from_secs(13);

/// A Temporal worker. All settings are environment variables; see docs/configuration.md.
#[derive(Debug, Parser)]
#[command(version = build::version())]
struct Arguments {
    /// File of KEY=VALUE lines; the environment wins over it.
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,

    /// Ends the worker, with 0, once it has had nothing to do for this long: from 1s to 1h.
    #[arg(long, value_name = "DURATION", value_parser = idle_limit)]
    exit_when_idle: Option<Duration>,
}

/// Less would end a worker between two tasks, more is a worker that does not end.
const IDLE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60 * 60));

fn idle_limit(text: &str) -> Result<Duration, String> {
    let limit = humantime::parse_duration(text).ok();
    let within = limit.filter(|limit| (IDLE.0..=IDLE.1).contains(limit));
    within.ok_or_else(|| "expected a duration from 1s to 1h, such as 30s".to_owned())
}

/// Runs the worker that `register` describes until SIGTERM, SIGINT or `--exit-when-idle`, and returns the exit
/// code.
///
/// 0 stopped as asked, 64 wrong command line, 69 Temporal is unreachable, 70 internal error, 77
/// refused by Temporal, 78 wrong settings or no usable key. A second signal ends the process at
/// once.
pub fn main<R>(register: R) -> ExitCode
where
    R: FnOnce(&mut WorkerOptions, &Settings) -> Result<(), RegistrationError>,
{
    core_dumps::prevent("sealane-worker");
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    exit::conclude("sealane-worker", start(&arguments, register))
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
    Runtime(#[source] io::Error),
    #[error(transparent)]
    Worker(#[from] WorkerError),
}

impl ExitStatus for ProcessError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Settings(error) => error.exit_code(),
            Self::Logging(error) => error.exit_code(),
            Self::Traces(error) => error.exit_code(),
            Self::Runtime(_) => exit::INTERNAL,
            Self::Worker(error) => error.exit_code(),
        }
    }
}

fn start<R>(arguments: &Arguments, register: R) -> Result<(), ProcessError>
where
    R: FnOnce(&mut WorkerOptions, &Settings) -> Result<(), RegistrationError>,
{
    let settings = Settings::load(arguments.config.as_deref(), |name| env::var_os(name))?;
    telemetry::init(&settings.log)?;
    // Ends last, so that the spans of the drain are sent too.
    let _traces = traces::start(&settings.traces, "sealane-worker")?;
    let runtime = runtime().map_err(ProcessError::Runtime)?;
    let limit = settings.worker.drain_timeout + CANCEL_GRACE + HANG_GRACE;
    let memory_limit = settings.worker.memory_limit;
    let outcome = runtime.block_on(async {
        let requested = shutdown::requested_after(move || end_if_hung(limit));
        let idle = arguments.exit_when_idle.map(Idle::new);
        let watched = idle.clone();
        let asked = async move {
            let told = async {
                match watched {
                    Some(idle) => idle.reached_or(requested).await,
                    None => requested.await,
                }
            };
            tokio::select! {
                () = told => {}
                () = memory::nearly_used_up(memory_limit) => {}
            }
            end_if_hung(limit);
        };
        run::run_watched(settings, register, asked, idle).await
    });
    // Activities that ignored their cancellation must not keep the process.
    runtime.shutdown_background();
    Ok(outcome?)
}

/// One thread less than there are processors, because workflows run on the thread that waits for this runtime: docs/performance.md
/// has what that saves. tokio's own variable decides otherwise.
fn runtime() -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if env::var_os("TOKIO_WORKER_THREADS").is_none() {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        builder.worker_threads(processors.saturating_sub(1).max(1));
    }
    builder.enable_all().build()
}

/// A workflow that blocks its thread also blocks the drain; a thread of its own still ends the
/// process, before Kubernetes would. The first to ask decides when.
fn end_if_hung(limit: Duration) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        thread::spawn(move || {
            thread::sleep(limit);
            tracing::error!(
                drain.limit_seconds = limit.as_secs(),
                "the drain hangs; ending the process"
            );
            std::process::exit(i32::from(exit::INTERNAL));
        });
    });
}

#[cfg(test)]
mod tests {
    use std::{env, thread};

    use super::runtime;

    #[test]
    fn a_processor_is_left_to_the_thread_that_runs_workflows() {
        assert!(env::var_os("TOKIO_WORKER_THREADS").is_none());
        let processors = thread::available_parallelism().unwrap().get();

        let threads = runtime().unwrap().metrics().num_workers();

        assert_eq!(threads, (processors - 1).max(1));
    }
}
