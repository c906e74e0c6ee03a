//! Storing and fetching, with a container in memory.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use prost::Message;
use temporalio_common::{
    data_converters::{PayloadCodec, SerializationContextData},
    protos::temporal::api::common::v1::{Payload, payload::ExternalPayloadDetails},
};

use super::{
    BlobStore, FetchError, Got, LargePayloadOptions, LargePayloads, is_external_reference,
    is_stored,
};
use crate::{
    CodecOptions, DecodeError, DecodePolicy, EncryptionCodec, KEY_ID, Key, KeyRing, SharedKeyRing,
    azure::{AzureError, Cause, Operation, Role},
    is_encrypted,
};

mod altered;
mod outage;

/// A container in memory. Clones share it.
#[derive(Clone, Default)]
struct Memory {
    blobs: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    /// Failures to come, and what they are.
    failures: Arc<Mutex<Vec<Cause>>>,
    puts: Arc<AtomicUsize>,
    gets: Arc<AtomicUsize>,
    /// Whether what is stored is never taken.
    hangs: Arc<AtomicBool>,
}

impl Memory {
    fn fail(&self, causes: &[Cause]) {
        self.failures.lock().unwrap().extend(causes);
    }

    fn may_go_on(&self) -> Result<(), AzureError> {
        let operation = Operation::new("use a blob".to_owned(), Role::BlobContributor);
        match self.failures.lock().unwrap().pop() {
            Some(cause) => Err(AzureError::of(&operation, cause, "a test".to_owned())),
            None => Ok(()),
        }
    }

    /// The one blob there is.
    fn only(&self) -> (String, Vec<u8>) {
        let blobs = self.blobs.lock().unwrap();
        assert_eq!(blobs.len(), 1);
        let (name, bytes) = blobs.first_key_value().unwrap();
        (name.clone(), bytes.clone())
    }

    fn replace(&self, name: &str, bytes: Vec<u8>) {
        self.blobs.lock().unwrap().insert(name.to_owned(), bytes);
    }
}

#[async_trait]
impl BlobStore for Memory {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), AzureError> {
        self.puts.fetch_add(1, Ordering::Relaxed);
        self.may_go_on()?;
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let mut blobs = self.blobs.lock().unwrap();
        blobs.entry(name.to_owned()).or_insert_with(|| bytes.into());
        Ok(())
    }

    async fn get(&self, name: &str, limit: usize) -> Result<Got, AzureError> {
        self.gets.fetch_add(1, Ordering::Relaxed);
        self.may_go_on()?;
        Ok(match self.blobs.lock().unwrap().get(name) {
            None => Got::Missing,
            Some(bytes) if bytes.len() > limit => Got::Longer,
            Some(bytes) => Got::Bytes(bytes.clone()),
        })
    }
}

const THRESHOLD: usize = 1000;
const MAX: usize = 100_000;

fn options(namespace: &str) -> LargePayloadOptions {
    LargePayloadOptions {
        container: "https://unit.blob.core.windows.net/payloads"
            .parse()
            .unwrap(),
        namespace: namespace.to_owned(),
        stores: true,
        threshold: THRESHOLD,
        max: MAX,
    }
}

/// A process: a codec of its own over the same keys and the same container.
struct Scene {
    memory: Memory,
    ring: SharedKeyRing,
}

impl Scene {
    fn new() -> Self {
        let id: crate::KeyId = "k".parse().unwrap();
        let ring = KeyRing::new(id.clone(), [(id, Key::generate().unwrap())]).unwrap();
        Self {
            memory: Memory::default(),
            ring: SharedKeyRing::new(ring),
        }
    }

    fn codec(&self) -> EncryptionCodec {
        self.codec_with(options("orders"), CodecOptions::default())
    }

    fn codec_with(&self, large: LargePayloadOptions, options: CodecOptions) -> EncryptionCodec {
        let large = LargePayloads::with(Box::new(self.memory.clone()), large);
        EncryptionCodec::new(self.ring.clone(), options).with_large_payloads(large)
    }

    /// A stored payload's reference.
    async fn reference(&self) -> Payload {
        let reference = self.codec().encode_and_store(plain(5000)).await.unwrap();
        assert!(is_stored(&reference));
        reference
    }
}

fn plain(len: usize) -> Payload {
    Payload {
        metadata: [("encoding".to_owned(), b"json/plain".to_vec())].into(),
        data: vec![b'4'; len],
        ..Payload::default()
    }
}

