//! The text of a key ring, which holds keys: whatever is wrong with it, none of them may be shown.

use sealane_codec::{Key, KeyRing, KeyRingError};
use serde_json::Value;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::{
    Outcome, Target,
    bytes::{assert_one_line, assert_silent},
};

pub(crate) const TARGET: Target = Target {
    name: "key_ring_json",
    run,
    words: &[
        "\"active\"",
        "\"keys\"",
        "AAECAwQFBgcICQoLDA0ODw==",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "S3cretCanary0815",
        "\\u0000",
        "{\"a\":",
    ],
};

/// Shortest value of which a message must not hold a copy: shorter ones are in every message by chance.
const TELLING: usize = 12;

fn run(input: &[u8]) -> Outcome {
    let Ok(text) = str::from_utf8(input) else {
        return Outcome::Refused;
    };
    one_key(text);
    match KeyRing::from_json(text) {
        Ok(ring) => {
            sound(&ring);
            Outcome::Accepted
        }
        Err(error) => {
            silent(text, &error);
            Outcome::Refused
        }
    }
}

/// A text is a key of one of three lengths, or a message that does not show it.
fn one_key(text: &str) {
    match Key::from_base64(text) {
        Ok(key) => assert!(!format!("{key:?}").contains(text.trim())),
        Err(error) => assert!(text.len() < TELLING || !format!("{error} {error:?}").contains(text)),
    }
}

/// What was read is written and read again, opens what it seals, and shows no key.
fn sound(ring: &KeyRing) {
    assert!(ring.contains(ring.active()));
    let written = ring.to_json();
    let again = KeyRing::from_json(&written).expect("what was written can be read");
    assert_eq!(*again.to_json(), *written);

    let payload = Payload::from(b"payload");
    let sealed = ring.seal(&payload).expect("any ring seals");
    assert_eq!(again.open(&sealed).as_ref(), Ok(&payload));

    let shown = format!("{ring:?}");
    let json: Value = serde_json::from_str(&written).expect("JSON");
    for (id, key) in json["keys"].as_object().expect("keys by id") {
        let key = key.as_str().expect("a text");
        let is_an_id = ring.ids().any(|id| id.as_str().contains(key));
        assert!(is_an_id || !shown.contains(key), "key {id:?}: {shown}");
    }
}

/// Ids may be named; values may not, nor anything else of a text that is no key ring.
fn silent(text: &str, error: &KeyRingError) {
    let shown = format!("{error} {error:?}");
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    let ids = named(&json);
    if let Some(keys) = json["keys"].as_object() {
        let values = keys.values().filter_map(Value::as_str);
        for value in values.filter(|value| value.len() >= TELLING) {
            let is_named = ids.iter().any(|id| id.contains(value));
            assert!(is_named || !shown.contains(value), "{shown}");
        }
    }
    if let KeyRingError::Json { .. } = error {
        assert_silent(&shown);
        assert_one_line(&error.to_string(), 200);
    }
}

/// What a message may name: the active id and the ids of the keys.
fn named(json: &Value) -> Vec<&str> {
    let keys = json["keys"].as_object().into_iter().flatten();
    let ids = keys.map(|(id, _)| id.as_str());
    ids.chain(json["active"].as_str()).collect()
}
