//! Clients that mean no good: refused, without harm to the others.

use std::{fs, time::Duration};

use axum::{
    Router,
    body::Bytes,
    routing::{get, post},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::{advance, pause, resume, timeout},
};

use super::running::{LARGE, Running, protected, server, settings};

const HALF: &[u8] = b"GET / HTTP/1.1\r\nhost: te";

fn routes() -> Router {
    Router::new()
        .route("/", get(async || "root"))
        .route("/bytes", post(async |body: Bytes| body.len().to_string()))
}

/// Starts a server with room for only 8 connections.
async fn small(routes: Router) -> Running {
    let server = server(protected(&settings(), routes)).await;
    Running::serve(server.connections(8))
}

async fn send(running: &Running, bytes: &[u8]) -> TcpStream {
    let mut stream = running.connect().await;
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Sends a request for a large answer, and takes no more than the beginning of it.
async fn deaf(running: &Running) -> TcpStream {
    let mut stream = send(running, b"GET /large HTTP/1.1\r\nhost: test\r\n\r\n").await;
    stream.read_exact(&mut [0; 12]).await.unwrap();
    stream
}

fn with_large(routes: Router) -> Router {
    routes.route("/large", get(async || Bytes::from_static(&LARGE)))
}

/// Lets pass what a client may keep us waiting while others want its place.
async fn five_seconds() {
    pause();
    advance(Duration::from_secs(5)).await;
    resume();
}

/// Long enough for one request, and shorter than what we are patient for with clients that nobody waits for.
const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn clients_that_do_not_read_keep_nobody_out() {
    let running = small(with_large(routes())).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(deaf(&running).await);
    }
    five_seconds().await;

    let answer = timeout(SOON, running.get("/livez")).await;

    assert_eq!(answer.unwrap().status, 200);
    let metrics = running.metrics().await;
    let evicted = metrics
        .lines()
        .find_map(|line| line.strip_prefix("sealane_http_evicted_connections_total "));
    assert_ne!(evicted.unwrap(), "0");
}

#[tokio::test]
async fn clients_that_do_not_read_give_way_when_there_are_too_many_requests() {
    let mut settings = settings();
    settings.max_concurrent = 3;
    let running = Running::serve(server(protected(&settings, with_large(routes()))).await);
    let _clients = [
        deaf(&running).await,
        deaf(&running).await,
        deaf(&running).await,
    ];
    assert_eq!(running.get("/").await.status, 429);
    five_seconds().await;

    assert_eq!(running.get("/").await.status, 429, "now they are told");

    assert_eq!(running.get("/").await.status, 200);
}

#[tokio::test]
async fn half_open_requests_keep_nobody_out() {
    let running = small(routes()).await;
    let mut half_open = Vec::new();

    for _ in 0..20 {
        half_open.push(send(&running, HALF).await);
        half_open.push(running.connect().await);
        assert_eq!(running.get("/").await.body, "root");
        assert_eq!(running.get("/livez").await.status, 200);
    }
}

#[tokio::test]
async fn half_open_requests_take_nobodys_answer() {
    let (events, mut started) = mpsc::unbounded_channel();
    let (go_on, wait) = tokio::sync::watch::channel(false);
    let handler = async move || {
        events.send(()).unwrap();
        wait.clone().wait_for(|go_on| *go_on).await.unwrap();
        "slow"
    };
    let running = small(routes().route("/slow", get(handler))).await;
    let slow = b"GET /slow HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    let mut waiting = Vec::new();
    for _ in 0..6 {
        waiting.push(send(&running, slow).await);
        started.recv().await.unwrap();
    }

    let mut half_open = Vec::new();
    for _ in 0..20 {
        half_open.push(send(&running, HALF).await);
    }
    assert_eq!(running.get("/").await.body, "root");
    go_on.send(true).unwrap();

    for mut stream in waiting {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("slow"), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_arrive_in_time_ends_the_connection() {
    let running = Running::start(routes()).await;

    for sent in [HALF, b""] {
        let mut stream = send(&running, sent).await;
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn too_many_and_too_long_headers_are_refused() {
    let running = Running::start(routes()).await;
    let many: String = (0..10_000).map(|n| format!("x-{n}: 1\r\n")).collect();
    let long = format!("x-long: {}\r\n", "a".repeat(200 * 1024));

    for headers in [many, long] {
        let request = format!("GET / HTTP/1.1\r\nhost: test\r\n{headers}\r\n");
        let answers = running.exchange(request).await;
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].status, 431);
    }
    let address = format!(
        "GET /{} HTTP/1.1\r\nhost: test\r\n\r\n",
        "a".repeat(100_000)
    );
    let refused = running.exchange(address).await;
    assert!(matches!(refused[0].status, 414 | 431), "{refused:?}");
    assert_eq!(running.get("/").await.body, "root");
}

#[tokio::test]
async fn garbage_is_refused_and_harms_nobody() {
    let running = Running::start(routes()).await;
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".as_slice();
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice();
    let smuggled = b"POST /bytes HTTP/1.1\r\nhost: test\r\ncontent-length: 5\r\n\
        content-length: 6\r\n\r\nabcdef"
        .as_slice();

    for garbage in [
        tls,
        http2,
        smuggled,
        b"\0\0\0\0\r\n\r\n",
        b"GET /\x7f\xff HTTP/9\r\n\r\n",
    ] {
        let answers = running.exchange(garbage).await;
        assert!(
            answers.iter().all(|answer| answer.status == 400),
            "{answers:?}"
        );
        assert_eq!(running.get("/").await.body, "root");
    }
}

#[tokio::test]
async fn a_hundred_megabytes_are_refused_early_and_not_kept() {
    let running = Running::start(routes()).await;
    let head = "POST /bytes HTTP/1.1\r\nhost: test\r\n";
    let sized = format!("{head}content-length: 104857600\r\n\r\n");
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n6400000\r\n");
    let before = resident_kib();

    for head in [sized, chunked] {
        let (mut answer, mut request) = send(&running, head.as_bytes()).await.into_split();
        let sending = tokio::spawn(async move {
            let piece = vec![b'x'; 1 << 20];
            for _ in 0..100 {
                // The server may have closed by now.
                if request.write_all(&piece).await.is_err() {
                    return;
                }
            }
        });
        let mut read = vec![0; 12];
        answer.read_exact(&mut read).await.unwrap();
        assert_eq!(read, b"HTTP/1.1 413");
        sending.await.unwrap();
        let grown = resident_kib().saturating_sub(before);
        assert!(grown < 32 * 1024, "{grown} KiB more than before");
    }
}

/// What this process holds in memory, as Linux counts it.
fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.unwrap().trim().trim_end_matches(" kB");
    number.parse().unwrap()
}
