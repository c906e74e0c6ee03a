//! Who may do what.

use std::fs;

use aws_lc_rs::digest::{SHA256, digest};
use sealane_tests::World;
use serde_json::{Value, json};

use crate::service::{Service, client, order_document};

/// A world in which tokens are asked for: `sealane_reader`, `sealane_writer`, and `sealane_other` that may write in
/// another namespace.
pub(crate) async fn guarded() -> anyhow::Result<World> {
    let mut world = World::new().await;
    let file = world.folder().join("tokens.json");
    let tokens = [
        entry("reader", &json!({"default": "reader"})),
        entry("writer", &json!({"default": "writer"})),
        entry("twin", &json!({"*": "writer"})),
        entry("other", &json!({"elsewhere": "writer"})),
    ];
    fs::write(&file, json!({ "tokens": tokens }).to_string())?;
    world.set("SEALANE_AUTH", "tokens");
    world.set("SEALANE_AUTH_TOKENS_FILE", file.display().to_string());
    Ok(world)
}

fn entry(name: &str, grants: &Value) -> Value {
    let digest = digest(&SHA256, token(name).as_bytes());
    let hex: String = digest
        .as_ref()
        .iter()
        .map(|it| format!("{it:02x}"))
        .collect();
    json!({"name": name, "sha256": hex, "grants": grants})
}

pub(crate) fn token(name: &str) -> String {
    format!("sealane_{name}")
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_and_only_the_open_routes_need_none() -> anyhow::Result<()> {
    let service = Service::alone_in(guarded().await?).await?;

    for path in ["/api/v1/workflows", "/orders/A-1", "/sync?name=Ada"] {
        let answer = service.get(path).await;
        answer.is_problem(401, "unauthorized");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    // Not even that a request makes no sense is told to strangers.
    let answer = service.post("/orders", &json!({"canary": 1})).await;
    answer.is_problem(401, "unauthorized");
    for path in [
        "/",
        "/ping",
        "/openapi.json",
        "/docs/",
        "/readyz",
        "/metrics",
    ] {
        assert_eq!(service.get(path).await.status, 200, "{path}");
    }
    service.get("/nothing").await.is_problem(404, "not-found");
    Ok(())
}

#[tokio::test]
async fn a_reader_looks_and_a_writer_does() -> anyhow::Result<()> {
    let service = Service::start_in(guarded().await?).await?;
    let writer = service.with_token(&token("writer"));
    let id = writer.place().await;
    let reader = writer.with_token(&token("reader"));
    let base = format!("/api/v1/workflows/order-{id}");

    for path in [
        "/api/v1/workflows".to_owned(),
        base.clone(),
        format!("{base}/result?wait=60s"),
        format!("/orders/{id}"),
    ] {
        reader.get(&path).await.is(200);
    }
    let path = format!("{base}/queries/status");
    assert_eq!(
        reader.post(&path, &json!({})).await.is(200)["result"],
        "shipped"
    );
    for path in ["/async?name=Ada", "/sync?name=Ada"] {
        reader.get(path).await.is_problem(403, "forbidden");
    }
    for (path, body) in [
        ("/api/v1/workflows".to_owned(), json!({"type": "Idle"})),
        ("/orders".to_owned(), order_document("A-2")),
        (format!("/orders/{id}/cancel"), json!({})),
        (format!("{base}/signals/s"), json!({})),
        (format!("{base}/updates/u"), json!({})),
        (format!("{base}/cancel"), json!({})),
        (format!("{base}/terminate"), json!({})),
    ] {
        let answer = reader.post(&path, &body).await;
        answer.is_problem(403, "forbidden");
    }
    Ok(())
}

#[tokio::test]
async fn a_grant_for_another_namespace_gives_nothing_here() -> anyhow::Result<()> {
    let service = Service::alone_in(guarded().await?).await?;
    let service = service.with_token(&token("other"));

    let answer = service.get("/api/v1/workflows").await;
    answer.is_problem(403, "forbidden");
    let answer = service.get("/async?name=Ada").await;
    answer.is_problem(403, "forbidden");
    Ok(())
}

#[tokio::test]
async fn callers_with_one_idempotency_key_do_not_meet() -> anyhow::Result<()> {
    let service = Service::alone_in(guarded().await?).await?;
    let body = json!({"type": "Idle"});

    let service = service.with_token(&token("writer"));
    let first = service.post_once("key", "/api/v1/workflows", &body).await;
    let service = service.with_token(&token("twin"));
    let second = service.post_once("key", "/api/v1/workflows", &body).await;

    assert_ne!(first.is(202)["workflowId"], second.is(202)["workflowId"]);
    Ok(())
}

#[tokio::test]
async fn without_auth_a_page_of_another_site_gets_nothing_done() -> anyhow::Result<()> {
    let service = Service::alone().await?;

    for (name, value) in [
        ("host", "evil.example"),
        ("sec-fetch-site", "cross-site"),
        // Another port of this machine.
        ("sec-fetch-site", "same-site"),
        ("origin", "http://127.0.0.1:27999"),
        ("origin", "null"),
    ] {
        let finish = |request: reqwest::RequestBuilder| request.header(name, value);
        let answer = service.send("GET", "/async?name=Ada", finish).await;
        answer.is_problem(403, "forbidden");
        let answer = service.send("POST", "/orders/A-1/cancel", finish).await;
        answer.is_problem(403, "forbidden");
    }
    let own = format!("http://{}", service.address);
    let from_docs = |request: reqwest::RequestBuilder| {
        request
            .header("sec-fetch-site", "same-origin")
            .header("origin", own)
    };
    let answer = service.send("GET", "/async?name=Ada", from_docs).await;
    answer.is(202);
    Ok(())
}

#[tokio::test]
async fn a_look_at_the_headers_and_a_prefetch_start_nothing() -> anyhow::Result<()> {
    let service = Service::alone().await?;

    for path in ["/async?name=Ada", "/sync?name=Ada&wait=1ms"] {
        let head = service.send("HEAD", path, |request| request).await;
        assert_eq!((head.status, head.header("allow")), (405, "GET"), "{head}");
        for (name, value) in [
            ("sec-purpose", "prefetch;prerender"),
            ("purpose", "prefetch"),
        ] {
            let finish = |request: reqwest::RequestBuilder| request.header(name, value);
            let answer = service.send("GET", path, finish).await;
            answer.is_problem(403, "forbidden");
        }
    }
    let list = client()?.head(service.url("/api/v1/workflows"));
    assert_eq!(list.send().await?.status(), 200);
    Ok(())
}
