//! Our bytes against those of Python's `cryptography` and `temporalio`
//! (`tests/vectors/generate.py`).

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use prost::Message;
use serde::Deserialize;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::KeyRing;
use crate::{CodecOptions, EncryptionCodec, SharedKeyRing, is_encrypted};

#[derive(Deserialize)]
struct KnownAnswers {
    ring: Ring,
    vectors: Vec<Vector>,
}

#[derive(Clone, Deserialize, serde::Serialize)]
struct Ring {
    active: String,
    keys: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    key_id: String,
    nonce: String,
    /// What went into the cipher; nothing for the legacy format, which we never write.
    inner: Option<String>,
    sealed: String,
    opened: String,
}

impl KnownAnswers {
    fn read() -> Self {
        serde_json::from_str(include_str!("../../tests/vectors/known_answers.json")).unwrap()
    }

    fn ring(&self, active: &str) -> KeyRing {
        let ring = Ring {
            active: active.to_owned(),
            ..self.ring.clone()
        };
        KeyRing::from_json(&serde_json::to_string(&ring).unwrap()).unwrap()
    }
}

fn payload(base64: &str) -> Payload {
    Payload::decode(BASE64_STANDARD.decode(base64).unwrap().as_slice()).unwrap()
}

#[test]
fn everything_python_sealed_opens() {
    let known = KnownAnswers::read();
    for vector in &known.vectors {
        let options = CodecOptions {
            legacy_key_id: Some(vector.key_id.parse().unwrap()),
            ..CodecOptions::default()
        };
        let ring = SharedKeyRing::new(known.ring(&known.ring.active));

        let opened = EncryptionCodec::new(ring, options).decode_payload(payload(&vector.sealed));

        assert_eq!(opened, Ok(payload(&vector.opened)), "{}", vector.name);
    }
}

#[test]
fn sealing_with_pythons_nonce_gives_pythons_bytes() {
    let known = KnownAnswers::read();
    let mut compared = 0;
    for vector in &known.vectors {
        let Some(inner) = vector.inner.as_deref().map(payload) else {
            continue;
        };
        // Neither side orders the entries of a map, so only one entry has one serialisation.
        if inner.metadata.len() > 1 {
            continue;
        }
        let nonce = BASE64_STANDARD.decode(&vector.nonce).unwrap();
        let nonce = nonce.as_slice().try_into().unwrap();

        let sealed = known.ring(&vector.key_id).seal_with(nonce, &inner);

        assert_eq!(sealed, Ok(payload(&vector.sealed)), "{}", vector.name);
        compared += 1;
    }
    assert_eq!(compared, 7, "vectors with one serialisation");
}

#[test]
fn only_the_standard_format_counts_as_encrypted() {
    for vector in &KnownAnswers::read().vectors {
        let sealed = payload(&vector.sealed);
        assert_eq!(
            is_encrypted(&sealed),
            vector.inner.is_some(),
            "{}",
            vector.name
        );
    }
}
