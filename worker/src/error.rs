//! Why a worker did not run, or stopped running.

use sealane_client::connection::ConnectError;
use sealane_service::{
    encryption::EncryptionError,
    exit::{self, ExitStatus},
    probes::BindError,
};
use temporalio_sdk::WorkerRunError;
use tonic::{Code, Status};

/// Whatever kept workflows and activities from being registered.
pub type RegistrationError = Box<dyn std::error::Error + Send + Sync>;

/// Why a worker did not start, or ended without being asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// There is no usable encryption key. Nothing was sent.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),

    /// There is no usable connection to Temporal.
    #[error(transparent)]
    Connect(#[from] ConnectError),

    /// The probes have no port to listen on.
    #[error(transparent)]
    Probes(#[from] BindError),

    /// A workflow or activity could not be registered; the program has to be changed.
    #[error("workflows and activities cannot be registered: {0}")]
    Registration(#[source] RegistrationError),

    /// The SDK could not set up its runtime, metrics or worker.
    #[error("the Temporal SDK could not be set up: {0}")]
    Setup(String),

    /// The server does not let this worker work in its namespace.
    #[error(
        "the Temporal server does not accept this worker: {0}; check TEMPORAL_NAMESPACE and the permissions of the API key or client certificate"
    )]
    Refused(String),

    /// The server went away before the worker could begin. Worth starting again.
    #[error("the Temporal server went away: {0}")]
    Lost(String),

    /// Code that the SDK does not guard panicked: the `#[init]` method of a workflow, or the SDK.
    /// The text stays in the process, because it may quote a payload.
    #[error(
        "the worker panicked, most likely in the #[init] method of a workflow; the log says where"
    )]
    Panicked,

    /// The worker gave up while running.
    #[error("the worker stopped: {0}")]
    Stopped(String),
}

impl ExitStatus for WorkerError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Encryption(error) => error.exit_code(),
            Self::Connect(error) => error.exit_code(),
            Self::Probes(error) => error.exit_code(),
            Self::Refused(_) => exit::REFUSED,
            Self::Lost(_) => exit::UNAVAILABLE,
            Self::Registration(_) | Self::Setup(_) | Self::Panicked | Self::Stopped(_) => {
                exit::INTERNAL
            }
        }
    }
}

impl From<WorkerRunError> for WorkerError {
    fn from(error: WorkerRunError) -> Self {
        let text = causes(&error);
        match status(&error) {
            Some(Code::PermissionDenied | Code::Unauthenticated | Code::NotFound) => {
                Self::Refused(text)
            }
            Some(Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled) => Self::Lost(text),
            _ => Self::Stopped(text),
        }
    }
}

/// What the server said, if it was the server.
fn status(error: &(dyn std::error::Error + 'static)) -> Option<Code> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(status) = error.downcast_ref::<Status>() {
            return Some(status.code());
        }
        next = error.source();
    }
    None
}

/// The SDK's outermost error rarely names the cause, so the chain is shown whole.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let words = source.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = source.source();
    }
    text
}
