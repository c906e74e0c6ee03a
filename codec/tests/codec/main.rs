//! The crate from outside, as the SDK and the processes use it.

#![expect(
    clippy::unwrap_used,
    reason = "the lint knows tests by their attribute and misses what they share"
)]

mod decoding;
mod file_source;
mod memory;
mod properties;
mod secrecy;
mod sharing;
mod tampering;

use std::collections::HashMap;

use sealane_codec::{CodecOptions, EncryptionCodec, KeyRing, SharedKeyRing};
use temporalio_common::protos::temporal::api::common::v1::Payload;

/// Base64 of the bytes 0 to 31.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// Base64 of the bytes 31 to 0.
const OTHER_KEY: &str = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

/// A ring with one key, called `id`.
fn ring(id: &str, key: &str) -> KeyRing {
    KeyRing::from_json(&json(id, key)).unwrap()
}

fn json(id: &str, key: &str) -> String {
    format!(r#"{{"active": "{id}", "keys": {{"{id}": "{key}"}}}}"#)
}

fn codec(options: CodecOptions) -> EncryptionCodec {
    EncryptionCodec::new(SharedKeyRing::new(ring("a", KEY)), options)
}

fn payload(encoding: &str, data: &[u8]) -> Payload {
    Payload {
        metadata: HashMap::from([("encoding".to_owned(), encoding.into())]),
        data: data.into(),
        ..Payload::default()
    }
}
