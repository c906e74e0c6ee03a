//! `--exit-when-idle`: a worker that ends when its task queue has nothing more.

use std::time::Duration;

use sealane_client::workflow::{Ending, Outcome, Start, Workflows};
use sealane_dev::gateway::{Operation::Pack, Throttle};
use sealane_service::encryption;
use sealane_tests::{
    World,
    orders::{order, patiently},
    process::{Ended, Process},
};
use sealane_workflows::orders::Receipt;
use serde_json::json;

use crate::support::{Yard, start};

mod local;

const BURST: usize = 50;

/// The idle time of these tests.
const LIMIT: Duration = Duration::from_secs(2);

fn brief(yard: &Yard) -> anyhow::Result<Process> {
    start(&["--exit-when-idle", "2s"], yard.variables())
}

fn assert_ended_by_itself(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for event in ["nothing to do", "draining", "drained"] {
        let said = ended.said.iter().filter(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            line["message"] == event
        });
        assert_eq!(said.count(), 1, "{event:?} in {ended:#?}");
    }
}

#[tokio::test]
async fn a_burst_of_workflows_is_done_before_the_worker_ends() -> anyhow::Result<()> {
    let world = World::new().await;
    let codec = encryption::codec(&world.settings().encryption).await?;
    let workflows = Workflows::new(world.client().await, codec);
    let mut executions = Vec::new();
    for number in 0..BURST {
        let greeting = Start {
            workflow_type: "GreetingWorkflow".to_owned(),
            workflow_id: world.id(&format!("greeting-{number}")),
            task_queue: world.task_queue().to_owned(),
            input: vec![sealane_client::payload::from_json(&json!("Ada"))],
            ..Start::default()
        };
        executions.push(workflows.start(greeting).await?);
    }

    let worker = start(&["--exit-when-idle", "2s"], world.variables())?;
    let ended = worker.ends().await?;

    assert_ended_by_itself(&ended);
    for execution in &executions {
        let outcome: Outcome =
            patiently("the outcome", workflows.outcome(&execution.execution())).await?;
        assert!(
            matches!(outcome.ending, Ending::Completed(_)),
            "{outcome:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn without_any_work_the_worker_ends_after_the_wait_and_not_before() -> anyhow::Result<()> {
    let yard = Yard::open(&[]).await?;
    let worker = brief(&yard)?;

    let ended = worker.ends().await?;

    assert_ended_by_itself(&ended);
    let waited = ended.between("polling for tasks", "nothing to do")?;
    // The wait begins a moment before the first line is written, which may be a long one on a busy machine. A worker that
    // does not wait is far from half of it.
    assert!(waited > LIMIT / 2, "{waited:?}");
    Ok(())
}

#[tokio::test]
async fn a_running_activity_keeps_the_worker() -> anyhow::Result<()> {
    let yard = Yard::open(&[]).await?;
    let worker = brief(&yard)?;
    let placed = yard.shop.hold_at_parcel(order("A-1", &["tea"]), 0).await?;

    tokio::time::sleep(3 * LIMIT).await;
    let kept = worker.probe("/readyz").await?;
    yard.shop.resume();
    let ended = worker.ends().await?;

    assert_eq!(kept.status, 200, "{kept:?}");
    assert_ended_by_itself(&ended);
    let receipt = yard.shop.result(&placed).await?;
    assert!(matches!(receipt, Receipt::Shipped { .. }), "{receipt:?}");
    assert_eq!(yard.shop.keys_of(Pack(0)).len(), 1, "it was not retried");
    Ok(())
}

#[tokio::test]
async fn a_workflow_that_waits_keeps_nobody_and_goes_on_with_the_next_worker() -> anyhow::Result<()>
{
    let yard = Yard::open(&[]).await?;
    yard.shop.gateway.turn(|knobs| {
        knobs.throttle = Some(Throttle {
            next: 1,
            retry_after_seconds: 15,
            status: 429,
        });
    });
    let placed = yard.shop.place(order("A-1", &["tea"])).await?;

    let first = brief(&yard)?.ends().await?;
    let waiting = yard.shop.effects();
    let second = yard.start_worker().await?;
    let receipt = yard.shop.result(&placed).await?;

    assert_ended_by_itself(&first);
    assert_eq!(waiting, [], "a worker that is kept makes the order go on");
    assert!(matches!(receipt, Receipt::Shipped { .. }), "{receipt:?}");
    drop(second);
    Ok(())
}

#[tokio::test]
async fn sigterm_during_the_wait_drains_at_once() -> anyhow::Result<()> {
    let yard = Yard::open(&[]).await?;
    let worker = start(&["--exit-when-idle", "1h"], yard.variables())?;
    worker.says("polling for tasks").await?;

    worker.signal("TERM").await?;
    let ended = worker.ends().await?;

    assert_eq!(ended.code, Some(0), "{ended:?}");
    let said = ended.said.join("\n");
    assert!(!said.contains("nothing to do"), "{said}");
    assert!(said.contains("\"drained\""), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_wait_that_is_no_duration_is_a_usage_error() -> anyhow::Result<()> {
    for value in ["soon", "0s", "999ms", "2h", "30", "-5s", ""] {
        let argument = format!("--exit-when-idle={value}");
        let ended = start(&[&argument], &std::collections::BTreeMap::new())?;
        let ended = ended.ends().await?;

        assert_eq!(ended.code, Some(64), "{value}: {ended:?}");
        let line = &ended.said[0];
        for part in [value, "--exit-when-idle", "from 1s to 1h"] {
            assert!(line.contains(part), "no {part:?} in: {line}");
        }
    }
    Ok(())
}
