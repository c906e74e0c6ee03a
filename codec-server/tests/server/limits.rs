//! How much a request may be, and what any request can do to the server: nothing.

use std::sync::mpsc;

use sealane_tests::orders::patiently;
use serde_json::json;

use crate::support::{App, Asked, one};

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let app = App::with(&[("SEALANE_CODEC_MAX_BODY", "1024")]).await;
    let body = one(&"x".repeat(1000)).to_string();

    let answer = app.send(Asked::post("/decode").body(body)).await;

    answer.assert_problem(413, "payload-too-large");
    assert_eq!(answer.json()["limit"], 1024);
}

#[tokio::test]
async fn a_payload_that_is_too_large_is_named_by_its_place() {
    let app = App::with(&[("SEALANE_CODEC_MAX_PAYLOAD", "1024")]).await;
    let mut body = one("small");
    let large = one(&"canary".repeat(200))["payloads"][0].clone();
    body["payloads"].as_array_mut().unwrap().push(large);
    for path in ["/decode", "/encode"] {
        let answer = app.post(path, &body).await;

        answer.assert_problem(413, "payload-too-large");
        let problem = answer.json();
        assert_eq!(
            (&problem["index"], &problem["limit"]),
            (&json!(1), &json!(1024))
        );
    }
}

#[tokio::test]
async fn the_codec_server_has_a_limit_of_its_own_beside_the_apis() {
    let app = App::with(&[("SEALANE_HTTP_MAX_BODY", "1024")]).await;

    let answer = app.post("/encode", &one(&"x".repeat(100_000))).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn answers_cannot_be_made_to_grow_without_limit() {
    let app = App::with(&[("SEALANE_CODEC_MAX_BODY", "100000")]).await;
    let many = format!(r#"{{"payloads":[{}{{}}]}}"#, "{},".repeat(30_000));

    let answer = app.send(Asked::post("/encode").body(many)).await;

    answer.assert_problem(413, "payload-too-large");
    assert_eq!(answer.json()["limit"], 200_000);
}

#[tokio::test]
async fn deep_json_and_bytes_that_are_no_text_are_refused() {
    let app = App::with(&[]).await;
    let deep = format!(r#"{{"payloads":{}"#, "[".repeat(100_000)).into_bytes();
    let bytes = b"{\"payloads\":[{\"data\":\"\xff\xfe\"}]}".to_vec();
    for body in [deep, bytes, vec![0; 1000], Vec::new()] {
        let answer = app.send(Asked::post("/decode").body(body)).await;
        answer.assert_problem(400, "bad-request");
    }
}

#[test]
fn work_that_nobody_waits_for_counts_until_it_ends_and_ends_soon() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build();
    runtime.unwrap().block_on(async {
        let app = App::with(&[("SEALANE_HTTP_MAX_CONCURRENT", "1")]).await;
        let encode = |data: &str| app.send(Asked::post("/encode").body(one(data).to_string()));
        let (release, busy) = mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || busy.recv());

        // Its work is too long for this thread, and queued behind the only other one there is.
        let mut given_up = Box::pin(encode(&"x".repeat(300_000)));
        assert!(futures_util::poll!(&mut given_up).is_pending());
        drop(given_up);

        encode("1").await.assert_problem(429, "too-many-requests");
        release.send(()).unwrap();
        busy.await.unwrap().unwrap();
        let given_back = async {
            while encode("1").await.status == 429 {
                tokio::task::yield_now().await;
            }
        };
        patiently("the place to be given back", given_back).await;
        let text = app.metrics.render().await;
        let once = r#"sealane_codec_server_payloads_total{operation="encode",outcome="done"} 1"#;
        assert!(text.lines().any(|line| line == once), "{text}");
    });
}