fn stats(codec: &EncryptionCodec) -> super::Status {
    codec.large_payloads().unwrap().status()
}

async fn decode(codec: &EncryptionCodec, payload: Payload) -> Result<Payload, String> {
    let decoded = PayloadCodec::decode(codec, &SerializationContextData::None, vec![payload]);
    let decoded = decoded.await.map_err(|error| error.to_string());
    decoded.map(|mut payloads| payloads.remove(0))
}

#[tokio::test]
async fn small_payloads_stay_and_large_ones_come_back_as_they_were() {
    let scene = Scene::new();
    let (writer, reader) = (scene.codec(), scene.codec());
    let payloads = vec![plain(10), plain(5000), plain(20), plain(6000)];

    let context = SerializationContextData::None;
    let sent = writer.encode(&context, payloads.clone()).await.unwrap();

    let stored: Vec<_> = sent.iter().map(is_stored).collect();
    assert_eq!(stored, [false, true, false, true]);
    assert!(is_encrypted(&sent[0]) && is_encrypted(&sent[2]));
    assert!(sent.iter().all(|payload| payload.encoded_len() < 600));
    assert_eq!(reader.decode(&context, sent).await.unwrap(), payloads);
    assert_eq!((stats(&writer).stored, stats(&reader).fetched), (2, 2));
}

#[tokio::test]
async fn the_threshold_is_that_of_the_encrypted_payload() {
    let scene = Scene::new();
    let codec = scene.codec();
    let overhead = codec.encode_payload(plain(500)).unwrap().encoded_len() - 500;

    for (len, is_large) in [
        (THRESHOLD - overhead, false),
        (THRESHOLD - overhead + 1, true),
    ] {
        let sent = codec.encode_and_store(plain(len)).await.unwrap();
        assert_eq!(is_stored(&sent), is_large, "{len}");
    }
}

#[tokio::test]
async fn a_blob_holds_the_encrypted_payload_and_nothing_else() {
    let scene = Scene::new();
    let reference = scene.reference().await;
    let (name, bytes) = scene.memory.only();

    let sealed = Payload::decode(bytes.as_slice()).unwrap();

    assert!(is_encrypted(&sealed));
    assert!(!bytes.windows(8).any(|it| it == b"44444444"));
    let opened = scene.codec().decode_payload(sealed.clone()).unwrap();
    assert_eq!(opened, plain(5000));
    assert!(name.starts_with("v0/ns/orders/d/sha256/"), "{name}");
    assert_eq!(reference.metadata[KEY_ID], sealed.metadata[KEY_ID]);
}

#[tokio::test]
async fn the_reference_has_the_form_of_temporals_own() {
    let scene = Scene::new();
    let reference = scene.reference().await;
    let (name, bytes) = scene.memory.only();

    let data: serde_json::Value = serde_json::from_slice(&reference.data).unwrap();

    let hash = name.rsplit('/').next().unwrap();
    let expected = serde_json::json!({
        "driverName": "azure.blobdriver",
        "claimData": {
            "container": "https://unit.blob.core.windows.net/payloads",
            "key": name,
            "hash_algorithm": "sha256",
            "hash_value": hash,
        },
    });
    assert_eq!(data, expected);
    assert_eq!(reference.metadata["encoding"], b"json/protobuf");
    let kind = b"temporal.api.sdk.v1.ExternalStorageReference";
    assert_eq!(reference.metadata["messageType"], kind);
    let size_bytes = i64::try_from(bytes.len()).unwrap();
    let size = ExternalPayloadDetails { size_bytes };
    assert_eq!(reference.external_payloads, [size]);
}

#[tokio::test]
async fn storing_the_same_ciphertext_again_changes_nothing() {
    let scene = Scene::new();
    let codec = scene.codec();
    let sealed = codec.encode_payload(plain(5000)).unwrap();
    let large = codec.large_payloads().unwrap();

    let first = large.store(sealed.clone()).await.unwrap();
    let second = large.store(sealed).await.unwrap();

    assert_eq!(first, second);
    scene.memory.only();
}

