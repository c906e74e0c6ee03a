//! The layout of sealed data: `nonce ‖ ciphertext ‖ tag` over a serialised payload.

use prost::Message;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::{
    Key, KeyId, OpenError, SealError,
    cipher::{NONCE_LEN, Nonce, TAG_LEN, Unopened},
};

/// Seals the whole of `payload`, metadata included, in one allocation.
///
/// `nonce` must never have been used with this key.
pub(crate) fn seal(key: &Key, nonce: &Nonce, payload: &Payload) -> Result<Vec<u8>, SealError> {
    let len = payload.encoded_len();
    let mut data = Vec::with_capacity(NONCE_LEN + len + TAG_LEN);
    data.extend_from_slice(nonce);
    payload
        .encode(&mut data)
        .expect("a Vec has room for every message that fits in memory");
    key.seal(nonce, &mut data)
        .map_err(|_| SealError::TooLong { len })?;
    Ok(data)
}

/// Opens what [`seal`] made, in its own buffer. `id` names the key in errors.
pub(crate) fn open(key: &Key, id: &KeyId, data: &mut [u8]) -> Result<Payload, OpenError> {
    let len = data.len();
    let text = key.open(data).map_err(|error| match error {
        Unopened::TooShort => OpenError::TooShort { len },
        Unopened::Rejected => OpenError::Rejected {
            id: id.clone(),
            len,
        },
    })?;
    Payload::decode(&*text).map_err(|_| OpenError::NotAPayload {
        id: id.clone(),
        len,
    })
}
