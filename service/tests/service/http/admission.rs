//! How long a request keeps its place and its room.

use axum::{
    Router,
    body::Bytes,
    routing::{get, post},
};
use sealane_service::http::Admission;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy, sink},
    sync::mpsc,
};

use super::running::{LARGE, Running, protected, server, settings};

/// Bodies of the largest size that are held at once.
const BODIES: usize = 8;

#[tokio::test]
async fn a_place_is_taken_until_the_answer_is_sent() {
    let routes = Router::new()
        .route("/large", get(async || Bytes::from_static(&LARGE)))
        .route("/", get(async || "root"));
    let mut settings = settings();
    settings.max_concurrent = 1;
    let running = Running::serve(server(protected(&settings, routes)).await);
    let mut slow = running.connect().await;
    let request = b"GET /large HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    slow.write_all(request).await.unwrap();
    slow.read_exact(&mut [0; 12]).await.unwrap();

    assert_eq!(running.get("/").await.status, 429);

    let rest = copy(&mut slow, &mut sink()).await.unwrap();
    assert!(rest > LARGE.len() as u64);
    assert_eq!(running.get("/").await.body, "root");
}

#[tokio::test]
async fn a_client_that_hangs_up_gives_back_its_place() {
    let (told, mut handled) = mpsc::unbounded_channel();
    let large = async move |admission: Admission| {
        told.send(admission).unwrap();
        Bytes::from_static(&LARGE)
    };
    let mut settings = settings();
    settings.max_concurrent = 1;
    let routes = Router::new().route("/large", get(large));
    let running = Running::serve(server(protected(&settings, routes)).await);

    for _ in 0..3 {
        let mut slow = running.connect().await;
        let request = b"GET /large HTTP/1.1\r\nhost: test\r\n\r\n";
        slow.write_all(request).await.unwrap();
        slow.read_exact(&mut [0; 12]).await.unwrap();
        let admission = handled.recv().await.unwrap();
        drop(slow);
        assert_eq!(running.get("/large").await.status, 429);
        drop(admission);
    }
}

#[tokio::test]
async fn work_that_outlives_its_request_keeps_its_place_and_its_room() {
    let (work, mut going_on) = mpsc::unbounded_channel();
    let handler = async move |admission: Admission, body: Bytes| {
        work.send((admission, body)).unwrap();
        "begun"
    };
    let mut settings = settings();
    settings.max_concurrent = BODIES + 1;
    let routes = Router::new().route("/", post(handler));
    let running = Running::serve(server(protected(&settings, routes)).await);
    let body = "x".repeat(settings.max_body);
    let send = async |body: &str| running.send("POST / HTTP/1.1", body).await;
    let mut works = Vec::new();
    for _ in 0..BODIES {
        assert_eq!(send(&body).await.body, "begun");
        works.push(going_on.recv().await.unwrap());
    }

    let refused = send("no room").await;
    assert!(refused.body.contains("too many large requests"));
    assert_eq!(send("").await.body, "begun");
    works.push(going_on.recv().await.unwrap());
    let refused = send("").await;
    assert!(refused.body.contains("too many requests at once"));

    drop(works);
    assert_eq!(send(&body).await.body, "begun");
}
