//! `sealane trigger` while the server goes away and comes back.

use std::collections::BTreeSet;

use anyhow::Context;
use sealane_dev::server::{DevServer, Options};
use sealane_tests::{World, temporal_cli};
use serde_json::Value;

use crate::terminal::{Finished, Terminal};

#[tokio::test]
async fn a_trigger_outlives_the_server_and_starts_nothing_twice() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let cli = temporal_cli().await?;
    let mut options = Options {
        database: Some(folder.path().join("temporal.db")),
        ..Options::default()
    };
    let server = DevServer::start(&cli, &options).await?;
    let world = World::on(&server);
    let terminal = Terminal::of(&world);
    options.port = Some(port(&server)?);

    // Nobody runs them: what counts is that they were started.
    let trigger = terminal.start("trigger Idle --every 100ms")?;
    trigger.says("workflow started").await?;
    drop(server);
    let interrupted = trigger.says("workflow not started, trying again").await?;
    let _server = DevServer::start(&cli, &options).await?;
    let id = workflow_id(&interrupted)?;
    let made_up_for = format!(r#""message":"workflow started","workflow.id":"{id}""#);
    trigger.says(&made_up_for).await?;
    trigger.signal("TERM").await?;
    let ended = trigger.ends().await?;

    assert_eq!(ended.code, Some(0), "{:?}", ended.said);
    let told = started(&ended.said)?;
    let kept = listed(&terminal, &told).await;
    let counters: BTreeSet<_> = kept.iter().map(|id| counter(id)).collect();
    assert_eq!(counters.len(), kept.len(), "twice: {kept:?}");
    Ok(())
}

fn port(server: &DevServer) -> anyhow::Result<u16> {
    let (_, port) = server.address().rsplit_once(':').context("no port")?;
    Ok(port.parse()?)
}

/// The ids that the trigger says it has started.
fn started(log: &[String]) -> anyhow::Result<BTreeSet<String>> {
    let lines = log.iter().filter(|line| line.contains("workflow started"));
    lines.map(|line| workflow_id(line)).collect()
}

fn workflow_id(line: &str) -> anyhow::Result<String> {
    let event: Value = serde_json::from_str(line)?;
    let id = event["workflow.id"].as_str().context("no workflow id")?;
    Ok(id.to_owned())
}

/// The ids that the server has, once all that were `told` are among them.
async fn listed(terminal: &Terminal, told: &BTreeSet<String>) -> BTreeSet<String> {
    // Lists lag behind.
    let list = "workflow list -o json --limit 10000";
    let all = |it: &Finished| told.is_subset(&ids(&it.json()));
    ids(&terminal.until(list, all).await.json())
}

fn ids(rows: &Value) -> BTreeSet<String> {
    let rows = rows.as_array().into_iter().flatten();
    rows.filter_map(|row| row["workflowId"].as_str())
        .map(str::to_owned)
        .collect()
}

/// The counter in an id such as `Idle-7-20261121T104200042Z`.
fn counter(id: &str) -> &str {
    id.split('-').nth(1).expect("an id holds a counter")
}
