//! What is refused of a body, and what is taken.

use axum::{Router, body::Bytes, routing::post};
use sealane_service::http::Json;
use serde_json::Value;

use super::running::{Answer, Running};

fn routes() -> Router {
    let counted = async |body: Bytes| body.len().to_string();
    let echo = async |Json(value): Json<Value>| Json(value);
    let maybe = async |value: Option<Json<Value>>| Json(value.map(|Json(value)| value));
    Router::new()
        .route("/bytes", post(counted))
        .route("/json", post(echo))
        .route("/maybe", post(maybe))
}

async fn post_json(running: &Running, body: &str) -> Answer {
    let head = "POST /json HTTP/1.1\r\ncontent-type: application/json; charset=utf-8";
    running.send(head, body).await
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    let running = Running::start(routes()).await;
    let post = async |length| {
        running
            .send("POST /bytes HTTP/1.1", &"x".repeat(length))
            .await
    };

    assert_eq!(post(1024).await.body, "1024");

    let answer = post(1025).await;
    answer.is_problem(413, "payload-too-large");
    assert_eq!(answer.problem()["limit"], 1024);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_cut_at_the_limit() {
    let running = Running::start(routes()).await;
    let chunked = |length: usize| {
        let chunk = "x".repeat(length);
        format!(
            "POST /bytes HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             transfer-encoding: chunked\r\n\r\n{length:x}\r\n{chunk}\r\n0\r\n\r\n"
        )
    };

    assert_eq!(running.exchange(chunked(1024)).await[0].body, "1024");

    let answer = &running.exchange(chunked(1025)).await[0];
    answer.is_problem(413, "payload-too-large");
}

#[tokio::test]
async fn a_body_takes_as_much_room_as_it_is_long_however_small_its_chunks_are() {
    let running = Running::start(routes()).await;
    let chunks = "1\r\nx\r\n".repeat(1024);

    let answers = running
        .exchange(format!(
            "POST /bytes HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             transfer-encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"
        ))
        .await;

    assert_eq!(answers[0].body, "1024");
}

#[tokio::test]
async fn json_needs_its_media_type() {
    let running = Running::start(routes()).await;

    for media in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "json",
        "",
    ] {
        let head = format!("POST /json HTTP/1.1\r\ncontent-type: {media}");
        let answer = running.send(&head, "{}").await;
        answer.is_problem(415, "unsupported-media-type");
    }
    let answer = running.send("POST /json HTTP/1.1", "{}").await;
    answer.is_problem(415, "unsupported-media-type");

    for media in [
        "application/json",
        "Application/JSON",
        "application/merge-patch+json",
    ] {
        let head = format!("POST /json HTTP/1.1\r\ncontent-type: {media}");
        assert_eq!(running.send(&head, "{}").await.status, 200, "{media}");
    }
}

#[tokio::test]
async fn json_that_is_none_is_a_problem_that_says_where() {
    let running = Running::start(routes()).await;
    let deep = "[".repeat(1000);

    for (body, detail) in [
        ("{\n canary}", "the body is not JSON, at line 2, column 2"),
        ("{} canary", "the body is not JSON, at line 1, column 4"),
        ("{\"a\":", "the JSON ends too early, at line 1, column 5"),
        (
            &deep,
            "the JSON is nested too deeply, at line 1, column 128",
        ),
        ("", "the JSON ends too early, at line 1, column 0"),
    ] {
        let answer = post_json(&running, body).await;
        answer.is_problem(400, "bad-request");
        assert_eq!(answer.problem()["detail"], detail);
    }
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_refused() {
    let running = Running::start(routes()).await;
    let mut request = b"POST /json HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
        content-type: application/json\r\ncontent-length: 3\r\n\r\n"
        .to_vec();
    request.extend(b"\"\xff\"");

    let answer = &running.exchange(request).await[0];

    answer.is_problem(400, "bad-request");
    assert_eq!(answer.problem()["detail"], "the body is not UTF-8");
}

#[tokio::test]
async fn a_body_may_be_optional_but_not_wrong() {
    let running = Running::start(routes()).await;
    let head = "POST /maybe HTTP/1.1";
    let json = "POST /maybe HTTP/1.1\r\ncontent-type: application/json";

    assert_eq!(running.send(head, "").await.body, "null");
    assert_eq!(running.send(json, "1").await.body, "1");
    running
        .send(head, "1")
        .await
        .is_problem(415, "unsupported-media-type");
    running.send(json, "").await.is_problem(400, "bad-request");
}
