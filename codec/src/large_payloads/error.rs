//! Why a large payload was not stored or not fetched. Names and sizes only, never contents.

use std::error::Error;

use crate::{DecodeError, EncodeError, azure::AzureError};

/// Why a payload was not stored. Nothing of it may be sent then.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It is not encrypted, and only ciphertext is stored.
    #[error("a payload that is not encrypted is not stored")]
    Plain,

    /// The container did not take it.
    #[error("{reason}")]
    Failed {
        /// What was tried, what stood in the way and what helps.
        reason: String,
        /// Whether it may succeed in a while although nobody does anything.
        transient: bool,
    },
}

/// Why a stored payload was not fetched.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// This process was not told where payloads are stored.
    #[error(
        "the payload is in blob storage; set SEALANE_LARGE_PAYLOADS=blob (or read) and \
         SEALANE_BLOB_CONTAINER_URL"
    )]
    Unconfigured,

    /// It is no reference.
    #[error("the payload is no reference to one in blob storage")]
    Malformed,

    /// It belongs to another Temporal namespace.
    #[error("blob {blob} is of another Temporal namespace and is not read")]
    OtherNamespace {
        /// Its name.
        blob: String,
    },

    /// The reference says that it is larger than any may be.
    #[error(
        "blob {blob} has {size} bytes, expected at most {max} (SEALANE_LARGE_PAYLOADS_MAX, the \
         same in all processes)"
    )]
    TooLarge {
        /// Its name.
        blob: String,
        /// Bytes that it has.
        size: usize,
        /// Bytes that it may have.
        max: usize,
    },

    /// It is gone.
    #[error(
        "blob {blob} is not in {container}: it was written to {written_to}, and somebody or the \
         container's lifecycle policy has deleted it; undelete it, or reset the workflow to \
         before it, and keep blobs longer than any run and its retention"
    )]
    Missing {
        /// Its name.
        blob: String,
        /// Where it was looked for.
        container: String,
        /// Where the reference says that it is.
        written_to: String,
    },

    /// It is longer than the reference says.
    #[error(
        "blob {blob} has more than the {limit} bytes it was stored with: it was altered, and is \
         not used; restore it from a version or a backup"
    )]
    Longer {
        /// Its name.
        blob: String,
        /// Bytes that it may have.
        limit: usize,
    },

    /// It is not what was stored.
    #[error(
        "blob {blob} of {len} bytes was altered: length or SHA-256 are not those it was stored \
         with, so it is not used; restore it from a version or a backup"
    )]
    Altered {
        /// Its name.
        blob: String,
        /// Bytes that it has.
        len: usize,
    },

    /// It holds no payload that is encrypted under the key that the reference names.
    #[error("blob {blob} does not hold the ciphertext that its reference describes")]
    NotCiphertext {
        /// Its name.
        blob: String,
    },

    /// The container did not give it.
    #[error("{reason}")]
    Failed {
        /// What was tried, what stood in the way and what helps.
        reason: String,
        /// Whether it may succeed in a while although nobody does anything.
        transient: bool,
    },
}

/// Whether `error`, or what caused it, is that the container cannot be used just now: the same may
/// succeed in a while although nobody does anything.
#[must_use]
pub fn is_outage(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if passes(error) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The codec's own errors are looked into, because what they wrap does not appear among their causes.
fn passes(error: &(dyn Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<StoreError>() {
        error.is_transient()
    } else if let Some(error) = error.downcast_ref::<FetchError>() {
        error.is_transient()
    } else if let Some(EncodeError::Store(error)) = error.downcast_ref() {
        error.is_transient()
    } else if let Some(DecodeError::Fetch(error)) = error.downcast_ref() {
        error.is_transient()
    } else {
        false
    }
}

impl StoreError {
    /// Whether it may succeed in a while although nobody does anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Failed {
                transient: true,
                ..
            }
        )
    }

    pub(super) fn of(error: &AzureError) -> Self {
        Self::Failed {
            reason: error.to_string(),
            transient: error.is_transient(),
        }
    }
}

impl FetchError {
    /// Whether it may succeed in a while although nobody does anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Failed {
                transient: true,
                ..
            }
        )
    }

    pub(super) fn of(error: &AzureError) -> Self {
        Self::Failed {
            reason: error.to_string(),
            transient: error.is_transient(),
        }
    }
}
