//! The HTTP API and the trigger, while the container is there, is not, and does not answer.

use std::{fs, net::SocketAddr};

use anyhow::Context;
use sealane_client::workflow::Execution;
use sealane_tests::{azurite, orders::patiently, process::Process};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::stage::{Stage, long_name};

/// Told by whoever asks for what is stored.
const OUTAGE: &str = "the storage of large payloads does not answer";

/// `sealane serve`, and where it listens.
struct Api {
    url: String,
    // Stops when the test ends.
    _process: Process,
}

impl Api {
    async fn start(stage: &Stage) -> anyhow::Result<Self> {
        let process = stage.start_sealane(&["serve"])?;
        process.says("requests are answered").await?;
        let event: Value = serde_json::from_str(&process.says("http.address").await?)?;
        let address = event["http.address"].as_str().context("no address")?;
        Ok(Self {
            url: format!("http://{address}/api/v1/workflows"),
            _process: process,
        })
    }

    async fn start_workflow(&self, id: &str, name: &str) -> anyhow::Result<(u16, Value)> {
        let body = json!({"type": "GreetingWorkflow", "workflowId": id, "input": [name]});
        let body = body.to_string();
        let request = client()?.post(&self.url).body(body);
        answer(request.header("content-type", "application/json")).await
    }

    async fn result(&self, id: &str) -> anyhow::Result<(u16, Value)> {
        answer(client()?.get(format!("{}/{id}/result", self.url))).await
    }
}

fn client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

async fn answer(request: reqwest::RequestBuilder) -> anyhow::Result<(u16, Value)> {
    let answer = patiently("an answer", request.send()).await?;
    let status = answer.status().as_u16();
    Ok((status, serde_json::from_str(&answer.text().await?)?))
}

/// Where connections are taken, and nothing is said.
async fn silence() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    Ok(address)
}

#[tokio::test]
async fn the_api_stores_and_fetches_and_says_503_while_it_cannot() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let azurite = Some(stage.azurite.address());
    let _worker = stage.start_worker().await?;
    let api = Api::start(&stage).await?;
    let (id, name) = (stage.world.id("large"), long_name(300_000));

    stage.fake.forward(azurite::HOST, None);
    let (status, problem) = api.start_workflow(&id, &name).await?;
    assert_eq!((status, &problem["detail"]), (503, &OUTAGE.into()));
    stage.fake.forward(azurite::HOST, azurite);
    let (status, started) = api.start_workflow(&id, &name).await?;
    assert_eq!(status, 202, "{started}");
    let execution = Execution {
        workflow_id: id.clone(),
        run_id: None,
    };
    let workflows = stage.workflows().await?;
    patiently("its end", workflows.outcome(&execution)).await?;

    // One that has nothing in memory, and no connection.
    let api = Api::start(&stage).await?;
    stage.fake.forward(azurite::HOST, Some(silence().await?));
    let (status, problem) = api.result(&id).await?;
    assert_eq!((status, &problem["detail"]), (503, &OUTAGE.into()));
    stage.fake.forward(azurite::HOST, azurite);
    let (status, completed) = api.result(&id).await?;

    assert_eq!((status, &completed["status"]), (200, &"COMPLETED".into()));
    let greeting = format!("Final result: Processed: Hello, {name}!");
    assert!(completed["result"] == greeting);
    Ok(())
}

#[tokio::test]
async fn a_trigger_tries_again_until_its_input_is_stored() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let input = stage.world.folder().join("input.json");
    fs::write(&input, json!(long_name(300_000)).to_string())?;
    let input = format!("@{}", input.display());
    stage.fake.forward(azurite::HOST, None);

    let line = ["trigger", "Nobody", "--every", "1h", "--input-template"];
    let trigger = stage.start_sealane(&[&line[..], &[&input]].concat())?;
    trigger.says("workflow not started, trying again").await?;
    stage
        .fake
        .forward(azurite::HOST, Some(stage.azurite.address()));
    trigger.says("workflow started").await?;

    trigger.signal("TERM").await?;
    assert_eq!(trigger.ends().await?.code, Some(0));
    assert_eq!(stage.azurite.names().await?.len(), 1);
    Ok(())
}
