//! Inside the router: everything but the network.

use std::{
    ffi::OsString,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    http::Request,
};
use sealane_codec_server::router;
use sealane_service::{auth::Authenticator, probes::Metrics, settings::Settings};
use tower::ServiceExt;

use crate::{BATCH, codec, cpu::cpu_seconds};

const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(4);

/// Payloads per second of CPU: on a core that does nothing else, per second.
pub(crate) fn rate(operation: &str, body: &str) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let router = open().await;
        let body = Bytes::from(body.to_owned());
        repeat(&router, operation, &body, WARM_UP).await;
        repeat(&router, operation, &body, MEASURED).await
    })
}

async fn repeat(router: &Router, operation: &str, body: &Bytes, time: Duration) -> f64 {
    let (started, before) = (Instant::now(), cpu_seconds(std::process::id()));
    let mut requests = 0_u32;
    while started.elapsed() < time {
        ask(router, operation, body.clone()).await;
        requests += 1;
    }
    let payloads = f64::from(requests) * BATCH as f64;
    payloads / (cpu_seconds(std::process::id()) - before)
}

async fn ask(router: &Router, operation: &str, body: Bytes) {
    let request = Request::post(format!("/default/{operation}"))
        .header("content-type", "application/json")
        .body(Body::from(body))
        .expect("a request");
    let answer = router.clone().oneshot(request).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let answer = to_bytes(answer.into_body(), usize::MAX).await;
    assert!(answer.expect("a body").len() > BATCH * 1024);
}

async fn open() -> Router {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys.json");
    let ring = codec().ring().expect("a ring").current();
    sealane_codec::file_source::write_new(&keys, &ring).expect("a file");
    let settings = Settings::load(None, |name| {
        (name == "SEALANE_KEY_FILE").then(|| OsString::from(&keys))
    });
    let settings = settings.expect("settings");
    let metrics = Metrics::new();
    let here = ([127, 0, 0, 1], 0).into();
    let authenticator = Authenticator::start(&settings.auth, here, &metrics).await;
    let authenticator = authenticator.expect("no authentication");
    router(&settings, authenticator, codec().into(), &metrics).expect("a router")
}
