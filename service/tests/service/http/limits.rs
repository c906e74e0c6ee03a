//! How many requests at once, and for how long.

use std::{convert::Infallible, future::pending, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::Request,
    response::Response,
    routing::{get, post},
};
use futures_util::{StreamExt, stream};
use sealane_service::http::Deadline;
use tokio::{
    io::AsyncWriteExt,
    sync::{Notify, mpsc},
    time::{advance, sleep},
};
use tower::ServiceExt;

use super::running::{Running, protected, server, settings};

/// Told what happens inside of a handler that never answers by itself.
#[derive(Clone)]
struct Blocking {
    events: mpsc::UnboundedSender<&'static str>,
    go_on: Arc<Notify>,
}

struct Ended(mpsc::UnboundedSender<&'static str>);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.send("ended");
    }
}

impl Blocking {
    fn routes() -> (Self, mpsc::UnboundedReceiver<&'static str>, Router) {
        let (events, told) = mpsc::unbounded_channel();
        let blocking = Self {
            events,
            go_on: Arc::default(),
        };
        let inside = blocking.clone();
        let handler = async move || {
            let _ended = Ended(inside.events.clone());
            inside.events.send("started").unwrap();
            inside.go_on.notified().await;
            "done"
        };
        let routes = Router::new().route("/block", get(handler));
        (blocking, told, routes)
    }
}

fn request(path: &str) -> Request {
    Request::builder().uri(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn what_is_too_much_at_once_is_turned_away_and_probes_are_not() {
    let (blocking, mut told, routes) = Blocking::routes();
    let mut settings = settings();
    settings.max_concurrent = 1;
    let running = Running::serve(server(protected(&settings, routes)).await);
    let address = running.address;
    let first = async { running.get("/block").await };
    let others = async {
        assert_eq!(told.recv().await, Some("started"));
        let answer = running.get("/block").await;
        answer.is_problem(429, "too-many-requests");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(running.get("/livez").await.status, 200, "{address}");
        let metrics = running.metrics().await;
        assert!(
            metrics.contains(r#"sealane_http_in_flight{process="test"} 1"#),
            "{metrics}"
        );
        let rejected = r#"sealane_http_rejected_total{process="test",reason="concurrency"} 1"#;
        assert!(metrics.contains(rejected), "{metrics}");
        blocking.go_on.notify_one();
    };

    let (first, ()) = tokio::join!(first, others);

    assert_eq!(first.body, "done");
    blocking.go_on.notify_one();
    assert_eq!(
        running.get("/block").await.status,
        200,
        "the place is free again"
    );
}

/// As many of the largest bodies as are held at once, each in a handler that keeps it.
const HELD: usize = 8;

#[tokio::test]
async fn the_bodies_of_all_requests_together_have_a_limit() {
    let (read, mut told) = mpsc::unbounded_channel();
    let go_on = Arc::new(Notify::new());
    let keep = go_on.clone();
    let handler = async move |_: Bytes| {
        read.send(()).unwrap();
        keep.notified().await;
        "done"
    };
    let router = Router::new().route("/", post(handler));
    let running = Running::serve(server(protected(&settings(), router)).await);
    let body = "x".repeat(1024);
    let post = || running.send("POST / HTTP/1.1", &body);
    let held = futures_util::future::join_all((0..HELD).map(|_| post()));
    let more = async {
        for _ in 0..HELD {
            told.recv().await.unwrap();
        }
        let answer = post().await;
        answer.is_problem(429, "too-many-requests");
        assert_eq!(answer.header("retry-after"), Some("1"));
        let metrics = running.metrics().await;
        let counted = r#"sealane_http_rejected_total{process="test",reason="body_memory"} 1"#;
        assert!(metrics.contains(counted), "{metrics}");
        go_on.notify_waiters();
    };

    let (held, ()) = tokio::join!(held, more);

    assert!(held.iter().all(|answer| answer.body == "done"));
    go_on.notify_one();
    assert_eq!(post().await.status, 200, "the room is free again");
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_its_request() {
    let (_blocking, mut told, routes) = Blocking::routes();
    let running = Running::start(routes).await;
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET /block HTTP/1.1\r\nhost: test\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(told.recv().await, Some("started"));

    drop(stream);

    assert_eq!(told.recv().await, Some("ended"));
    let counted = r#"{method="GET",process="test",route="/block",status="499"} 1"#;
    let metrics = running.metrics().await;
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn no_answer_in_time_is_a_problem_and_ends_the_handler() {
    let (_blocking, mut told, routes) = Blocking::routes();
    let router = protected(&settings(), routes);

    let response = router.oneshot(request("/block")).await.unwrap();

    assert_eq!(response.status(), 504);
    assert_eq!(told.recv().await, Some("started"));
    assert_eq!(told.recv().await, Some("ended"));
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_ask_for_more_time() {
    let slow = async |deadline: Deadline| {
        deadline.allow(Duration::from_secs(60));
        sleep(Duration::from_secs(59)).await;
        "late"
    };
    let router = protected(&settings(), Router::new().route("/slow", get(slow)));

    let response = router.oneshot(request("/slow")).await.unwrap();

    assert_eq!(response.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_has_begun_is_not_cut() {
    let (pieces, mut arriving) = mpsc::unbounded_channel::<Bytes>();
    let body = stream::poll_fn(move |cx| arriving.poll_recv(cx)).map(Ok::<_, Infallible>);
    let body = Arc::new(std::sync::Mutex::new(Some(Body::from_stream(body))));
    let handler = async move || Response::new(body.lock().unwrap().take().unwrap());
    let router = protected(&settings(), Router::new().route("/", get(handler)));

    let response = router.oneshot(request("/")).await.unwrap();
    advance(Duration::from_mins(5)).await;
    pieces.send(Bytes::from_static(b"all of it")).unwrap();
    drop(pieces);

    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert_eq!(body, "all of it");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_a_problem_of_the_client() {
    let mut settings = settings();
    settings.timeout = Duration::from_millis(100);
    let whole = async |_: Bytes| "whole";
    let routes = Router::new()
        .route("/", post(whole))
        .route("/never", post(async |_: Bytes| pending::<()>().await));
    let running = Running::serve(server(protected(&settings, routes)).await);

    let half = "POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nhalf";
    running.exchange(half).await[0].is_problem(408, "request-timeout");

    let slow = running.send("POST /never HTTP/1.1", "all").await;
    slow.is_problem(504, "timeout");
    let metrics = running.metrics().await;
    for reason in ["slow_body", "timeout"] {
        let counted = format!(r#"rejected_total{{process="test",reason="{reason}"}} 1"#);
        assert!(metrics.contains(&counted), "{metrics}");
    }
}
