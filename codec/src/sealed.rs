//! The layout of sealed data: `nonce ‖ ciphertext ‖ tag` over a serialised payload.

use std::collections::HashMap;

use bytes::{Buf, Bytes};
use prost::Message;
use temporalio_common::protos::temporal::api::common::v1::{
    Payload, payload::ExternalPayloadDetails,
};

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

/// Opens what [`seal`] made, in its own buffer, which becomes that of the payload's data. `id`
/// names the key in errors.
pub(crate) fn open(key: &Key, id: &KeyId, mut data: Vec<u8>) -> Result<Payload, OpenError> {
    let len = data.len();
    let text = key.open(&mut data).map_err(|error| match error {
        Unopened::TooShort => OpenError::TooShort { len },
        Unopened::Rejected => OpenError::Rejected {
            id: id.clone(),
            len,
        },
    })?;
    let end = NONCE_LEN + text.len();
    data.truncate(end);
    let mut text = Bytes::from(data);
    text.advance(NONCE_LEN);
    let opened = Opened::decode(text).map_err(|_| OpenError::NotAPayload {
        id: id.clone(),
        len,
    })?;
    Ok(Payload {
        metadata: opened.metadata,
        data: opened.data.into(),
        external_payloads: opened.external_payloads,
    })
}

/// A [`Payload`] whose data is a part of the buffer it is read from. That it has each of its fields
/// is the compiler's to check, where one is made into the other.
#[derive(Message)]
struct Opened {
    #[prost(map = "string, bytes", tag = "1")]
    metadata: HashMap<String, Vec<u8>>,
    #[prost(bytes = "bytes", tag = "2")]
    data: Bytes,
    #[prost(message, repeated, tag = "3")]
    external_payloads: Vec<ExternalPayloadDetails>,
}