#[tokio::test]
async fn what_was_transferred_a_moment_ago_is_not_fetched_again() {
    let scene = Scene::new();
    let (writer, reader) = (scene.codec(), scene.codec());
    let reference = writer.encode_and_store(plain(5000)).await.unwrap();

    for codec in [&writer, &reader, &reader] {
        assert_eq!(decode(codec, reference.clone()).await, Ok(plain(5000)));
    }

    assert_eq!(scene.memory.gets.load(Ordering::Relaxed), 1);
    assert_eq!((stats(&writer).recalled, stats(&reader).recalled), (1, 1));
}

#[tokio::test]
async fn a_process_that_only_reads_stores_nothing() {
    let scene = Scene::new();
    let reading = LargePayloadOptions {
        stores: false,
        ..options("orders")
    };
    let codec = scene.codec_with(reading, CodecOptions::default());

    let sent = codec.encode_and_store(plain(5000)).await.unwrap();

    assert!(is_encrypted(&sent));
    let reference = scene.reference().await;
    assert_eq!(decode(&codec, reference).await, Ok(plain(5000)));
}

#[tokio::test]
async fn a_strict_process_reads_references() {
    let scene = Scene::new();
    let strict = CodecOptions {
        decode: DecodePolicy::Strict,
        ..CodecOptions::default()
    };
    let reference = scene.reference().await;

    let codec = scene.codec_with(options("orders"), strict);

    assert_eq!(decode(&codec, reference.clone()).await, Ok(plain(5000)));
    let mut foreign = reference;
    let data = String::from_utf8(foreign.data).unwrap();
    foreign.data = data.replace("azure.blobdriver", "aws.s3driver").into();
    assert!(is_external_reference(&foreign) && !is_stored(&foreign));
    assert!(decode(&codec, foreign).await.is_err());
}

#[tokio::test]
async fn without_a_container_a_reference_says_what_is_missing() {
    let scene = Scene::new();
    let reference = scene.reference().await;
    let codec = EncryptionCodec::new(scene.ring.clone(), CodecOptions::default());

    let error = codec.decode_payload(reference).unwrap_err();

    assert_eq!(error, DecodeError::Fetch(FetchError::Unconfigured));
    let text = error.to_string();
    assert!(text.contains("SEALANE_BLOB_CONTAINER_URL"), "{text}");
}

#[tokio::test]
async fn a_payload_that_is_too_large_to_be_stored_is_left_to_temporals_limit() {
    let scene = Scene::new();

    let sent = scene.codec().encode_and_store(plain(MAX)).await.unwrap();

    assert!(is_encrypted(&sent));
    assert_eq!(scene.memory.puts.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_but_not_for_long() {
    let scene = Scene::new();
    let busy = [Cause::Throttled, Cause::Unavailable { status: 503 }];
    scene.memory.fail(&busy);
    let reference = scene.reference().await;
    assert_eq!(scene.memory.puts.load(Ordering::Relaxed), 3);

    let codec = scene.codec();
    scene.memory.fail(&[Cause::Unreachable; 9]);
    let began = tokio::time::Instant::now();
    let error = decode(&codec, reference).await.unwrap_err();

    assert!(error.contains("no connection"), "{error}");
    assert_eq!(scene.memory.gets.load(Ordering::Relaxed), 3);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(stats(&codec).not_fetched, 1);
}

#[tokio::test]
async fn a_missing_role_is_one_line_with_the_role() {
    let scene = Scene::new();
    scene.memory.fail(&[Cause::Forbidden]);

    let refused = scene.codec().encode_and_store(plain(5000)).await;

    let text = refused.unwrap_err().to_string();
    assert!(text.contains("Storage Blob Data Contributor"), "{text}");
    assert_eq!(scene.memory.puts.load(Ordering::Relaxed), 1, "not repeated");
}

#[tokio::test]
async fn another_namespace_can_be_read_only_by_whom_it_is_named_to() {
    let scene = Scene::new();
    let reference = scene.reference().await;
    let stranger = scene.codec_with(options("payments"), CodecOptions::default());

    let error = decode(&stranger, reference.clone()).await.unwrap_err();

    assert!(error.contains("another Temporal namespace"), "{error}");
    assert_eq!(scene.memory.gets.load(Ordering::Relaxed), 0);
    let large = stranger.large_payloads().unwrap();
    let served = ["orders".to_owned()];
    assert!(large.fetch_of(&served, MAX, &reference).await.is_ok());
    // What is in memory is not for everybody, either.
    assert!(large.fetch(&reference).await.is_err());
}
