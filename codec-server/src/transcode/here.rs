//! Whether the key of a payload is in the ring, without counting a use or a miss of it.

use std::sync::Arc;

use sealane_codec::{EncryptionCodec, KEY_ID, KeyRing, SharedKeyRing, WRAPPED_KEY, is_encrypted};
use temporalio_common::protos::temporal::api::common::v1::Payload;

/// The keys of the ring while one request is looked at.
pub(super) struct Here {
    ring: Option<Arc<KeyRing>>,
    /// The last id that was in the ring: most payloads of a request have the same.
    last: Vec<u8>,
}

impl Here {
    pub(super) fn of(codec: &EncryptionCodec) -> Self {
        Self {
            ring: codec.ring().map(SharedKeyRing::current),
            last: Vec::new(),
        }
    }

    /// Returns false if `payload` names a key of the ring that is not there. A payload that names none,
    /// or brings its own, is not our business.
    pub(super) fn has_key_of(&mut self, payload: &Payload) -> bool {
        let Some(id) = payload.metadata.get(KEY_ID) else {
            return true;
        };
        *id == self.last || !is_encrypted(payload) || self.finds(id, payload)
    }

    fn finds(&mut self, id: &[u8], payload: &Payload) -> bool {
        if payload.metadata.contains_key(WRAPPED_KEY) {
            return true;
        }
        let ring = self.ring.iter().flat_map(|ring| ring.ids());
        let found = { ring }.any(|held| held.as_str().as_bytes() == id);
        if found {
            self.last = id.to_vec();
        }
        found
    }
}
