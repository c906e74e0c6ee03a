//! `sealane serve`: the HTTP API.

use clap::Args;
use sealane_service::{
    exit::{ExitStatus, with_causes},
    shutdown,
    telemetry::{
        self,
        traces::{self, TracesError},
    },
};

use super::{CliError, Globals, session};
use crate::api::{self, ApiError, Options, PROCESS};

#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ServeCommand {}

const AFTER_HELP: &str = "\
Listens on SEALANE_HTTP_ADDR, probes and metrics included; /docs shows the routes. Who may call is decided by
SEALANE_AUTH, which may be off on loopback only. SIGTERM and Ctrl-C end the command with exit code 0, after
the requests in progress.";

impl ServeCommand {
    /// Serves until a signal comes.
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let settings = session::settings(globals.config.as_deref())?;
        telemetry::init(&settings.log)?;
        // Ends last, so that the spans of the last requests are sent too.
        let _traces = traces::start(&settings.traces, PROCESS)?;
        let shutdown = shutdown::requested();
        Ok(api::run(settings, Options::default(), shutdown).await?)
    }
}

impl From<TracesError> for CliError {
    fn from(error: TracesError) -> Self {
        Self::new(error.exit_code(), with_causes(&error))
    }
}

impl From<ApiError> for CliError {
    fn from(error: ApiError) -> Self {
        Self::new(error.exit_code(), with_causes(&error))
    }
}
