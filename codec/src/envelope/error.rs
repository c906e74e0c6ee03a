//! Why an envelope was not opened or not made.

use crate::{EntropyError, azure::AzureError};

/// Why no data key could be had at start. Nothing is encrypted then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The operating system supplied no random bytes for a data key.
    #[error(transparent)]
    Entropy(#[from] EntropyError),

    /// Key Vault did not wrap the first data key, or did not unwrap it again.
    #[error(transparent)]
    Azure(#[from] AzureError),

    /// What was wrapped does not unwrap to the same key, so nobody could read what it seals.
    #[error(
        "KEYVAULT_KEY_URI names {uri}, which does not unwrap what it wrapped, \
         expected an enabled RSA key that allows wrapKey and unwrapKey"
    )]
    Unequal {
        /// The wrapping key.
        uri: String,
    },
}

impl StartError {
    /// The cause as a label of a metric.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Entropy(_) => "entropy",
            Self::Azure(error) => error.reason(),
            Self::Unequal { .. } => "unequal",
        }
    }

    /// What Azure had to say, if it was Azure that failed.
    #[must_use]
    pub fn azure(&self) -> Option<&AzureError> {
        match self {
            Self::Azure(error) => Some(error),
            Self::Entropy(_) | Self::Unequal { .. } => None,
        }
    }
}

/// Why a payload was not encrypted under a data key. Nothing of it may be sent then.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The data key is used up, because Key Vault has wrapped no other one for a long time.
    #[error(
        "the data key wrapped by {uri} has sealed {limit} payloads, as many as one key may, \
         and there is no new one{}",
        reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default()
    )]
    Exhausted {
        /// The wrapping key.
        uri: String,
        /// How many payloads one data key may seal.
        limit: u64,
        /// What the last attempt to make another one came to.
        reason: Option<String>,
    },

    /// The cipher refused.
    #[error(transparent)]
    Payload(#[from] crate::SealError),
}

/// Why a payload with a wrapped data key was not decrypted. Never quotes what it holds.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not a payload encrypted under a wrapped data key.
    #[error(
        "payload brings no wrapped data key, expected encoding \"binary/encrypted\" and metadata \
         \"encryption-key-id\" and \"encryption-dek\""
    )]
    NotAnEnvelope,

    /// The wrapped data key cannot be one. It stays an error on retry.
    #[error("payload brings a data key wrapped by {id} {problem}")]
    Malformed {
        /// The wrapping key it names, quoted.
        id: String,
        /// What is wrong with the wrapped data key.
        problem: &'static str,
    },

    /// A key that is not ours wrapped the data key; its vault was not asked.
    #[error(
        "payload is encrypted under a data key wrapped by {id}, which KEYVAULT_KEY_URI={known} \
         does not name: add it there if it may be used"
    )]
    Foreign {
        /// The wrapping key it names, quoted.
        id: String,
        /// The keys that may be used.
        known: String,
    },

    /// Key Vault has not unwrapped the data key yet. Retry.
    #[error("the data key that {id} wrapped is not unwrapped yet")]
    Pending {
        /// The wrapping key, quoted.
        id: String,
    },

    /// Key Vault did not unwrap the data key. It is asked again after a while.
    #[error("the data key that {id} wrapped cannot be unwrapped: {reason}")]
    Refused {
        /// The wrapping key, quoted.
        id: String,
        /// Why not.
        reason: String,
    },

    /// The data key is here and does not open the payload.
    #[error(transparent)]
    Payload(#[from] crate::OpenError),
}
