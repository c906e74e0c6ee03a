//! How many payloads of 1 KiB a second are decrypted, in batches of 100: inside the router, and over
//! loopback beside servers built the way Temporal's samples build theirs.
//!
//!     cargo bench -p sealane-codec-server
//!
//! The peers are built on the spot: the Go one needs `go`, the Python one `python3` with `pip`. What is missing is left
//! out.

#![expect(clippy::print_stdout, reason = "the figures are what this is for")]

mod cpu;
mod loopback;
mod peers;
mod router;

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use sealane_codec::{CodecOptions, EncryptionCodec, Key, KeyRing, SharedKeyRing};
use serde_json::{Map, Value, json};
use temporalio_common::protos::temporal::api::common::v1::Payload;

/// Payloads of a request: a page of history in the Web UI has fewer, an export more.
pub(crate) const BATCH: usize = 100;

/// Bytes of each payload.
const SIZE: usize = 1024;

pub(crate) const KEY_ID: &str = "bench-key";
pub(crate) const KEY: [u8; 32] = [7; 32];

/// What one core is to do inside the router.
const TARGET: f64 = 200_000.0;

fn main() {
    let body = batch(&codec());
    println!(
        "{BATCH} payloads of {SIZE} bytes, {} bytes of JSON",
        body.len()
    );
    let rate = router::rate("decode", &body);
    println!(
        "decode, router:   {:.2} of the target; {rate:.0} payloads per CPU second",
        rate / TARGET
    );
    let rate = router::rate("encode", &plain());
    println!("encode, router:   {rate:.0} payloads per CPU second");
    let ours = peers::ours().map(|server| loopback::measure(&server, &body));
    let Some(ours) = ours else { return };
    println!("decode, loopback: {ours:.0} requests per CPU second");
    for (name, peer) in [("Go", peers::go()), ("Python", peers::python())] {
        let Some(peer) = peer else {
            println!("no peer in {name}: it cannot be built here");
            continue;
        };
        let theirs = loopback::measure(&peer, &body);
        println!(
            "                  {:.1} times the peer in {name}; {theirs:.0} requests per CPU second",
            ours / theirs
        );
    }
}

/// The codec of all servers that are compared.
pub(crate) fn codec() -> EncryptionCodec {
    let id: sealane_codec::KeyId = KEY_ID.parse().expect("a key id");
    let key = Key::from_bytes(&KEY).expect("a key of 32 bytes");
    let ring = KeyRing::new(id.clone(), [(id, key)]).expect("a ring of one key");
    EncryptionCodec::new(SharedKeyRing::new(ring), CodecOptions::default())
}

/// Payloads as a server sends them to be decrypted.
fn batch(codec: &EncryptionCodec) -> String {
    written(|number| {
        codec
            .encode_payload(payload(number))
            .expect("a payload that is encrypted")
    })
}

fn plain() -> String {
    written(payload)
}

fn written(payload: impl Fn(usize) -> Payload) -> String {
    let payloads: Vec<_> = (0..BATCH).map(|number| in_json(&payload(number))).collect();
    json!({ "payloads": payloads }).to_string()
}

/// JSON of exactly the size, no two alike.
fn payload(number: usize) -> Payload {
    Payload {
        metadata: HashMap::from([("encoding".to_owned(), b"json/plain".to_vec())]),
        data: format!("\"{number:0>width$}\"", width = SIZE - 2).into_bytes(),
        ..Payload::default()
    }
}

fn in_json(payload: &Payload) -> Value {
    let metadata: Map<_, _> = payload
        .metadata
        .iter()
        .map(|(name, value)| (name.clone(), BASE64_STANDARD.encode(value).into()))
        .collect();
    json!({ "metadata": metadata, "data": BASE64_STANDARD.encode(&payload.data) })
}
