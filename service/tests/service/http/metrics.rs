//! What is counted and logged about requests, and what is not.

use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    routing::{get, post},
};
use sealane_service::{
    auth::{Authenticator, Grants, IssuedToken, Role, protect},
    probes::Metrics,
    settings::Auth,
};
use serde_json::{Value, json};
use tower::ServiceExt;
use tracing::subscriber::DefaultGuard;

use super::running::{Running, protected, settings};

fn routes() -> Router {
    Router::new()
        .route("/orders/{id}", get(async || "order"))
        .route("/orders", post(async |_: String| "placed"))
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_what_was_asked_for() {
    let running = Running::start(routes()).await;
    for path in ["/orders/canary-1", "/orders/canary-2?canary", "/canary"] {
        running.get(path).await;
    }
    running.send("BREW /orders/canary HTTP/1.1", "").await;

    let metrics = running.metrics().await;

    assert!(
        !metrics.contains("canary") && !metrics.contains("BREW"),
        "{metrics}"
    );
    for counted in [
        r#"requests_total{method="GET",process="test",route="/orders/{id}",status="200"} 2"#,
        r#"requests_total{method="GET",process="test",route="unmatched",status="404"} 1"#,
        r#"requests_total{method="other",process="test",route="/orders/{id}",status="405"} 1"#,
        r#"duration_seconds_bucket{method="GET",process="test",route="/orders/{id}",le="0.001"}"#,
        r#"duration_seconds_bucket{method="GET",process="test",route="/orders/{id}",le="30"} 2"#,
        r#"duration_seconds_count{method="GET",process="test",route="/orders/{id}"} 2"#,
        r#"in_flight{process="test"} 0"#,
    ] {
        assert!(
            metrics.contains(&format!("sealane_http_{counted}"))
                || metrics.contains(&format!("sealane_http_request_{counted}")),
            "{counted} in {metrics}"
        );
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Takes what this thread logs until the guard is dropped.
    fn take(&self) -> DefaultGuard {
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Returns the fields of each line of the access log.
    fn requests(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().filter(|line| line.contains("sealane::access"));
        let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| line["fields"].clone()).collect()
    }
}

#[tokio::test]
async fn the_access_log_has_a_line_without_query_headers_or_body() {
    let log = Log::default();
    let _guard = log.take();
    let router = protected(&settings(), routes());
    let request = Request::post("/orders?token=canary")
        .header("authorization", "Bearer canary")
        .header("x-request-id", "web-7")
        .body(Body::from("canary"));

    router.oneshot(request.unwrap()).await.unwrap();

    let fields = &log.requests()[0];
    assert_eq!(fields["message"], "request");
    assert_eq!(fields["http.method"], "POST");
    assert_eq!(fields["http.route"], "/orders");
    assert_eq!(fields["http.status"], 200);
    assert_eq!(fields["request.id"], "web-7");
    assert_eq!(fields["client.address"], "0.0.0.0");
    assert!(fields["duration_seconds"].is_number());
    assert_eq!(fields.get("client.name"), None, "nobody asked");
    assert!(!log.text().contains("canary"), "{}", log.text());
}

#[tokio::test]
async fn the_access_log_says_who_was_let_in() {
    let mut grants = Grants::default();
    grants.add("orders", Role::Reader);
    let token = IssuedToken::generate("ci", grants).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.json");
    std::fs::write(&file, json!({ "tokens": [token.entry()] }).to_string()).unwrap();
    let auth = Auth {
        tokens_file: Some(file),
        oidc: None,
    };
    let address = ([127, 0, 0, 1], 80).into();
    let authenticator = Authenticator::start(&auth, address, &Metrics::new()).await;
    let router = protected(&settings(), protect(routes(), authenticator.unwrap()));
    let log = Log::default();
    let _guard = log.take();

    for shown in [token.secret(), "nonsense"] {
        let request = Request::get("/orders/7").header("authorization", format!("Bearer {shown}"));
        let request = request.body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap();
    }

    let requests = log.requests();
    assert_eq!(requests[0]["http.status"], 200);
    assert_eq!(requests[0]["client.name"], "ci");
    assert_eq!(requests[1]["http.status"], 401);
    assert_eq!(requests[1].get("client.name"), None);
    assert!(!log.text().contains(token.secret()), "{}", log.text());
}
