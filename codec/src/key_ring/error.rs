//! Why a ring could not be made, or a payload not be sealed or opened.

use crate::{EntropyError, KeyError, KeyId};

/// Most ids that an error message lists.
const MAX_LISTED: usize = 8;

/// Why keys do not make a key ring.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingError {
    /// The key that should encrypt is missing. Add it, or make another one active.
    #[error("active key {:?} is not in the key ring, which holds {known}", active.as_str())]
    NoActive {
        /// Id of the missing key.
        active: KeyId,
        /// The ids there are.
        known: String,
    },

    /// Two keys share an id, so what either sealed might be unreadable.
    #[error("key {:?} is in the key ring twice, expected each id once", id.as_str())]
    Duplicate {
        /// The shared id.
        id: KeyId,
    },

    /// A key or the active key has no name.
    #[error("key ring has an empty key id, expected at least one character")]
    EmptyId,

    /// The value of one key is unusable.
    #[error("in the key ring under {:?}: {reason}", id.as_str())]
    Key {
        /// Id of the bad key.
        id: KeyId,
        /// What is wrong with it.
        reason: KeyError,
    },

    /// The text is not JSON, or JSON of another shape.
    #[error(
        "key ring has {problem} at line {line} column {column}, \
         expected {{\"active\": \"<id>\", \"keys\": {{\"<id>\": \"<base64>\"}}}}"
    )]
    Json {
        /// Kind of mistake; the text around it may be a key, so it is not repeated.
        problem: &'static str,
        /// Line of the mistake, from 1.
        line: usize,
        /// Column of the mistake, from 1.
        column: usize,
    },
}

/// Why a payload was not encrypted. Nothing of it may be sent then.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// There was no nonce to be had.
    #[error(transparent)]
    Entropy(#[from] EntropyError),

    /// AES-GCM cannot take so much at once.
    #[error("payload is {len} bytes long, AES-GCM encrypts at most 64 GiB at once")]
    TooLong {
        /// Length of the serialised payload.
        len: usize,
    },

    /// The key has sealed as many payloads as it may. Another one has to become active.
    #[error(
        "key {:?} has sealed {limit} payloads, as many as SEALANE_KEY_SEAL_LIMIT allows: rotate it \
         (`sealane keys rotate`)",
        id.as_str()
    )]
    Exhausted {
        /// Id of the key.
        id: KeyId,
        /// The limit that is reached.
        limit: u64,
    },
}

/// Why an encrypted payload was not decrypted. Never quotes what it holds.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The payload is no `binary/encrypted` payload.
    #[error("payload has encoding {encoding}, expected \"binary/encrypted\"")]
    NotEncrypted {
        /// The encoding, quoted.
        encoding: String,
    },

    /// The payload says it is encrypted, but not with which key.
    #[error("encrypted payload names no key, expected metadata \"encryption-key-id\"")]
    MissingKeyId,

    /// The key is not here, or not here yet. Add it to the ring and the payload opens.
    #[error("payload is encrypted under key {id}, the key ring holds {known}")]
    UnknownKey {
        /// The id the payload names, quoted.
        id: String,
        /// The ids there are.
        known: String,
    },

    /// The payload brings its own data key, and nothing here may unwrap it.
    #[error(
        "payload is encrypted under a data key wrapped by {id} (metadata \"encryption-dek\"); \
         set KEYVAULT_KEY_URI to that key to read it"
    )]
    Envelope {
        /// Name of the wrapping key, quoted.
        id: String,
    },

    /// Nothing could have been encrypted to so few bytes.
    #[error("encrypted payload is {len} bytes long, expected at least 28 for nonce and tag")]
    TooShort {
        /// Length of the payload's data.
        len: usize,
    },

    /// The tag does not match: altered on the way, or sealed under another key of that name.
    #[error(
        "payload of {len} bytes was altered, or key {:?} is not the one that encrypted it",
        id.as_str()
    )]
    Rejected {
        /// Id of the key that was tried.
        id: KeyId,
        /// Length of the payload's data.
        len: usize,
    },

    /// The tag matches, but the sender did not encrypt a serialised payload.
    #[error("payload of {len} bytes under key {:?} does not hold a Temporal payload", id.as_str())]
    NotAPayload {
        /// Id of the key that opened it.
        id: KeyId,
        /// Length of the payload's data.
        len: usize,
    },
}

/// Lists ids for an error message: quoted, the first few by name.
pub(super) fn list<'a>(ids: impl Iterator<Item = &'a KeyId>) -> String {
    let ids: Vec<_> = ids.map(|id| format!("{:?}", id.as_str())).collect();
    match ids.len() {
        0 => "no key".to_owned(),
        len if len > MAX_LISTED => {
            let shown = ids[..MAX_LISTED].join(", ");
            format!("{shown} and {} more", len - MAX_LISTED)
        }
        _ => ids.join(", "),
    }
}
