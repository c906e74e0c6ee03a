//! The life of a server: connections, and the end.

use std::{future::pending, sync::Arc};

use axum::{
    Router,
    extract::ConnectInfo,
    routing::{get, post},
};
use sealane_service::{exit, http::Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, mpsc},
};

use super::running::{Running, server};

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: test\r\n\r\n";

fn routes() -> Router {
    Router::new()
        .route("/", get(async || "root"))
        .route("/two", post(async |body: String| body))
}

/// Reads until `end` has come.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        assert!(
            stream.read_buf(&mut read).await.unwrap() > 0,
            "closed before {end}"
        );
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn requests_in_one_write_are_answered_in_order() {
    let running = Running::start(routes()).await;

    let answers = running
        .exchange(
            "GET / HTTP/1.1\r\nhost: test\r\n\r\n\
             POST /two HTTP/1.1\r\nhost: test\r\ncontent-length: 3\r\n\r\ntwo\
             GET /three HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n",
        )
        .await;

    let seen: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(seen, [200, 200, 404]);
    assert_eq!(answers[1].body, "two");
}

#[tokio::test]
async fn a_handler_is_told_the_other_end() {
    let handler = async |ConnectInfo(client): ConnectInfo<std::net::SocketAddr>| client.to_string();
    let running = Running::start(Router::new().route("/", get(handler))).await;
    let mut stream = running.connect().await;
    let client = stream.local_addr().unwrap().to_string();

    stream.write_all(GET).await.unwrap();

    read_until(&mut stream, &client).await;
}

#[tokio::test]
async fn stopping_closes_idle_connections_and_finishes_requests() {
    let (events, mut started) = mpsc::unbounded_channel();
    let go_on = Arc::new(Notify::new());
    let wait = go_on.clone();
    let handler = async move || {
        events.send(()).unwrap();
        wait.notified().await;
        "finished"
    };
    let running = Running::start(routes().route("/slow", get(handler))).await;
    let address = running.address;
    let mut idle = running.connect().await;
    idle.write_all(GET).await.unwrap();
    read_until(&mut idle, "root").await;
    let mut unused = running.connect().await;
    let mut busy = running.connect().await;
    let slow = b"GET /slow HTTP/1.1\r\nhost: test\r\n\r\n";
    busy.write_all(slow).await.unwrap();
    started.recv().await.unwrap();

    let stopped = running.stop();

    for closed in [&mut idle, &mut unused] {
        assert_eq!(closed.read(&mut [0]).await.unwrap(), 0);
    }
    assert!(TcpStream::connect(address).await.is_err());
    go_on.notify_one();
    read_until(&mut busy, "finished").await;
    stopped.await.unwrap().unwrap();
    assert_eq!(busy.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_end_is_given_up_after_a_while() {
    let (events, mut told) = mpsc::unbounded_channel();
    let handler = async move || {
        // Its receiver hears that the handler is gone when the sender is dropped.
        let (alive, gone) = mpsc::channel::<()>(1);
        events.send(gone).unwrap();
        pending::<()>().await;
        drop(alive);
    };
    let router = Router::new().route("/", get(handler));
    let running = Running::serve(server(router).await);
    let mut stream = running.connect().await;
    stream.write_all(GET).await.unwrap();
    let mut gone = told.recv().await.unwrap();

    running.stop().await.unwrap().unwrap();

    assert_eq!(gone.recv().await, None);
    assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn an_address_in_use_is_named_with_the_setting_it_comes_from() {
    let running = Running::start(routes()).await;

    let error = Server::bind(running.address, Router::new())
        .await
        .unwrap_err();

    let text = exit::with_causes(&error.of_setting("SEALANE_CODEC_ADDR"));
    assert!(text.contains("SEALANE_CODEC_ADDR"), "{text}");
    assert!(text.contains(&running.address.to_string()), "{text}");
}
