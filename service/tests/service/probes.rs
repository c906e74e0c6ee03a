use std::net::SocketAddr;

use sealane_service::{
    exit,
    probes::{self, Health, Metrics, Server},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn start(health: Health) -> Running {
    let router = probes::router(health, Metrics::new());
    let server = Server::bind(([127, 0, 0, 1], 0).into(), router)
        .await
        .unwrap();
    let address = server.address();
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(server.serve(async {
        let _ = stopped.await;
    }));
    Running {
        address,
        stop,
        task,
    }
}

impl Running {
    /// Returns status and body.
    async fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (
            head.split(' ').nth(1).unwrap().parse().unwrap(),
            body.to_owned(),
        )
    }
}

#[tokio::test]
async fn probes_follow_the_life_of_the_process() {
    let health = Health::new();
    health.set("key_ring", Ok(()));
    let running = start(health.clone()).await;

    assert_eq!(running.get("/readyz").await.0, 503);
    assert_eq!(running.get("/livez").await.0, 200);

    health.readiness().ready();
    assert_eq!(running.get("/readyz").await.0, 200);

    health.set("key_ring", Err("no key".to_owned()));
    let (status, body) = running.get("/readyz").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (status, &body["checks"]["key_ring"]["reason"]),
        (503, &Value::from("no key"))
    );

    health.set("key_ring", Ok(()));
    health.readiness().drain();
    assert_eq!(running.get("/readyz").await.0, 503);
    assert_eq!(running.get("/livez").await.0, 200);
}

#[tokio::test]
async fn a_failed_liveness_check_fails_livez() {
    let health = Health::new();
    health.add_liveness("watchdog", || Err("blocked".to_owned()));
    let running = start(health).await;

    let (status, body) = running.get("/livez").await;

    assert_eq!(status, 503);
    assert!(body.contains("blocked"), "{body}");
}

#[tokio::test]
async fn aliases_answer_like_the_paths_they_stand_for() {
    let running = start(Health::new()).await;

    for (alias, path) in [("/health", "/livez"), ("/ready", "/readyz")] {
        assert_eq!(running.get(alias).await, running.get(path).await);
    }
}

#[tokio::test]
async fn metrics_are_served_as_text() {
    let running = start(Health::new()).await;

    let (status, body) = running.get("/metrics").await;

    assert_eq!(status, 200);
    assert!(body.contains("sealane_build_info{version="), "{body}");
}

#[tokio::test]
async fn the_server_stops_when_told_to() {
    let running = start(Health::new()).await;

    running.stop.send(()).unwrap();

    running.task.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_named_with_its_setting() {
    let running = start(Health::new()).await;

    let error = Server::bind(running.address, axum::Router::new())
        .await
        .unwrap_err();

    let text = exit::with_causes(&error);
    assert!(text.contains(&running.address.to_string()), "{text}");
    assert!(text.contains("SEALANE_HTTP_ADDR"), "{text}");
}
