//! Payloads as they come from the server: of every format, sound, damaged, or made to do harm.

use std::{collections::HashMap, sync::LazyLock};

use prost::Message;
use sealane_codec::{
    CodecOptions, Compression, DecodeError, DecodePolicy, EncryptionCodec, InflateRoom, KEY_ID,
    WRAPPED_KEY, is_encrypted, is_legacy,
};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::{
    CANARY, Outcome, Target,
    bytes::{assert_one_line, assert_silent, choice},
    key_vault::{WRAPPED, WRAPPING, envelope},
    ring::{DATA_KEY, KEYS, ring},
};

pub(crate) const TARGET: Target = Target {
    name: "codec_decode",
    run,
    words: &[
        "encoding",
        "encryption-key-id",
        "encryption-dek",
        "binary/encrypted",
        "binary/zlib",
        "encrypted/aesgcm",
        "binary/null",
        "json/plain",
        "aes-128",
        "aes-192",
        "aes-256",
        "azurekeyvault://unit.vault.azure.net/keys/wrapping/0123456789abcdef0123456789abcdef",
        "x\u{9c}",
    ],
};

/// Room for what strangers send, as the codec server gives it: little, so that inputs can exceed it.
const ROOM: usize = 8192;

/// Longest message about a payload that names no key of a thousand letters.
const LONGEST_MESSAGE: usize = 2000;

/// Codecs of all combinations of options, and both with an envelope and without.
static CODECS: LazyLock<Vec<EncryptionCodec>> = LazyLock::new(|| (0..16).map(codec).collect());

fn codec(choices: u8) -> EncryptionCodec {
    let has = |bit: u8| choices & bit != 0;
    let options = CodecOptions {
        compression: if has(1) {
            Compression::Zlib
        } else {
            Compression::Off
        },
        decode: if has(2) {
            DecodePolicy::Strict
        } else {
            DecodePolicy::Permissive
        },
        legacy_key_id: has(4).then(|| KEYS[1].id.parse().expect("an id")),
        ..CodecOptions::default()
    };
    match has(8) {
        true => EncryptionCodec::with_envelope(envelope(), Some(ring()), options),
        false => EncryptionCodec::new(ring(), options),
    }
}

/// The first byte chooses a codec (four bits) and what the rest is (three).
fn run(input: &[u8]) -> Outcome {
    let (choices, rest) = choice(input);
    let codec = &CODECS[usize::from(choices & 15)];
    match choices >> 4 & 7 {
        0 | 1 => from_the_wire(codec, rest),
        2..=4 => from_a_peer(codec, usize::from(choices >> 4 & 7) - 2, rest),
        5 => old_or_enveloped(codec, rest),
        _ => there_and_back(codec, rest),
    }
}

/// Anything that can come over the wire.
fn from_the_wire(codec: &EncryptionCodec, message: &[u8]) -> Outcome {
    match Payload::decode(message) {
        Ok(payload) => decode(codec, &payload),
        Err(_) => Outcome::Refused,
    }
}

/// Anything that a peer with one of our keys can have encrypted, be it a payload or not.
fn from_a_peer(codec: &EncryptionCodec, key: usize, plain: &[u8]) -> Outcome {
    let (key, plain) = (KEYS[key], marked(plain));
    let sealed = payload(
        &[("encoding", "binary/encrypted"), (KEY_ID, key.id)],
        key.seal(&plain),
    );
    never_decodes_once_altered(codec, &sealed, plain.len());
    decode_silently(codec, &sealed)
}

/// The format of the Python starter, or a payload that brings its own data key.
fn old_or_enveloped(codec: &EncryptionCodec, plain: &[u8]) -> Outcome {
    let plain = marked(plain);
    let legacy = payload(&[("encoding", "encrypted/aesgcm")], KEYS[1].seal(&plain));
    if let Ok(opened) = codec.decode_payload(legacy.clone()) {
        assert_eq!(opened.data, plain);
    }
    decode_silently(codec, &legacy);
    let entries = [
        ("encoding", "binary/encrypted"),
        (KEY_ID, WRAPPING),
        (WRAPPED_KEY, WRAPPED),
    ];
    let enveloped = payload(&entries, DATA_KEY.seal(&plain));
    never_decodes_once_altered(codec, &enveloped, plain.len());
    decode_silently(codec, &enveloped)
}

