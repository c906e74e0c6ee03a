//! Why the API did not run, or stopped running.

use std::io;

use sealane_service::{
    auth::AuthError,
    encryption::EncryptionError,
    exit::{self, ExitStatus},
    probes::BindError,
};

use crate::connection::ConnectError;

/// Why the API did not start, or ended without being asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// There is no usable encryption key. Nothing was sent.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),

    /// There is no usable connection to Temporal.
    #[error(transparent)]
    Connect(#[from] ConnectError),

    /// The settings do not say who may call, or what says so cannot be read.
    #[error(transparent)]
    Auth(#[from] AuthError),

    /// There is no port to listen on.
    #[error(transparent)]
    Bind(#[from] BindError),

    /// Requests can no longer be accepted.
    #[error("requests are no longer accepted: {0}")]
    Serve(#[source] io::Error),
}

impl ExitStatus for ApiError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Encryption(error) => error.exit_code(),
            Self::Connect(error) => error.exit_code(),
            Self::Auth(error) => error.exit_code(),
            Self::Bind(error) => error.exit_code(),
            Self::Serve(_) => exit::INTERNAL,
        }
    }
}
