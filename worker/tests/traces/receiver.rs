use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use sealane_tests::World;
use serde_json::json;

use crate::scene::{collector, result, start, worker, workflows};

/// An address at which nothing listens.
fn nobody() -> anyhow::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    Ok(format!("http://{}", listener.local_addr()?))
}

#[tokio::test]
async fn without_a_receiver_work_goes_on_and_one_warning_says_so() -> anyhow::Result<()> {
    let mut world = World::new().await;
    world.set("OTEL_EXPORTER_OTLP_ENDPOINT", nobody()?);
    let worker = worker(&world).await?;
    let workflows = workflows(&world).await?;

    for name in ["Ada", "Grace"] {
        let mut start = start(&world, "GreetingWorkflow", &json!(name));
        start.workflow_id = world.id(name);
        let execution = workflows.start(start).await?.execution();
        result(&workflows, &execution).await?;
        worker.says("spans cannot be sent").await?;
    }
    let metrics = worker.probe("/metrics").await?.body;
    worker.signal("TERM").await?;
    let ended = worker.ends().await?;

    assert_eq!(ended.code, Some(0));
    let failures = metrics
        .lines()
        .find_map(|line| line.strip_prefix("sealane_trace_export_failures_total "));
    assert!(failures.is_some_and(|count| count != "0"), "{metrics}");
    let warnings = ended.said.iter().filter(|it| it.contains("spans cannot"));
    assert_eq!(warnings.count(), 1, "{:#?}", ended.said);
    Ok(())
}

/// An address at which everybody is told to go to `target`.
fn elsewhere(target: &str) -> anyhow::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let url = format!("http://{}", listener.local_addr()?);
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {target}/v1/traces\r\n\
         content-length: 0\r\nconnection: close\r\n\r\n"
    );
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream?;
            let mut part = [0; 4096];
            let _head = stream.read(&mut part)?;
            stream.write_all(answer.as_bytes())?;
            // To hang up on whoever still sends would be another answer.
            while stream.read(&mut part)? > 0 {}
        }
        std::io::Result::Ok(())
    });
    Ok(url)
}

#[tokio::test]
async fn a_receiver_that_sends_elsewhere_is_not_followed() -> anyhow::Result<()> {
    let collector = collector().await;
    let mut world = World::new().await;
    world
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", elsewhere(&collector.url())?)
        .set("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=elsewhere-c07d12");
    let worker = worker(&world).await?;
    let workflows = workflows(&world).await?;
    let start = start(&world, "GreetingWorkflow", &json!("Ada"));
    let execution = workflows.start(start).await?.execution();
    result(&workflows, &execution).await?;

    let said = worker.says("spans cannot be sent").await?;

    assert!(said.contains("the receiver answered 307"), "{said}");
    assert!(!collector.was_sent("x-api-key", "elsewhere-c07d12"));
    Ok(())
}

#[tokio::test]
async fn without_an_endpoint_nothing_is_traced() -> anyhow::Result<()> {
    let world = World::new().await;
    let worker = worker(&world).await?;

    worker.signal("TERM").await?;
    let ended = worker.ends().await?;

    assert!(
        !ended
            .said
            .iter()
            .any(|line| line.contains("traces are sent"))
    );
    Ok(())
}

#[tokio::test]
async fn the_receivers_credentials_are_sent_and_not_logged() -> anyhow::Result<()> {
    let collector = collector().await;
    let mut world = World::new().await;
    world
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .set("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=worker-5f1c9a7e")
        .set("OTEL_SERVICE_NAME", "shop-worker")
        .set("SEALANE_LOG", "trace");
    let worker = worker(&world).await?;
    let workflows = workflows(&world).await?;
    let start = start(&world, "GreetingWorkflow", &json!("Ada"));
    let execution = workflows.start(start).await?.execution();
    result(&workflows, &execution).await?;

    worker.signal("TERM").await?;
    let ended = worker.ends().await?;

    assert!(collector.was_sent("x-api-key", "worker-5f1c9a7e"));
    assert!(collector.has_seen("shop-worker"));
    let leaks = ended.said.iter().filter(|it| it.contains("5f1c9a7e"));
    assert_eq!(leaks.count(), 0);
    Ok(())
}
