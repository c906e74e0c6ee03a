//! Start and end of the process.

use std::time::Duration;

use sealane_service::exit;
use sealane_tests::{World, orders::patiently, process::Process};
use tokio::net::TcpListener;

use crate::service::{SEALANE, Service, address, client};

#[tokio::test]
async fn without_auth_only_this_machine_may_ask() -> anyhow::Result<()> {
    let mut world = World::new().await;
    world.set("SEALANE_HTTP_ADDR", "0.0.0.0:0");

    let ended = Process::start(SEALANE, &["serve"], world.variables())?
        .ends()
        .await?;

    assert_eq!(ended.code, Some(exit::SETTINGS.into()), "{:?}", ended.said);
    let last = ended.said.last().map(String::as_str).unwrap_or_default();
    assert!(last.contains("SEALANE_AUTH"), "{last}");
    Ok(())
}

#[tokio::test]
async fn it_leaves_no_core_dump() -> anyhow::Result<()> {
    let service = Service::alone().await?;

    assert_eq!(service.process.core_limit()?, "0 0");
    Ok(())
}

#[tokio::test]
async fn without_temporal_it_ends_as_a_worker_does() -> anyhow::Result<()> {
    let mut world = World::new().await;
    let nobody = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    world.set("TEMPORAL_ADDRESS", nobody.to_string());

    let ended = Process::start(SEALANE, &["serve"], world.variables())?
        .ends()
        .await?;

    assert_eq!(
        ended.code,
        Some(exit::UNAVAILABLE.into()),
        "{:?}",
        ended.said
    );
    Ok(())
}

#[tokio::test]
async fn requests_that_come_before_the_connection_are_told_to_wait() -> anyhow::Result<()> {
    let mut world = World::new().await;
    // Accepts, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    world.set("TEMPORAL_ADDRESS", silent.local_addr()?.to_string());
    let process = Process::start(SEALANE, &["serve"], world.variables())?;
    let address = address(&process).await?;

    let url = |path: &str| format!("http://{address}{path}");
    let answer = client()?.get(url("/async?name=Ada")).send().await?;
    let ready = client()?.get(url("/readyz")).send().await?;

    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(ready.status(), 503);
    Ok(())
}

#[tokio::test]
async fn whoever_waits_is_answered_when_the_process_is_told_to_end() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let id = service.start_idle().await;
    let path = format!("/api/v1/workflows/{id}/result?wait=60s");

    let answer = {
        let mut waiting = std::pin::pin!(service.get(&path));
        // The request has to be there before the signal.
        let early = tokio::time::timeout(Duration::from_millis(500), &mut waiting).await;
        assert!(early.is_err(), "answered without waiting");
        service.process.signal("TERM").await?;
        patiently("the answer", waiting).await
    };

    assert_eq!(answer.is(202)["status"], "RUNNING");
    let ended = service.process.ends().await?;
    assert_eq!(ended.code, Some(0), "{:?}", ended.said);
    Ok(())
}
