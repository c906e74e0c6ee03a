//! What holds for all payloads.

use std::collections::HashMap;

use futures_util::FutureExt;
use proptest::{collection::vec, prelude::*};
use sealane_codec::{CodecOptions, Compression, DecodePolicy, EncryptionCodec, KeyRing};
use temporalio_common::{
    data_converters::{PayloadCodec, PayloadConversionError, SerializationContextData},
    protos::temporal::api::common::v1::{Payload, payload::ExternalPayloadDetails},
};

use crate::codec;

type Converted = Result<Vec<Payload>, PayloadConversionError>;

fn metadata() -> impl Strategy<Value = HashMap<String, Vec<u8>>> {
    let name = prop_oneof![
        Just("encoding".to_owned()),
        Just("encryption-key-id".to_owned()),
        Just("encryption-dek".to_owned()),
        ".{0,8}",
    ];
    let value = prop_oneof![
        Just(b"binary/encrypted".to_vec()),
        Just(b"binary/zlib".to_vec()),
        Just(b"encrypted/aesgcm".to_vec()),
        Just(b"json/plain".to_vec()),
        Just(b"a".to_vec()),
        vec(any::<u8>(), 0..24),
    ];
    proptest::collection::hash_map(name, value, 0..4)
}

fn payload() -> impl Strategy<Value = Payload> {
    let data = prop_oneof![
        vec(any::<u8>(), 0..100),
        (any::<u8>(), 0..2000_usize).prop_map(|(byte, len)| vec![byte; len]),
    ];
    let external = vec(any::<i64>(), 0..2);
    (metadata(), data, external).prop_map(|(metadata, data, sizes)| Payload {
        metadata,
        data,
        external_payloads: sizes
            .into_iter()
            .map(|size_bytes| ExternalPayloadDetails { size_bytes })
            .collect(),
    })
}

fn options() -> impl Strategy<Value = CodecOptions> {
    let compression = prop_oneof![Just(Compression::Off), Just(Compression::Zlib)];
    let decode = prop_oneof![Just(DecodePolicy::Permissive), Just(DecodePolicy::Strict)];
    (compression, decode, any::<bool>()).prop_map(|(compression, decode, legacy)| CodecOptions {
        compression,
        decode,
        legacy_key_id: legacy.then(|| "a".parse().unwrap()),
        ..CodecOptions::default()
    })
}

fn encode(codec: &EncryptionCodec, payloads: Vec<Payload>) -> Converted {
    let encoding = codec.encode(&SerializationContextData::None, payloads);
    encoding.now_or_never().expect("encoding waits for nothing")
}

fn decode(codec: &EncryptionCodec, payloads: Vec<Payload>) -> Converted {
    let decoding = codec.decode(&SerializationContextData::None, payloads);
    decoding.now_or_never().expect("decoding waits for nothing")
}

proptest! {
    #[test]
    fn payloads_come_back_as_they_were_and_in_order(
        payloads in vec(payload(), 0..5),
        options in options(),
    ) {
        let codec = codec(options);

        let encoded = encode(&codec, payloads.clone()).unwrap();
        prop_assert_eq!(encoded.len(), payloads.len());
        prop_assert!(encoded.iter().all(sealane_codec::is_encrypted));
        prop_assert_eq!(decode(&codec, encoded).unwrap(), payloads);
    }

    #[test]
    fn decoding_anything_gives_as_many_payloads_or_an_error(
        payloads in vec(payload(), 0..5),
        options in options(),
    ) {
        let len = payloads.len();
        if let Ok(decoded) = decode(&codec(options), payloads) {
            prop_assert_eq!(decoded.len(), len);
        }
    }

    #[test]
    fn any_text_is_a_key_ring_or_an_error(text in ".{0,200}") {
        let _ = KeyRing::from_json(&text);
    }
}
