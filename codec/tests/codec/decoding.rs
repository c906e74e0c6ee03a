//! What decoding makes of payloads that are not simply ours.

use sealane_codec::{
    CodecOptions, Compression, DecodeError, DecodePolicy, EncryptionCodec, KeyRing, OpenError,
    SharedKeyRing, is_encrypted,
};

use crate::{KEY, OTHER_KEY, codec, payload, ring};

fn strict() -> CodecOptions {
    CodecOptions {
        decode: DecodePolicy::Strict,
        ..CodecOptions::default()
    }
}

fn compressing() -> CodecOptions {
    CodecOptions {
        compression: Compression::Zlib,
        ..CodecOptions::default()
    }
}

#[test]
fn unencrypted_payloads_pass_unless_the_codec_is_strict() {
    let plain = payload("json/plain", b"1");

    assert_eq!(
        codec(CodecOptions::default()).decode_payload(plain.clone()),
        Ok(plain.clone())
    );
    let error = codec(strict()).decode_payload(plain).unwrap_err();
    assert!(matches!(error, DecodeError::NotEncrypted { .. }));
    assert_eq!(
        error.to_string(),
        "payload has encoding \"json/plain\", expected \"binary/encrypted\" \
         (SEALANE_DECODE=permissive accepts unencrypted payloads)"
    );
}

#[test]
fn a_strict_codec_reads_what_it_wrote_whatever_is_inside() {
    for encoding in ["json/plain", "binary/null", "binary/zlib", "of/my/own", ""] {
        let original = payload(encoding, b"1");
        let codec = codec(strict());

        let encoded = codec.encode_payload(original.clone()).unwrap();

        assert!(is_encrypted(&encoded));
        assert_eq!(codec.decode_payload(encoded), Ok(original));
    }
}

#[test]
fn compression_shortens_what_is_sent_and_every_codec_reads_it() {
    let original = payload("json/plain", "[0]".repeat(1000).as_bytes());

    let encoded = codec(compressing())
        .encode_payload(original.clone())
        .unwrap();

    assert!(encoded.data.len() < 200, "{} bytes", encoded.data.len());
    assert_eq!(codec(strict()).decode_payload(encoded), Ok(original));
}

#[test]
fn unencrypted_zlib_is_unpacked_only_by_a_permissive_codec() {
    // What a Go client with its zlib codec alone would send: zlib of an empty payload.
    let empty = payload("binary/zlib", b"\x78\x9c\x03\x00\x00\x00\x00\x01");

    let opened = codec(CodecOptions::default()).decode_payload(empty.clone());
    assert_eq!(opened, Ok(Default::default()));
    assert!(codec(strict()).decode_payload(empty).is_err());
}

#[test]
fn corrupt_zlib_is_an_error() {
    let error = codec(CodecOptions::default())
        .decode_payload(payload("binary/zlib", b""))
        .unwrap_err();

    assert!(matches!(error, DecodeError::Inflate(_)));
}

#[test]
fn an_unknown_key_is_named_beside_the_known_ones() {
    let foreign = ring("b", OTHER_KEY)
        .seal(&payload("json/plain", b"1"))
        .unwrap();

    let error = codec(CodecOptions::default())
        .decode_payload(foreign)
        .unwrap_err();

    assert!(matches!(
        error,
        DecodeError::Open(OpenError::UnknownKey { .. })
    ));
    assert_eq!(
        error.to_string(),
        r#"payload is encrypted under key "b", the key ring holds "a""#
    );
}

#[test]
fn a_hostile_key_id_stays_on_one_short_line() {
    let mut sealed = ring("a", KEY).seal(&payload("json/plain", b"1")).unwrap();
    let id = "\n2026-11-21 ERROR all is lost ".repeat(1000);
    sealed
        .metadata
        .insert("encryption-key-id".to_owned(), id.into());

    let error = codec(CodecOptions::default())
        .decode_payload(sealed)
        .unwrap_err();

    let message = error.to_string();
    assert!(!message.contains('\n') && message.len() < 300, "{message}");
}

#[test]
fn a_missing_key_id_is_an_error() {
    let mut sealed = ring("a", KEY).seal(&payload("json/plain", b"1")).unwrap();
    sealed.metadata.remove("encryption-key-id");

    let error = codec(CodecOptions::default())
        .decode_payload(sealed)
        .unwrap_err();

    assert_eq!(error, DecodeError::Open(OpenError::MissingKeyId));
}

#[test]
fn an_envelope_is_recognised_and_refused() {
    let mut sealed = ring("a", KEY).seal(&payload("json/plain", b"1")).unwrap();
    sealed
        .metadata
        .insert("encryption-dek".to_owned(), b"AAAA".to_vec());

    let error = codec(CodecOptions::default())
        .decode_payload(sealed)
        .unwrap_err();

    assert!(matches!(
        error,
        DecodeError::Open(OpenError::Envelope { .. })
    ));
}

#[test]
fn sealed_bytes_that_are_no_payload_are_an_error() {
    // One byte under our key, written by tests/vectors/generate.py.
    let data = include_bytes!("../vectors/not_a_payload.bin");
    let mut sealed = payload("binary/encrypted", data);
    sealed
        .metadata
        .insert("encryption-key-id".to_owned(), b"a".to_vec());

    let error = ring("a", KEY).open(&sealed).unwrap_err();

    assert!(
        matches!(error, OpenError::NotAPayload { len: 29, .. }),
        "{error}"
    );
}

#[test]
fn the_ring_opens_nothing_but_encrypted_payloads() {
    let error = ring("a", KEY)
        .open(&payload("json/plain", b"1"))
        .unwrap_err();

    assert!(matches!(error, OpenError::NotEncrypted { .. }));
}

#[test]
fn legacy_payloads_need_a_configured_key_that_is_in_the_ring() {
    let legacy = payload("encrypted/aesgcm", &[0; 40]);
    let with = |id: Option<&str>| CodecOptions {
        legacy_key_id: id.map(|id| id.parse().unwrap()),
        ..CodecOptions::default()
    };

    let unset = codec(with(None))
        .decode_payload(legacy.clone())
        .unwrap_err();
    let unknown = codec(with(Some("z")))
        .decode_payload(legacy.clone())
        .unwrap_err();
    let rejected = codec(with(Some("a"))).decode_payload(legacy).unwrap_err();

    assert_eq!(unset, DecodeError::LegacyKeyUnset);
    assert!(matches!(unknown, DecodeError::LegacyKeyUnknown { .. }));
    assert!(matches!(
        rejected,
        DecodeError::LegacyRejected { len: 40, .. }
    ));
    for error in [unset, unknown, rejected] {
        assert!(
            error.to_string().contains("SEALANE_LEGACY_KEY_ID"),
            "{error}"
        );
    }
}

#[test]
fn payloads_of_a_retired_key_open_as_long_as_it_is_in_the_ring() {
    let original = payload("json/plain", b"1");
    let sealed = ring("a", KEY).seal(&original).unwrap();
    let both = format!(r#"{{"active": "b", "keys": {{"a": "{KEY}", "b": "{OTHER_KEY}"}}}}"#);
    let rotated = SharedKeyRing::new(KeyRing::from_json(&both).unwrap());
    let codec = EncryptionCodec::new(rotated, CodecOptions::default());

    let resealed = codec.encode_payload(original.clone()).unwrap();

    assert_eq!(codec.decode_payload(sealed), Ok(original));
    assert_eq!(resealed.metadata["encryption-key-id"], b"b");
}
