//! Why the codec refused a payload. Key ids, lengths and encodings only, never contents: the SDK
//! sends these messages to the server in plaintext.

use crate::{
    InflateError, KeyId, OpenError, SealError, envelope,
    large_payloads::{FetchError, StoreError},
};

/// Why a payload was not encoded. Nothing of it may be sent then.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// It could not be encrypted.
    #[error(transparent)]
    Seal(#[from] SealError),

    /// It could not be encrypted under a data key.
    #[error(transparent)]
    Envelope(#[from] envelope::SealError),

    /// The codec has neither a key ring nor data keys of its own.
    #[error(
        "there is no key to encrypt with; set SEALANE_KEY_FILE, KEYVAULT_URL or SEALANE_KEY_MODE=envelope"
    )]
    NoKey,

    /// It is compressed already and could not be wrapped so that decoding restores it.
    #[error("payload with encoding \"binary/zlib\" cannot be encoded, expected at most 64 MiB")]
    NotWrapped,

    /// It is too large to be sent, and could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a payload was not decoded.
///
/// In a workflow the SDK fails the task and Temporal retries it, so a workflow whose key is
/// missing goes on once the key is in the ring.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It is encrypted and does not open.
    #[error(transparent)]
    Open(#[from] OpenError),

    /// It is encrypted under a data key and does not open.
    #[error(transparent)]
    Envelope(#[from] envelope::OpenError),

    /// It is encrypted under a key of a ring, and there is none.
    #[error(
        "payload is encrypted under a key of a ring, and only data keys are configured; \
         set KEYVAULT_URL or SEALANE_KEY_FILE"
    )]
    NoRing,

    /// It is compressed and does not unpack.
    #[error(transparent)]
    Inflate(#[from] InflateError),

    /// It is in blob storage and could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),

    /// It is not encrypted, and the codec is strict.
    #[error(
        "payload has encoding {encoding}, expected \"binary/encrypted\" \
         (SEALANE_DECODE=permissive accepts unencrypted payloads)"
    )]
    NotEncrypted {
        /// The encoding, quoted.
        encoding: String,
    },

    /// It names no key, and none is configured for such payloads.
    #[error(
        "payload has encoding \"encrypted/aesgcm\", which names no key: \
         set SEALANE_LEGACY_KEY_ID to the id of the key that reads it"
    )]
    LegacyKeyUnset,

    /// The key configured for such payloads is not in the ring.
    #[error("SEALANE_LEGACY_KEY_ID is {:?}, expected the id of a key in the key ring", id.as_str())]
    LegacyKeyUnknown {
        /// Id that was configured.
        id: KeyId,
    },

    /// The key configured for such payloads does not open this one, or it was altered.
    #[error(
        "payload of {len} bytes with encoding \"encrypted/aesgcm\" was altered, \
         or SEALANE_LEGACY_KEY_ID={:?} does not name the key that encrypted it",
        id.as_str()
    )]
    LegacyRejected {
        /// Id of the key that was tried.
        id: KeyId,
        /// Length of the payload's data.
        len: usize,
    },
}