/// What we encrypt comes back as it was, whatever it says of itself.
fn there_and_back(codec: &EncryptionCodec, message: &[u8]) -> Outcome {
    let Ok(original) = Payload::decode(message) else {
        return Outcome::Refused;
    };
    let sealed = codec
        .encode_payload(original.clone())
        .expect("a small payload");
    assert!(is_encrypted(&sealed));
    never_decodes_once_altered(codec, &sealed, message.len());
    assert_eq!(codec.decode_payload(sealed).as_ref(), Ok(&original));
    Outcome::Accepted
}

/// `plain` with the [`CANARY`] in a field that a payload does not have, so that it is one with it if it was one without.
fn marked(plain: &[u8]) -> Vec<u8> {
    let len = u8::try_from(CANARY.len()).expect("a short word");
    // Field 15, length-delimited.
    [plain, &[0x7a, len], CANARY.as_bytes()].concat()
}

fn payload(entries: &[(&str, &str)], data: Vec<u8>) -> Payload {
    let entries = entries
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    Payload {
        metadata: entries.collect::<HashMap<_, _>>(),
        data,
        ..Payload::default()
    }
}

fn decode_silently(codec: &EncryptionCodec, payload: &Payload) -> Outcome {
    if let Err(error) = codec.decode_payload(payload.clone()) {
        assert_silent(&format!("{error} {error:?}"));
    }
    decode(codec, payload)
}

/// Decodes with little room, which must be kept to.
fn decode(codec: &EncryptionCodec, payload: &Payload) -> Outcome {
    let mut room = InflateRoom::of(ROOM, ROOM);
    match codec.decode_payload_within(&mut room, payload.clone()) {
        Ok(decoded) => {
            sound(codec, payload, &decoded);
            Outcome::Accepted
        }
        Err(error) => {
            told(&error);
            Outcome::Refused
        }
    }
}

fn sound(codec: &EncryptionCodec, payload: &Payload, decoded: &Payload) {
    let (before, after) = (payload.encoded_len(), decoded.encoded_len());
    assert!(after <= before.max(ROOM) + 64, "{before} became {after}");
    if is_encrypted(payload) || is_legacy(payload) {
        return;
    }
    assert_eq!(
        codec.options().decode,
        DecodePolicy::Permissive,
        "{payload:?}"
    );
    let is_packed = payload
        .metadata
        .get("encoding")
        .is_some_and(|it| it == b"binary/zlib");
    assert!(
        is_packed || payload == decoded,
        "{payload:?} became {decoded:?}"
    );
}

fn told(error: &DecodeError) {
    let message = error.to_string();
    assert_one_line(&message, LONGEST_MESSAGE);
    for key in KEYS {
        assert!(
            !message.contains(&format!("{:?}", key.bytes())),
            "{message}"
        );
    }
}

/// One flipped bit, one byte less, or the name of another key: all of them are noticed.
fn never_decodes_once_altered(codec: &EncryptionCodec, sealed: &Payload, at: usize) {
    let altered = |alter: &dyn Fn(&mut Payload)| {
        let mut altered = sealed.clone();
        alter(&mut altered);
        let decoded = codec.decode_payload(altered);
        assert!(decoded.is_err(), "altered and still {decoded:?}");
    };
    let at = at % sealed.data.len();
    altered(&|payload| payload.data[at] ^= 1 << (at % 8));
    altered(&|payload| payload.data.truncate(at));
    altered(&|payload| {
        let other = KEYS
            .iter()
            .find(|key| payload.metadata[KEY_ID] != key.id.as_bytes());
        let other = other.expect("three keys").id.into();
        payload.metadata.insert(KEY_ID.to_owned(), other);
    });
}
