//! Why a codec server ends other than as asked.

use sealane_service::{
    auth::AuthError,
    encryption::EncryptionError,
    exit::{self, ExitStatus},
    http::BindError,
};

/// Why a codec server did not start, or ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecServerError {
    /// There is nothing to decrypt, so this would be an open door to nothing.
    #[error(
        "SEALANE_ENCRYPTION is off, so no payload is encrypted: \
         turn it on, or do without a codec server"
    )]
    NothingToDecrypt,

    /// Nobody could be told apart, or the settings for that cannot be used.
    #[error(transparent)]
    Auth(#[from] AuthError),

    /// The address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),

    /// No usable key.
    #[error(transparent)]
    Encryption(#[from] EncryptionError),

    /// Requests are not answered any more.
    #[error("the server has stopped by itself")]
    Serving(#[source] Option<std::io::Error>),

    /// A fault of the program: two metrics of one name.
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl ExitStatus for CodecServerError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::NothingToDecrypt => exit::SETTINGS,
            Self::Auth(error) => error.exit_code(),
            Self::Bind(error) => error.exit_code(),
            Self::Encryption(error) => error.exit_code(),
            Self::Serving(_) | Self::Metrics(_) => exit::INTERNAL,
        }
    }
}
