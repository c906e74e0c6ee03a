//! One ring for all, replaced while in use.

use std::sync::Arc;

use futures_util::FutureExt;
use sealane_codec::{CodecOptions, EncryptionCodec, SharedKeyRing};

use crate::{KEY, OTHER_KEY, payload, ring};

#[test]
fn a_codec_uses_a_new_ring_at_once() {
    let shared = SharedKeyRing::new(ring("a", KEY));
    let codec = EncryptionCodec::new(shared.clone(), CodecOptions::default());

    shared.replace(ring("b", OTHER_KEY));

    let encoded = codec.encode_payload(payload("json/plain", b"1")).unwrap();
    assert_eq!(encoded.metadata["encryption-key-id"], b"b");
}

#[test]
fn a_batch_keeps_the_ring_it_started_with() {
    let shared = SharedKeyRing::new(ring("a", KEY));
    let batch = shared.current();

    shared.replace(ring("b", OTHER_KEY));

    assert_eq!(batch.active().as_str(), "a");
    assert_eq!(
        Arc::strong_count(&batch),
        1,
        "nothing else keeps old keys in memory"
    );
}

#[tokio::test]
async fn a_replacement_before_waiting_is_not_missed() {
    let shared = SharedKeyRing::new(ring("a", KEY));
    let mut waiting = shared.clone();
    assert!(waiting.changed().now_or_never().is_none());

    shared.replace(ring("b", OTHER_KEY));

    waiting.changed().await;
    assert_eq!(waiting.current().active().as_str(), "b");
    assert!(waiting.changed().now_or_never().is_none());
}
