//! Temporal goes away and comes back.

use std::time::Duration;

use futures_util::future::{join, join_all};
use sealane_dev::server::{DevServer, Options};
use sealane_tests::{orders::patiently, process::probe, temporal_cli};
use serde_json::json;
use tokio::time::timeout;

use crate::{
    answer::Answer,
    service::{Service, order_document},
};

/// Twice what a request may take that the server does not answer. Nothing here asserts how fast it is.
const FAST: Duration = Duration::from_secs(10);

#[tokio::test]
async fn without_temporal_every_route_says_so_soon_and_recovers() -> anyhow::Result<()> {
    let cli = temporal_cli().await?;
    let mut options = Options::default();
    let server = DevServer::start(&cli, &options).await?;
    let service = Service::alone_on(&server).await?;
    let id = service.start_idle().await;
    let base = format!("/api/v1/workflows/{id}");
    let port = server
        .address()
        .rsplit_once(':')
        .map(|(_, port)| port.parse());
    options.port = port.transpose()?;
    drop(server);

    for answer in timeout(FAST, ask_everything(&service, &base)).await? {
        answer.is_problem(503, "unavailable");
        assert_eq!(answer.header("retry-after"), "1");
    }
    becomes(&service, 503).await;
    // From now on nobody waits for the server.
    let answer = service.get("/async?name=Ada").await;
    let detail = answer.is_problem(503, "unavailable")["detail"].to_string();
    assert!(detail.contains("when it was last asked"), "{detail}");
    assert_eq!(probe(&service.url("/livez")).await?.status, 200);

    let _server = DevServer::start(&cli, &options).await?;
    becomes(&service, 200).await;
    let started = service.get("/async?name=Ada").await;
    started.is(202);
    Ok(())
}

/// Asks all routes at once, for each of them takes its time.
async fn ask_everything(service: &Service, base: &str) -> Vec<Answer> {
    let gets = [
        "/api/v1/workflows".to_owned(),
        "/orders/A-1".to_owned(),
        "/async?name=Ada".to_owned(),
        "/sync?name=Ada".to_owned(),
        base.to_owned(),
        format!("{base}/result?wait=60s"),
    ];
    let posts = [
        ("/api/v1/workflows".to_owned(), json!({"type": "Idle"})),
        ("/orders".to_owned(), order_document("A-1")),
        ("/orders/A-1/cancel".to_owned(), json!({})),
        (format!("{base}/cancel"), json!({})),
        (format!("{base}/terminate"), json!({})),
        (format!("{base}/signals/s"), json!({})),
        (format!("{base}/queries/q"), json!({})),
        (format!("{base}/updates/u?wait=60s"), json!({})),
    ];
    let got = join_all(gets.iter().map(|path| service.get(path)));
    let posted = join_all(posts.iter().map(|(path, body)| service.post(path, body)));
    let (mut got, posted) = join(got, posted).await;
    got.extend(posted);
    got
}

async fn becomes(service: &Service, status: u16) {
    let ready = service.url("/readyz");
    let asking = async {
        while probe(&ready).await.expect("it answers").status != status {
            tokio::task::yield_now().await;
        }
    };
    patiently("readiness", asking).await;
}

#[tokio::test]
async fn a_namespace_that_is_missing_is_told_and_not_ready() -> anyhow::Result<()> {
    let mut world = sealane_tests::World::new().await;
    world.set("TEMPORAL_NAMESPACE", "nowhere");
    let service = Service::alone_in(world).await?;

    let answer = service.get("/async?name=Ada").await;
    let ready = probe(&service.url("/readyz")).await?;

    answer.is_problem(503, "namespace-missing");
    assert_eq!(ready.status, 503, "{}", ready.body);
    Ok(())
}
