//! What a payload says of the data key it is encrypted under. None of it is trusted.

use base64::{Engine, prelude::BASE64_STANDARD};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::{KeyUri, OpenError};
use crate::{
    KeyId,
    metadata::{KEY_ID, WRAPPED_KEY, excerpt, is_encrypted},
};

/// Longest wrapped data key in base64: 512 bytes, by the longest RSA key that Key Vault has.
const MAX_WRAPPED: usize = 684;

/// Longest name of a wrapping key. Key Vault's are shorter than 300 bytes, but one can be written
/// in many ways, and what stays in memory for each data key must be bounded.
const MAX_ID: usize = 512;

/// Names one data key: the key that wrapped it and the wrapped bytes, both as in the metadata.
#[derive(Clone, Eq, Hash, PartialEq)]
pub(super) struct Reference {
    text: Box<[u8]>,
    id: usize,
}

impl Reference {
    pub(super) fn new(id: &[u8], wrapped: &[u8]) -> Self {
        Self {
            text: [id, wrapped].concat().into(),
            id: id.len(),
        }
    }

    /// Reads the metadata of `payload`; `None` unless it brings a wrapped data key.
    ///
    /// An empty entry counts as missing, as it does for temporal-proxy.
    pub(super) fn of(payload: &Payload) -> Option<Self> {
        let entry = |name| payload.metadata.get(name).filter(|value| !value.is_empty());
        let (id, wrapped) = (entry(KEY_ID)?, entry(WRAPPED_KEY)?);
        is_encrypted(payload).then(|| Self::new(id, wrapped))
    }

    /// The wrapping key, if it is one of Key Vault.
    pub(super) fn uri(&self) -> Option<KeyUri> {
        let id = self.split().0;
        if id.len() > MAX_ID {
            return None;
        }
        str::from_utf8(id).ok()?.parse().ok()
    }

    /// The wrapping key as the name of a key in errors.
    pub(super) fn key_id(&self) -> Option<KeyId> {
        KeyId::try_from(str::from_utf8(self.split().0).ok()?).ok()
    }

    /// The wrapped bytes.
    pub(super) fn wrapped(&self) -> Result<Vec<u8>, OpenError> {
        let text = self.split().1;
        if text.len() > MAX_WRAPPED {
            return Err(self.malformed("that is longer than 512 bytes"));
        }
        let decoded = BASE64_STANDARD.decode(text);
        decoded.map_err(|_| self.malformed("that is not valid base64"))
    }

    /// The wrapping key as the payload names it, for messages.
    pub(super) fn quoted(&self) -> String {
        excerpt(self.split().0)
    }

    fn malformed(&self, problem: &'static str) -> OpenError {
        let id = self.quoted();
        OpenError::Malformed { id, problem }
    }

    fn split(&self) -> (&[u8], &[u8]) {
        self.text.split_at(self.id)
    }
}
