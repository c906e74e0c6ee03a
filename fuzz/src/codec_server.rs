//! What the Web UI, the CLI and anybody else may send to the codec server.

mod reference;

use std::sync::LazyLock;

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::Request,
};
use sealane_codec::{CodecOptions, EncryptionCodec};
use sealane_codec_server::router;
use sealane_service::{auth::Authenticator, probes::Metrics, settings::Settings};
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use self::reference::{One, payloads};
use crate::{
    CANARY, Outcome, Target,
    bytes::{assert_silent, choice, contains},
    ring::{KEYS, ring},
};

pub(crate) const TARGET: Target = Target {
    name: "codec_server_json",
    run,
    words: &[
        "{\"payloads\":[",
        "{\"metadata\":{\"encoding\":\"YmluYXJ5L2VuY3J5cHRlZA==\",\"encryption-key-id\":\"YWVzLTI1Ng==\"},\"data\":\"",
        "\"encoding\":\"YmluYXJ5L3psaWI=\"",
        "\"encoding\":\"ZW5jcnlwdGVkL2Flc2djbQ==\"",
        "\"encoding\":\"anNvbi9wbGFpbg==\"",
        "\"externalPayloads\":[{\"sizeBytes\":\"9223372036854775807\"}]",
        "\"external_payloads\":null",
        "\"data\":\"UzNjcmV0Q2FuYXJ5MDgxNQ==\"",
        "\"data\":\"_-8\"",
        "\\u0064ata",
        "\"x\":[[[[[[[[",
        "null",
    ],
};

/// Largest body.
const MAX_BODY: usize = 64 * 1024;

/// Most memory for an answer, as a multiple of [`MAX_BODY`].
const MAX_GROWTH: usize = 2;

/// Longest refusal: a problem that quotes an id or two.
const LONGEST_REFUSAL: usize = 2000;

static SERVER: LazyLock<(Runtime, Router)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().expect("a runtime");
    let router = runtime.block_on(open());
    (runtime, router)
});

async fn open() -> Router {
    let settings = Settings::load(None, |name| {
        let value = match name {
            "SEALANE_ENCRYPTION" => "off",
            "SEALANE_CODEC_MAX_BODY" => "65536",
            "SEALANE_CODEC_MAX_PAYLOAD" => "16384",
            _ => return None,
        };
        Some(value.into())
    });
    let settings = settings.expect("settings");
    let metrics = Metrics::new();
    let here = ([127, 0, 0, 1], 0).into();
    let authenticator = Authenticator::start(&settings.auth, here, &metrics).await;
    let options = CodecOptions {
        legacy_key_id: Some(KEYS[1].id.parse().expect("an id")),
        ..CodecOptions::default()
    };
    let codec = EncryptionCodec::new(ring(), options);
    let authenticator = authenticator.expect("nobody has to prove anything");
    router(&settings, authenticator, codec.into(), &metrics).expect("a router")
}

/// The first byte chooses the operation, the rest is the body.
fn run(input: &[u8]) -> Outcome {
    let (choices, body) = choice(input);
    let asked = payloads(body);
    match choices & 1 {
        0 => decode(body, asked.as_deref()),
        _ => encode(body, asked.as_deref()),
    }
}

/// As many payloads as were asked about, of which those that were not encrypted are as they came.
fn decode(body: &[u8], asked: Option<&[One]>) -> Outcome {
    let Some(answer) = ask("decode", body) else {
        return Outcome::Refused;
    };
    let asked = asked.expect("who accepts a body that a plain reading refuses?");
    let answered = payloads(&answer).expect("payloads");
    assert_eq!(answered.len(), asked.len());
    for (before, after) in asked.iter().zip(&answered) {
        assert!(
            before.is_coded() || before == after,
            "{before:?} became {after:?}"
        );
    }
    Outcome::Accepted
}

/// As many payloads as were asked about, all encrypted, and decoding gives them back.
fn encode(body: &[u8], asked: Option<&[One]>) -> Outcome {
    let Some(answer) = ask("encode", body) else {
        return Outcome::Refused;
    };
    let asked = asked.expect("who accepts a body that a plain reading refuses?");
    let answered = payloads(&answer).expect("payloads");
    assert_eq!(answered.len(), asked.len());
    for one in &answered {
        assert_eq!(one.encoding(), b"binary/encrypted");
    }
    // Encryption may have made it larger than a body may be.
    if answer.len() <= MAX_BODY {
        match ask("decode", &answer) {
            Some(decoded) => assert_eq!(payloads(&decoded).as_deref(), Some(asked)),
            None => assert!(asked.iter().any(One::is_large), "it does not come back"),
        }
    }
    Outcome::Accepted
}

/// The answer, if the request is not refused; a refusal is a short problem that shows no data.
fn ask(operation: &str, body: &[u8]) -> Option<Vec<u8>> {
    let request = Request::post(format!("/default/{operation}"))
        .header("content-type", "application/json")
        .body(Body::from(Bytes::copy_from_slice(body)))
        .expect("a request");
    let (runtime, router) = &*SERVER;
    let (status, answer) = runtime.block_on(async {
        let answer = router.clone().oneshot(request).await.expect("an answer");
        let status = answer.status().as_u16();
        (status, to_bytes(answer.into_body(), usize::MAX).await)
    });
    let answer = answer.expect("a body");
    if status == 200 {
        assert!(
            answer.len() <= MAX_GROWTH * MAX_BODY,
            "{} bytes",
            answer.len()
        );
        return Some(answer.into());
    }
    refused(status, body, &answer);
    None
}

fn refused(status: u16, body: &[u8], answer: &[u8]) {
    let text = str::from_utf8(answer).expect("text");
    let problem: Value = serde_json::from_str(text).expect("a problem");
    assert_eq!(problem["status"], status, "{text}");
    assert!(matches!(status, 400 | 413 | 422), "{text}");
    assert!(answer.len() <= LONGEST_REFUSAL, "{text}");
    let secret = |one: &One| contains(&one.data, CANARY.as_bytes()) && !one.names(CANARY);
    if payloads(body)
        .is_some_and(|all| all.iter().any(secret) && !all.iter().any(|one| one.names(CANARY)))
    {
        assert_silent(text);
    }
}
