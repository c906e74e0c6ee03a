//! Reading what the Python starter for AKS encrypted (`encrypted/aesgcm`). Nothing writes it.
//!
//! That converter encrypted a payload's data alone, as `nonce ‖ ciphertext ‖ tag` without
//! additional data, and replaced the encoding: what the data had been is lost. It was JSON
//! unless somebody sent raw bytes, and no JSON document is empty, so empty data was "no value".

use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::{
    Key,
    cipher::{NONCE_LEN, Unopened},
    metadata::{ENCODING, JSON, NULL},
};

/// Decrypts `payload` under `key`, in its own buffer.
pub(crate) fn open(key: &Key, mut payload: Payload) -> Result<Payload, Unopened> {
    let len = key.open(&mut payload.data)?.len();
    payload.data.copy_within(NONCE_LEN..NONCE_LEN + len, 0);
    payload.data.truncate(len);
    let encoding = if len == 0 { NULL } else { JSON };
    payload
        .metadata
        .insert(ENCODING.to_owned(), encoding.into());
    Ok(payload)
}
