//! A worker whose memory is nearly used up ends as if asked to, before the kernel would kill it.

use anyhow::Context;
use sealane_client::{
    payload::from_json,
    workflow::{Start, Workflows},
};
use sealane_dev::gateway::Operation::Pack;
use sealane_tests::{
    orders::{order, patiently},
    process::{Process, memory},
};
use sealane_workflows::orders::Receipt;
use serde_json::json;

use crate::support::{Yard, start};

/// What the worker of the test may grow by, in bytes. Without work it stays well below.
const ROOM: u64 = 12 << 20;

/// Bytes of one greeting, which is in memory many times while it is worked on.
const GREETING: usize = 400_000;

#[tokio::test]
async fn a_worker_drains_before_its_memory_is_used_up_and_another_goes_on() -> anyhow::Result<()> {
    let yard = Yard::open(&[]).await?;
    let mut variables = yard.variables().clone();
    let limit = (anonymous(&yard.start_worker().await?)? + ROOM) * 100 / 85;
    variables.insert("SEALANE_MEMORY_LIMIT".to_owned(), limit.to_string());
    let worker = start(&[], &variables)?;
    worker.says("polling for tasks").await?;
    let placed = yard.shop.hold_at_parcel(order("A-1", &["tea"]), 0).await?;
    assert!(!worker.lines().concat().contains("memory is nearly"));

    tokio::select! {
        said = worker.says("memory is nearly used up") => { said?; }
        never = greet_for_ever(&yard) => never?,
    }
    worker.says("\"draining\"").await?;
    yard.shop.resume();
    let ended = worker.ends().await?;

    assert_eq!(ended.code, Some(0), "{ended:?}");
    let second = yard.start_worker().await?;
    let receipt = yard.shop.result(&placed).await?;
    assert!(matches!(receipt, Receipt::Shipped { .. }), "{receipt:?}");
    let attempts = yard.shop.keys_of(Pack(0)).len();
    assert_eq!(attempts, 1, "the activity finished and was not retried");
    drop(second);
    Ok(())
}

/// Starts greetings that fill the worker's memory, eight and then the next eight.
async fn greet_for_ever(yard: &Yard) -> anyhow::Result<()> {
    let workflows = Workflows::new(yard.shop.client().clone(), None);
    let task_queue = &yard.variables()["TEMPORAL_TASK_QUEUE"];
    for number in 0_u64.. {
        let begin = Start {
            workflow_type: "GreetingWorkflow".to_owned(),
            workflow_id: format!("greeting-{number}-{task_queue}"),
            task_queue: task_queue.clone(),
            input: vec![from_json(&json!("x".repeat(GREETING)))],
            ..Start::default()
        };
        let execution = workflows.start(begin).await?.execution();
        if number % 8 == 7 {
            patiently("a greeting", workflows.outcome(&execution)).await?;
        }
    }
    Ok(())
}

/// Returns the memory of `worker` that counts, in bytes.
fn anonymous(worker: &Process) -> anyhow::Result<u64> {
    let kibibytes = worker.id().and_then(|pid| memory(pid, "RssAnon"));
    Ok(kibibytes.context("the worker has ended")? * 1024)
}
