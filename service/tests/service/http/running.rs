//! A server on a free port, and a client that sends what it is told.

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;
use sealane_service::{
    http::{Edge, Server},
    probes::{self, Health, Metrics},
    settings::Http,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

/// Settings with a body limit of 1 KiB, and room for 16 requests at once.
pub(super) fn settings() -> Http {
    Http {
        max_body: 1024,
        max_concurrent: 16,
        timeout: Duration::from_secs(30),
        trusted_proxies: Vec::new(),
    }
}

/// Returns `router` behind an edge with these `settings`, beside the probes.
pub(super) fn protected(settings: &Http, router: Router) -> Router {
    let metrics = Metrics::new();
    let edge = Edge::new(settings, &metrics, "test");
    edge.protect(router)
        .merge(probes::router(Health::new(), metrics))
}

/// An answer of more than the buffers on the way to a client take. It is no memory of its own, for the tests that measure
/// how much of that there is.
pub(super) static LARGE: [u8; 4 << 20] = [0; 4 << 20];

pub(super) struct Running {
    pub(super) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Running {
    /// Serves `router` behind an edge with [`settings`].
    pub(super) async fn start(router: Router) -> Self {
        Self::serve(server(protected(&settings(), router)).await)
    }

    pub(super) fn serve(server: Server) -> Self {
        let address = server.address();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.serve(async {
            let _ = stopped.await;
        }));
        Self {
            address,
            stop,
            task,
        }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends `bytes` and returns all answers until the server closes.
    pub(super) async fn exchange(&self, bytes: impl AsRef<[u8]>) -> Vec<Answer> {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_ref()).await.unwrap();
        let mut read = Vec::new();
        stream.read_to_end(&mut read).await.unwrap();
        Answer::all(&read)
    }

    /// Sends one request, whose head is `head` and what a polite client adds.
    pub(super) async fn send(&self, head: &str, body: &str) -> Answer {
        let length = body.len();
        let request = format!(
            "{head}\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let mut answers = self.exchange(request).await;
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        let head = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        self.exchange(head).await.remove(0)
    }

    pub(super) async fn metrics(&self) -> String {
        self.get("/metrics").await.body
    }

    /// Tells the server to stop.
    pub(super) fn stop(self) -> JoinHandle<io::Result<()>> {
        self.stop.send(()).unwrap();
        self.task
    }
}

pub(super) async fn server(router: Router) -> Server {
    let loopback = ([127, 0, 0, 1], 0).into();
    Server::bind(loopback, router).await.unwrap()
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    fn all(mut bytes: &[u8]) -> Vec<Self> {
        let mut answers = Vec::new();
        while !bytes.is_empty() {
            let (answer, rest) = Self::first(bytes);
            answers.push(answer);
            bytes = rest;
        }
        answers
    }

    /// Returns the first answer, whose body is as long as it says or goes on to the end.
    fn first(bytes: &[u8]) -> (Self, &[u8]) {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let (head, rest) = bytes.split_at(end.unwrap() + 4);
        let mut lines = str::from_utf8(head).unwrap().trim_end().lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        };
        let mut answer = Self {
            status: status.parse().unwrap(),
            headers: lines.map(header).collect(),
            body: String::new(),
        };
        let length = answer.header("content-length");
        let length = length.map_or(rest.len(), |length| length.parse().unwrap());
        let (body, rest) = rest.split_at(length.min(rest.len()));
        answer.body = str::from_utf8(body).unwrap().to_owned();
        (answer, rest)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the members of the problem, which it must be, with its own status.
    #[track_caller]
    pub(super) fn problem(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{self:?}"
        );
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], self.status);
        assert!(problem["title"].is_string() && problem["detail"].is_string());
        problem
    }

    /// Asserts that it is the problem `slug` with `status`.
    #[track_caller]
    pub(super) fn is_problem(&self, status: u16, slug: &str) {
        let kind = self.problem()["type"].clone();
        let expected = format!("urn:sealane:problem:{slug}");
        assert_eq!((self.status, kind), (status, expected.into()), "{self:?}");
    }
}
