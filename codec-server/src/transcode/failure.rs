//! Why a payload did not open, in words that anybody who may ask may read.

use sealane_codec::{DecodeError, KEY_ID, OpenError, envelope, large_payloads::FetchError};
use temporalio_common::protos::temporal::api::common::v1::Payload;

/// Longest part of a key id that an answer repeats, in characters.
const MAX_ID: usize = 200;

/// A payload that did not open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Failure {
    /// Its place in the request, from 0.
    pub(crate) index: usize,
    /// The key it names, quoted and cut short.
    pub(crate) key_id: Option<String>,
    /// Why it did not.
    pub(crate) cause: Cause,
}

/// Why a payload did not open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cause {
    /// Its key is not here.
    UnknownKey,
    /// It names no key, or not in a way that can be read.
    NoKey,
    /// Its key is here and does not fit.
    Altered,
    /// The vault has not unwrapped its data key, or refuses to.
    NotUnwrapped,
    /// What was inside is no payload, or does not unpack.
    Malformed,
    /// It is not encrypted, and only encrypted ones are taken.
    NotEncrypted,
    /// What it refers to was deleted.
    Gone,
    /// What it refers to is not what was stored.
    StoredAltered,
    /// What it refers to is of another namespace.
    OtherNamespace,
    /// What it refers to cannot be fetched now.
    NotFetched,
}

impl Failure {
    pub(super) fn of(index: usize, payload: &Payload, error: &DecodeError) -> Self {
        Self {
            index,
            key_id: key_id(payload).map(shown),
            cause: Cause::of(error),
        }
    }

    /// Returns what happened, naming place and key and nothing else of the payload.
    pub(crate) fn text(&self) -> String {
        let index = self.index;
        let key = self.key_id.as_deref().unwrap_or("that it does not name");
        match self.cause {
            Cause::UnknownKey => {
                format!("payload {index} is encrypted under key {key}, which is not here")
            }
            Cause::NoKey => format!("payload {index} is encrypted and does not say how"),
            Cause::Altered => format!(
                "payload {index} was altered, or is encrypted under another key than the {key} that is here"
            ),
            Cause::NotUnwrapped => format!(
                "the data key of payload {index}, wrapped by {key}, cannot be unwrapped now"
            ),
            Cause::Malformed => {
                format!("payload {index} under key {key} holds no Temporal payload")
            }
            Cause::Gone => format!("what payload {index} refers to was deleted from its container"),
            Cause::StoredAltered => {
                format!("what payload {index} refers to was altered, and is not used")
            }
            Cause::OtherNamespace => {
                format!("payload {index} refers to one of another namespace than is asked for")
            }
            Cause::NotFetched => {
                format!("what payload {index} refers to cannot be fetched now, see the log")
            }
            Cause::NotEncrypted => format!(
                "payload {index} is not encrypted, expected \"binary/encrypted\" (SEALANE_DECODE=strict)"
            ),
        }
    }
}

impl Cause {
    pub(crate) const ALL: [Self; 10] = [
        Self::UnknownKey,
        Self::NoKey,
        Self::Altered,
        Self::NotUnwrapped,
        Self::Malformed,
        Self::NotEncrypted,
        Self::Gone,
        Self::StoredAltered,
        Self::OtherNamespace,
        Self::NotFetched,
    ];

    /// Name of the cause as a label of a metric.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::UnknownKey => "unknown_key",
            Self::NoKey => "no_key",
            Self::Altered => "altered",
            Self::NotUnwrapped => "not_unwrapped",
            Self::Malformed => "malformed",
            Self::NotEncrypted => "not_encrypted",
            Self::Gone => "gone",
            Self::StoredAltered => "stored_altered",
            Self::OtherNamespace => "other_namespace",
            Self::NotFetched => "not_fetched",
        }
    }

    fn of(error: &DecodeError) -> Self {
        match error {
            DecodeError::Open(error) => Self::of_ring(error),
            DecodeError::Envelope(error) => Self::of_envelope(error),
            DecodeError::NoRing | DecodeError::LegacyKeyUnknown { .. } => Self::UnknownKey,
            DecodeError::LegacyKeyUnset => Self::NoKey,
            DecodeError::LegacyRejected { .. } => Self::Altered,
            DecodeError::NotEncrypted { .. } => Self::NotEncrypted,
            DecodeError::Fetch(error) => Self::of_fetch(error),
            _ => Self::Malformed,
        }
    }

    fn of_ring(error: &OpenError) -> Self {
        match error {
            OpenError::UnknownKey { .. } | OpenError::Envelope { .. } => Self::UnknownKey,
            OpenError::MissingKeyId => Self::NoKey,
            OpenError::TooShort { .. } | OpenError::Rejected { .. } => Self::Altered,
            _ => Self::Malformed,
        }
    }

    fn of_fetch(error: &FetchError) -> Self {
        match error {
            FetchError::Missing { .. } => Self::Gone,
            FetchError::OtherNamespace { .. } => Self::OtherNamespace,
            FetchError::Longer { .. }
            | FetchError::Altered { .. }
            | FetchError::NotCiphertext { .. } => Self::StoredAltered,
            _ => Self::NotFetched,
        }
    }

    fn of_envelope(error: &envelope::OpenError) -> Self {
        match error {
            envelope::OpenError::NotAnEnvelope => Self::NoKey,
            envelope::OpenError::Foreign { .. } => Self::UnknownKey,
            envelope::OpenError::Pending { .. } | envelope::OpenError::Refused { .. } => {
                Self::NotUnwrapped
            }
            envelope::OpenError::Payload(error) => Self::of_ring(error),
            _ => Self::Malformed,
        }
    }
}

/// The key that `payload` names, if that is a text.
pub(super) fn key_id(payload: &Payload) -> Option<&str> {
    str::from_utf8(payload.metadata.get(KEY_ID)?).ok()
}

fn shown(id: &str) -> String {
    let cut: String = id.chars().take(MAX_ID).collect();
    let rest = if cut.len() < id.len() { "…" } else { "" };
    format!("{cut:?}{rest}")
}
