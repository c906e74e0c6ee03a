//! Altered payloads must not open, whatever was altered.

use sealane_codec::{CodecOptions, DecodeError, KeyRing, OpenError};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::{KEY, OTHER_KEY, codec, payload, ring};

fn sealed() -> Payload {
    ring("a", KEY)
        .seal(&payload("json/plain", b"\"secret\""))
        .unwrap()
}

fn open(payload: Payload) -> OpenError {
    match codec(CodecOptions::default()).decode_payload(payload) {
        Err(DecodeError::Open(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn any_flipped_bit_in_nonce_body_or_tag_is_noticed() {
    let original = sealed();
    for bit in 0..original.data.len() * 8 {
        let mut flipped = original.clone();
        flipped.data[bit / 8] ^= 1 << (bit % 8);
        assert!(
            matches!(open(flipped), OpenError::Rejected { .. }),
            "bit {bit}"
        );
    }
}

#[test]
fn truncation_to_any_length_is_noticed() {
    let original = sealed();
    for len in 0..original.data.len() {
        let mut cut = original.clone();
        cut.data.truncate(len);
        match open(cut) {
            OpenError::TooShort { len: found } => assert_eq!((found, len < 28), (len, true)),
            OpenError::Rejected { .. } => assert!(len >= 28),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn appended_bytes_are_noticed() {
    let mut longer = sealed();
    longer.data.push(0);

    assert!(matches!(open(longer), OpenError::Rejected { .. }));
}

#[test]
fn empty_data_is_too_short() {
    let empty = Payload {
        data: Vec::new(),
        ..sealed()
    };

    assert_eq!(open(empty), OpenError::TooShort { len: 0 });
}

#[test]
fn another_key_of_the_same_name_does_not_open() {
    let error = ring("a", OTHER_KEY).open(&sealed()).unwrap_err();

    assert!(matches!(error, OpenError::Rejected { .. }));
}

#[test]
fn two_payloads_never_share_a_nonce() {
    let ring: KeyRing = ring("a", KEY);
    let original = payload("json/plain", b"1");

    let (one, other) = (ring.seal(&original).unwrap(), ring.seal(&original).unwrap());

    assert_ne!(one.data[..12], other.data[..12]);
    assert_ne!(one.data[12..], other.data[12..]);
}
