//! Keys and payloads must not show in anything that may be logged.

use sealane_codec::{CodecOptions, Key, data_converter};

use crate::{KEY, OTHER_KEY, codec, payload, ring};

/// Parts of the test key in the notations that `Debug` might use.
const TRACES: [&str; 4] = ["AAECAw", "0, 1, 2, 3", "00010203", "\\u{1}\\u{2}"];

fn assert_silent(what: &dyn std::fmt::Debug) {
    for shown in [format!("{what:?}"), format!("{what:#?}")] {
        for trace in TRACES {
            assert!(!shown.contains(trace), "{shown}");
        }
    }
}

#[test]
fn no_type_shows_its_keys() {
    let codec = codec(CodecOptions::default());

    assert_silent(&Key::from_base64(KEY).unwrap());
    assert_silent(&ring("a", KEY));
    assert_silent(&sealane_codec::SharedKeyRing::new(ring("a", KEY)));
    assert_silent(&codec);
    assert_silent(&data_converter(codec));
}

#[test]
fn a_ring_shows_its_ids() {
    let shown = format!("{:?}", ring("payloads/1", KEY));

    assert_eq!(
        shown,
        r#"KeyRing { active: KeyId("payloads/1"), ids: [KeyId("payloads/1")], .. }"#
    );
}

#[test]
fn errors_quote_neither_plaintext_nor_ciphertext() {
    let sealed = ring("a", OTHER_KEY)
        .seal(&payload("json/plain", b"CANARY"))
        .unwrap();
    let mut plain = payload("encrypted/aesgcm", b"CANARY");

    let rejected = codec(CodecOptions::default())
        .decode_payload(sealed)
        .unwrap_err();
    let legacy = codec(CodecOptions::default())
        .decode_payload(plain.clone())
        .unwrap_err();
    plain
        .metadata
        .insert("encoding".to_owned(), b"binary/zlib".to_vec());
    let corrupt = codec(CodecOptions::default())
        .decode_payload(plain)
        .unwrap_err();

    for error in [rejected, legacy, corrupt] {
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("CANARY") && !shown.contains("67, 65, 78"),
            "{shown}"
        );
    }
}
