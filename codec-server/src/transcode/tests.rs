mod bounds;
mod properties;
mod unreadable;

use std::{collections::HashMap, sync::Arc};

use axum::{body::Bytes, response::IntoResponse};
use prometheus::{Registry, TextEncoder};
use sealane_codec::{
    CodecOptions, EncryptionCodec, Exhausted, Key, KeyRing, SealLimit, SharedKeyRing,
};
use sealane_service::http::{Admission, Problem};
use serde_json::{Value, json};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::{Job, MAX_INLINE, Operation, Refusal, Transcoder};
use crate::{
    metrics::Counters,
    protojson::{Answer, each_payload},
};

const MIB: usize = 1 << 20;

struct Bench {
    transcoder: Arc<Transcoder>,
    ring: SharedKeyRing,
    registry: Registry,
}

fn ring(fill: u8) -> KeyRing {
    let keys = [("a".parse().unwrap(), Key::from_bytes(&[fill; 32]).unwrap())];
    KeyRing::new("a".parse().unwrap(), keys).unwrap()
}

impl Bench {
    fn new(fill: u8, options: CodecOptions) -> Self {
        let registry = Registry::new();
        let ring = SharedKeyRing::new(ring(fill));
        let codec = EncryptionCodec::new(ring.clone(), options);
        let counters = Counters::register(&registry).unwrap();
        let transcoder = Arc::new(Transcoder::new(codec, counters, MIB, MIB));
        Self {
            transcoder,
            ring,
            registry,
        }
    }

    async fn ask(&self, operation: Operation, body: impl Into<Bytes>) -> Result<Bytes, Refusal> {
        let admission = Admission::default();
        self.transcoder
            .answer(job(operation, body), admission)
            .await
    }

    async fn encode(&self, payloads: &[Payload]) -> Result<Vec<Payload>, Refusal> {
        let json = self.ask(Operation::Encode, written(payloads)).await?;
        Ok(read(&json))
    }

    async fn decode(&self, payloads: &[Payload]) -> Result<Vec<Payload>, Refusal> {
        let json = self.ask(Operation::Decode, written(payloads)).await?;
        Ok(read(&json))
    }

    fn shows(&self, line: &str) -> bool {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather());
        text.unwrap().lines().any(|shown| shown == line)
    }
}

/// A request with this body, whose references stay what they are.
fn job(operation: Operation, body: impl Into<Bytes>) -> Job {
    Job {
        operation,
        fetched_of: None,
        body: body.into(),
    }
}

fn bench() -> Bench {
    Bench::new(7, CodecOptions::default())
}

fn written(payloads: &[Payload]) -> Vec<u8> {
    let mut answer = Answer::new(0, usize::MAX);
    for payload in payloads {
        answer.push(payload).unwrap();
    }
    answer.finish()
}

fn read(json: &[u8]) -> Vec<Payload> {
    let mut payloads = Vec::new();
    each_payload(json, usize::MAX, &mut |payload| {
        payloads.push(payload);
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    payloads
}

fn plain(data: &str) -> Payload {
    Payload {
        metadata: HashMap::from([("encoding".to_owned(), b"json/plain".to_vec())]),
        data: data.into(),
        ..Payload::default()
    }
}

fn text(refusal: Refusal) -> Value {
    Problem::from(refusal).to_json()
}

#[tokio::test]
async fn what_was_encoded_decodes_in_its_order_and_is_counted() {
    let bench = bench();
    let payloads = [plain("1"), plain("22"), Payload::default()];

    let encoded = bench.encode(&payloads).await.unwrap();

    assert!(encoded.iter().all(sealane_codec::is_encrypted));
    assert_eq!(bench.decode(&encoded).await.unwrap(), payloads);
    for (operation, outcome, count) in [
        ("encode", "done", 3),
        ("decode", "done", 3),
        ("decode", "plain", 0),
    ] {
        let labels = format!(r#"operation="{operation}",outcome="{outcome}""#);
        let line = format!("sealane_codec_server_payloads_total{{{labels}}} {count}");
        assert!(bench.shows(&line), "{line}");
    }
}

#[tokio::test]
async fn plain_payloads_come_back_as_they_went() {
    let bench = bench();
    let sealed = bench.encode(&[plain("1")]).await.unwrap().remove(0);

    let decoded = bench.decode(&[plain("x"), sealed, plain("y")]).await;

    assert_eq!(decoded.unwrap(), [plain("x"), plain("1"), plain("y")]);
    assert!(
        bench.shows(r#"sealane_codec_server_payloads_total{operation="decode",outcome="plain"} 2"#)
    );
}
#[tokio::test]
async fn bodies_that_are_too_large_for_the_thread_get_the_same_answers() {
    let bench = bench();
    let payloads = vec![plain(&"x".repeat(1024)); 400];
    assert!(written(&payloads).len() > MAX_INLINE);

    let encoded = bench.encode(&payloads).await.unwrap();

    assert_eq!(bench.decode(&encoded).await.unwrap(), payloads);
    let garbage = vec![b'{'; MAX_INLINE + 1];
    assert!(bench.ask(Operation::Decode, garbage).await.is_err());
}

#[tokio::test]
async fn answers_do_not_grow_without_limit() {
    let bench = bench();
    let smallest = format!(r#"{{"payloads":[{}{{}}]}}"#, "{},".repeat(MIB / 4));

    let refused = bench.ask(Operation::Encode, smallest).await.unwrap_err();

    assert_eq!(refused, Refusal::AnswerTooLarge { limit: 2 * MIB });
}

#[tokio::test]
async fn a_key_that_is_used_up_encodes_nothing_more() {
    let limit = SealLimit {
        seals: 2,
        exhausted: Exhausted::Refuse,
    };
    let bench = Bench::new(
        7,
        CodecOptions {
            seal_limit: limit,
            ..CodecOptions::default()
        },
    );

    let refused = bench
        .encode(&[plain("1"), plain("2"), plain("3")])
        .await
        .unwrap_err();

    assert_eq!(refused, Refusal::NoKey);
    let response = Problem::from(refused).into_response();
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()["retry-after"]
        ),
        (503, &"60".parse().unwrap())
    );
    assert!(
        bench
            .shows(r#"sealane_codec_server_payloads_total{operation="encode",outcome="failed"} 1"#)
    );
}

#[tokio::test]
async fn a_body_that_is_no_list_of_payloads_is_refused() {
    let bench = bench();

    for operation in [Operation::Encode, Operation::Decode] {
        let problem = text(bench.ask(operation, "[]").await.unwrap_err());
        assert_eq!(problem["type"], "urn:sealane:problem:bad-request");
        let large = format!(
            r#"{{"payloads":[{{}},{{"data":"{}"}}]}}"#,
            "A".repeat(2 * MIB)
        );
        let problem = text(bench.ask(operation, large).await.unwrap_err());
        assert_eq!(
            (&problem["status"], &problem["index"]),
            (&json!(413), &json!(1))
        );
    }
}
