//! What is on every answer, and what is answered where no handler does.

use std::net::{IpAddr, Ipv4Addr};

use axum::{
    Router,
    routing::{get, post},
};
use sealane_service::http::{Path, Peer, Query, RequestId};
use serde::Deserialize;

use super::running::{Running, protected, server, settings};

#[derive(Deserialize)]
struct Page {
    size: u8,
}

fn routes() -> Router {
    Router::new()
        .route("/orders", get(async || "orders").post(async || "placed"))
        .route(
            "/orders/{id}",
            get(async |Path(id): Path<u8>| id.to_string()),
        )
        .route(
            "/pages",
            get(async |Query(page): Query<Page>| page.size.to_string()),
        )
        .route(
            "/bare",
            post(async |axum::Json(value): axum::Json<u8>| value.to_string()),
        )
        .route("/id", get(async |id: RequestId| id.as_str().to_owned()))
        .route("/peer", get(async |peer: Peer| peer.0.to_string()))
        .route("/panic", get(panics))
}

async fn panics() -> &'static str {
    panic!("canary");
}

#[tokio::test]
async fn an_unknown_path_is_a_problem() {
    let running = Running::start(routes()).await;

    for path in [
        "/",
        "/order",
        "/orders/1/2",
        "/%ff",
        "/..%2f..%2fetc",
        "/metrics/",
    ] {
        running.get(path).await.is_problem(404, "not-found");
    }
}

#[tokio::test]
async fn a_wrong_method_is_a_problem_that_names_the_right_ones() {
    let running = Running::start(routes()).await;

    for method in ["DELETE", "PUT", "TRACE", "BREW"] {
        let answer = running
            .send(&format!("{method} /orders HTTP/1.1"), "")
            .await;
        answer.is_problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"), "{method}");
    }
    let answer = running.send("POST /livez HTTP/1.1", "").await;
    answer.is_problem(405, "method-not-allowed");
}

#[tokio::test]
async fn head_is_get_without_a_body_and_options_lists_the_methods() {
    let running = Running::start(routes()).await;

    let head = running.send("HEAD /orders HTTP/1.1", "").await;
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("6"))
    );

    let options = running.send("OPTIONS /orders HTTP/1.1", "").await;
    assert_eq!((options.status, options.body.as_str()), (204, ""));
    assert_eq!(options.header("allow"), Some("GET,HEAD,POST"));

    let everything = running.send("OPTIONS * HTTP/1.1", "").await;
    assert_eq!(everything.status, 404);
}

#[tokio::test]
async fn every_answer_is_hardened_and_says_nothing_of_what_runs() {
    let running = Running::start(routes()).await;

    for path in [
        "/orders", "/nowhere", "/panic", "/livez", "/readyz", "/metrics",
    ] {
        let answer = running.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        for telling in ["server", "x-powered-by", "via"] {
            assert_eq!(answer.header(telling), None, "{path}");
        }
    }
}

#[tokio::test]
async fn a_request_keeps_its_id_or_gets_one() {
    let running = Running::start(routes()).await;

    let given = running
        .send("GET /id HTTP/1.1\r\nx-request-id: web-7", "")
        .await;
    assert_eq!(
        (given.body.as_str(), given.header("x-request-id")),
        ("web-7", Some("web-7"))
    );

    for head in ["GET /id HTTP/1.1", "GET /id HTTP/1.1\r\nx-request-id: a b"] {
        let made = running.send(head, "").await;
        assert_eq!(made.body.len(), 32);
        assert_eq!(made.header("x-request-id"), Some(made.body.as_str()));
    }
    assert!(
        running
            .get("/nowhere")
            .await
            .header("x-request-id")
            .is_some()
    );
}

#[tokio::test]
async fn a_panic_is_a_problem_and_the_next_request_is_answered() {
    let running = Running::start(routes()).await;

    let both = running
        .exchange(
            "GET /panic HTTP/1.1\r\nhost: test\r\n\r\n\
             GET /orders HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n",
        )
        .await;

    both[0].is_problem(500, "internal");
    assert!(!both[0].body.contains("canary"), "{both:?}");
    assert_eq!(both[1].body, "orders");
}

#[tokio::test]
async fn refusals_of_path_and_query_quote_nothing() {
    let running = Running::start(routes()).await;

    for path in [
        "/orders/canary",
        "/orders/%ff",
        "/pages?size=canary",
        "/pages?size=1&size=canary",
    ] {
        let answer = running.get(path).await;
        answer.is_problem(400, "bad-request");
        assert!(!answer.body.contains("canary"), "{answer:?}");
    }
    let missing = running.get("/pages").await.problem();
    assert_eq!(
        missing["detail"],
        "the parameter `size` of the query is missing"
    );
}

#[tokio::test]
async fn a_bare_text_of_a_library_becomes_a_problem() {
    let running = Running::start(routes()).await;

    let json = "POST /bare HTTP/1.1\r\ncontent-type: application/json";
    let answer = running.send(json, r#""canary""#).await;
    answer.is_problem(422, "unprocessable");
    assert!(!answer.body.contains("canary"), "{answer:?}");

    let answer = running.send("POST /bare HTTP/1.1", "1").await;
    answer.is_problem(415, "unsupported-media-type");
}

#[tokio::test]
async fn the_client_behind_a_proxy_is_known_only_if_the_proxy_is_trusted() {
    let request = "GET /peer HTTP/1.1\r\nx-forwarded-for: 6.6.6.6, 198.51.100.4";
    let direct = Running::start(routes()).await;
    assert_eq!(direct.send(request, "").await.body, "127.0.0.1");

    let mut settings = settings();
    settings.trusted_proxies = vec![IpAddr::V4(Ipv4Addr::LOCALHOST).into()];
    let behind = Running::serve(server(protected(&settings, routes())).await);
    assert_eq!(behind.send(request, "").await.body, "198.51.100.4");
}
