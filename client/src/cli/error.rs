//! Why a command ended without success: one line for the user, one exit code for scripts.

use std::io;

use sealane_service::{
    encryption::EncryptionError,
    exit::{self, ExitStatus},
    settings::SettingsError,
};
use tonic::Status;

use crate::{call::CallError, connection::ConnectError, decode::Unreadable};

/// What was asked of a workflow did not come about: it failed, does not exist, or said no.
pub const NOT_DONE: u8 = 1;

/// `--timeout` passed; asking again later may help (`EX_TEMPFAIL`).
pub const STILL_RUNNING: u8 = 75;

/// Stopped waiting because of Ctrl-C, as a shell reports it.
pub const INTERRUPTED: u8 = 130;

/// Why a command ended without success.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CliError {
    code: u8,
    message: String,
}

impl CliError {
    /// Makes an error of an exit code and one line of text; control characters in it become
    /// spaces, so that text from elsewhere cannot steer the terminal.
    pub fn new(code: u8, message: impl AsRef<str>) -> Self {
        Self {
            code,
            message: one_line(message.as_ref()),
        }
    }

    /// Makes an error about the command line or a document given with it.
    pub fn usage(message: impl AsRef<str>) -> Self {
        Self::new(exit::USAGE, message)
    }
}

/// Returns `text` with every run of control characters as one space.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split(char::is_control).map(str::trim);
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

impl ExitStatus for CliError {
    fn exit_code(&self) -> u8 {
        self.code
    }
}

impl From<SettingsError> for CliError {
    /// Keeps one line per problem.
    fn from(error: SettingsError) -> Self {
        Self {
            code: error.exit_code(),
            message: error.to_string(),
        }
    }
}

impl From<EncryptionError> for CliError {
    fn from(error: EncryptionError) -> Self {
        Self::new(error.exit_code(), error.to_string())
    }
}

impl From<ConnectError> for CliError {
    fn from(error: ConnectError) -> Self {
        Self::new(error.exit_code(), error.to_string())
    }
}

impl From<CallError> for CliError {
    fn from(error: CallError) -> Self {
        Self::new(error.exit_code(), format!("{error}{}", remedy(&error)))
    }
}

/// What the user of a command can do about it, as the end of the line.
fn remedy(error: &CallError) -> &'static str {
    match error {
        CallError::WorkflowNotFound { .. } => "; `sealane workflow list` shows those there are",
        CallError::Ended { .. } => "; `sealane workflow result` shows how",
        CallError::AlreadyStarted { .. } => {
            "; choose another --workflow-id, or see --id-conflict-policy and --id-reuse-policy"
        }
        CallError::NamespaceNotFound { .. } => "; check TEMPORAL_NAMESPACE",
        CallError::Refused { .. } => "; check the credentials and TEMPORAL_NAMESPACE",
        CallError::Unreachable { .. } => "; check TEMPORAL_ADDRESS, or try again later",
        CallError::NoWorker { .. } => "; is a worker running for the task queue of the workflow?",
        CallError::NotFound { .. }
        | CallError::PayloadTooLarge { .. }
        | CallError::Rejected { .. }
        | CallError::QueryFailed { .. }
        | CallError::NotEncrypted { .. }
        | CallError::NotStored { .. }
        | CallError::Unreadable(_)
        | CallError::Unexpected { .. } => "",
    }
}

impl From<Status> for CliError {
    fn from(status: Status) -> Self {
        CallError::from(status).into()
    }
}

impl From<Unreadable> for CliError {
    fn from(error: Unreadable) -> Self {
        CallError::from(error).into()
    }
}

impl From<io::Error> for CliError {
    /// For writing to standard output; other files are named where they are used.
    fn from(error: io::Error) -> Self {
        Self::new(
            exit::INTERNAL,
            format!("cannot write to standard output: {error}"),
        )
    }
}

impl ExitStatus for CallError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::WorkflowNotFound { .. }
            | Self::Ended { .. }
            | Self::NotFound { .. }
            | Self::AlreadyStarted { .. }
            | Self::QueryFailed { .. } => NOT_DONE,
            Self::PayloadTooLarge { .. } | Self::Rejected { .. } => exit::USAGE,
            Self::Unreadable(error) if error.is_outage() => exit::UNAVAILABLE,
            Self::NamespaceNotFound { .. } | Self::NotEncrypted { .. } | Self::Unreadable(_) => {
                exit::SETTINGS
            }
            Self::Refused { .. } => exit::REFUSED,
            Self::Unreachable { .. } | Self::NotStored { .. } => exit::UNAVAILABLE,
            Self::NoWorker { .. } => STILL_RUNNING,
            Self::Unexpected { .. } => exit::INTERNAL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CliError;

    #[test]
    fn an_error_is_one_line_whatever_a_worker_wrote() {
        let error = CliError::new(1, "workflow failed: first\n  second\r\n\tthird\n");

        assert_eq!(error.to_string(), "workflow failed: first second third");
    }
}
