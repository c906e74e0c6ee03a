//! `/async` and `/sync`.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::service::Service;

#[tokio::test]
async fn a_greeting_is_started_or_waited_for() -> anyhow::Result<()> {
    let service = Service::start().await?;

    let started = service.get("/async?name=Ada").await;
    let location = started.header("location").to_owned();
    let later = service.get(&format!("{location}?wait=60s")).await;
    let waited = service.get("/sync?name=B%C3%A4r&wait=60s").await;

    assert_eq!(started.is(202)["status"], "RUNNING");
    let greeting = |name: &str| format!("Final result: Processed: Hello, {name}!");
    assert_eq!(later.is(200)["result"], greeting("Ada"));
    assert_eq!(waited.is(200)["result"], greeting("Bär"));
    Ok(())
}

#[tokio::test]
async fn a_greeting_that_takes_longer_says_where_to_ask_again() -> anyhow::Result<()> {
    let service = Service::alone().await?;

    let answer = service.get("/sync?name=Ada&wait=200ms").await;
    let missing = service.get("/sync").await;

    let id = answer.is(202)["workflowId"].clone();
    let location = format!(
        "/api/v1/workflows/{}/result",
        id.as_str().unwrap_or_default()
    );
    assert_eq!(answer.header("location"), location);
    assert_eq!(answer.header("retry-after"), "1");
    missing.is_problem(400, "bad-request");
    Ok(())
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_stop_the_workflow() -> anyhow::Result<()> {
    let service = Service::alone().await?;

    let mut impatient = TcpStream::connect(service.address).await?;
    impatient
        .write_all(b"GET /sync?name=Ada HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await?;
    // It waits for a worker that there is not, so nothing is to be read.
    let read = tokio::time::timeout(Duration::from_millis(1), impatient.read_u8()).await;
    assert!(read.is_err(), "answered: {read:?}");
    drop(impatient);

    let query = format!("TaskQueue = '{}'", service.world.task_queue()).replace(' ', "%20");
    let path = format!("/api/v1/workflows?query={query}");
    let started = |answer: &crate::answer::Answer| {
        answer.is(200)["workflows"].as_array().map(Vec::len) == Some(1)
    };
    let rows = service.until(&path, started).await.is(200);
    assert_eq!(rows["workflows"][0]["status"], "RUNNING");
    Ok(())
}
