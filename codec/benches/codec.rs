//! What sealing and opening one payload costs, by size, beside the cipher alone and by the number of keys.
//!
//! `cargo bench -p sealane-codec --bench codec`. The raw measurements encrypt and decrypt a buffer that
//! is there already, with a nonce that is there already: by the crate `aes-gcm`, which is what one would take
//! who writes a codec in Rust, and by aws-lc, which the codec takes: less than that it cannot do. What it adds
//! is the protobuf of the payload, a buffer, a random nonce, two metadata entries.

#![expect(
    clippy::unwrap_used,
    reason = "nothing here can fail unless the codec is broken, and then it should"
)]

use std::{collections::HashMap, hint::black_box};

use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit, Nonce};
use aws_lc_rs::aead::{self, AES_256_GCM, Aad, LessSafeKey, UnboundKey};
use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
    measurement::Measurement,
};
use sealane_codec::{CodecOptions, EncryptionCodec, Key, KeyId, KeyRing, SharedKeyRing};
use temporalio_common::protos::temporal::api::common::v1::Payload;

/// Bytes of the payload's data.
const SIZES: [(&str, usize); 4] = [
    ("64B", 64),
    ("1KiB", 1024),
    ("16KiB", 16 * 1024),
    ("1MiB", 1024 * 1024),
];

const NONCE: [u8; 12] = [1; 12];

/// Payloads that are there at once: a few, which come and go, as in a worker. Criterion's own batches have thousands, too many for
/// any cache.
const BATCH: BatchSize = BatchSize::NumIterations(16);

/// A codec whose ring holds `keys` keys of 256 bits; the last one is active.
fn codec(keys: u32) -> EncryptionCodec {
    let id = |number: u32| -> KeyId { format!("payload-key/{number:04}").parse().unwrap() };
    let key = |number: u32| {
        let mut bytes = [7; 32];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        Key::from_bytes(&bytes).unwrap()
    };
    let all = (0..keys).map(|number| (id(number), key(number)));
    let ring = KeyRing::new(id(keys - 1), all).unwrap();
    EncryptionCodec::new(SharedKeyRing::new(ring), CodecOptions::default())
}

fn payload(size: usize) -> Payload {
    Payload {
        metadata: HashMap::from([("encoding".to_owned(), b"json/plain".to_vec())]),
        data: vec![b'x'; size],
        ..Payload::default()
    }
}

fn by_size(criterion: &mut Criterion) {
    let codec = codec(1);
    for (name, size) in SIZES {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(size as u64));
        // Clones and drops of what goes in and comes out are not measured: the SDK owns both.
        let plain = payload(size);
        group.bench_function("encode", |bencher| {
            bencher.iter_batched(|| plain.clone(), |it| codec.encode_payload(it), BATCH);
        });
        let sealed = codec.encode_payload(plain).unwrap();
        group.bench_function("decode", |bencher| {
            bencher.iter_batched(|| sealed.clone(), |it| codec.decode_payload(it), BATCH);
        });
        aes_gcm(&mut group, size);
        aws_lc(&mut group, size);
    }
}

fn aes_gcm<M: Measurement>(group: &mut BenchmarkGroup<'_, M>, size: usize) {
    let cipher = Aes256Gcm::new_from_slice(&[7; 32]).unwrap();
    let nonce = Nonce::from(NONCE);
    let mut buffer = vec![b'x'; size];
    group.bench_function("aes-gcm encrypt", |bencher| {
        bencher
            .iter(|| cipher.encrypt_inout_detached(&nonce, b"", black_box(&mut buffer[..]).into()));
    });
    let mut sealed = vec![b'x'; size];
    let tag = cipher
        .encrypt_inout_detached(&nonce, b"", sealed.as_mut_slice().into())
        .unwrap();
    group.bench_function("aes-gcm decrypt", |bencher| {
        bencher.iter_batched_ref(
            || sealed.clone(),
            |it| cipher.decrypt_inout_detached(&nonce, b"", it.as_mut_slice().into(), &tag),
            BATCH,
        );
    });
}

fn aws_lc<M: Measurement>(group: &mut BenchmarkGroup<'_, M>, size: usize) {
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap());
    let nonce = || aead::Nonce::assume_unique_for_key(NONCE);
    let seal = |buffer: &mut [u8]| cipher.seal_in_place_separate_tag(nonce(), Aad::empty(), buffer);
    let mut buffer = vec![b'x'; size];
    group.bench_function("aws-lc encrypt", |bencher| {
        bencher.iter(|| seal(black_box(&mut buffer)));
    });
    let mut sealed = vec![b'x'; size];
    let tag = seal(&mut sealed).unwrap();
    sealed.extend_from_slice(tag.as_ref());
    group.bench_function("aws-lc decrypt", |bencher| {
        bencher.iter_batched_ref(
            || sealed.clone(),
            |it| {
                cipher
                    .open_in_place(nonce(), Aad::empty(), it)
                    .map(|text| text.len())
            },
            BATCH,
        );
    });
}

fn by_keys(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keys");
    for keys in [1, 10, 100, 1000] {
        let codec = codec(keys);
        let plain = payload(1024);
        let sealed = codec.encode_payload(plain.clone()).unwrap();
        group.bench_function(BenchmarkId::new("encode 1KiB", keys), |bencher| {
            bencher.iter_batched(|| plain.clone(), |it| codec.encode_payload(it), BATCH);
        });
        group.bench_function(BenchmarkId::new("decode 1KiB", keys), |bencher| {
            bencher.iter_batched(|| sealed.clone(), |it| codec.decode_payload(it), BATCH);
        });
    }
}

criterion_group!(benches, by_size, by_keys);
criterion_main!(benches);
