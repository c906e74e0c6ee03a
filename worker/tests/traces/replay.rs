use std::fs;

use opentelemetry::trace::FutureExt;
use sealane_tests::histories::files;
use sealane_worker::traces;
use sealane_workflows::{greeting::GreetingWorkflow, orders::OrderWorkflow};
use serde_json::json;
use temporalio_client::WorkflowHistory;
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};

use crate::scene::{Asker, collector, has, only, result, start, worker, workflows, world};

#[tokio::test]
async fn a_workflow_that_replays_at_every_task_is_traced_once() -> anyhow::Result<()> {
    let mut world = world().await;
    world.set("SEALANE_MAX_CACHED_WORKFLOWS", "0");
    let worker = worker(&world).await?;
    let workflows = workflows(&world).await?;
    let asker = Asker::new();

    let start = start(&world, "GreetingWorkflow", &json!("Ada"));
    let starting = workflows.start(start).with_context(asker.context());
    result(&workflows, &starting.await?.execution()).await?;
    worker.signal("TERM").await?;
    worker.ends().await?;

    let enough = |spans: &[_]| has(spans, "StartWorkflow:GreetingWorkflow");
    let spans = collector().await.trace(&asker.trace_id(), enough).await?;
    let started = only(&spans, "StartWorkflow:GreetingWorkflow");
    let ran: Vec<_> = spans
        .iter()
        .filter_map(|span| span.name.strip_prefix("RunActivity:"))
        .collect();
    assert_eq!(ran.len(), 3, "{spans:#?}");
    // The span of the run itself is lost: the worker that began it has forgotten the workflow.
    let run = &only(&spans, &format!("StartActivity:{}", ran[0])).parent_id;
    assert_ne!(*run, started.span_id);
    for name in ran {
        let scheduled = only(&spans, &format!("StartActivity:{name}"));
        assert_eq!(scheduled.parent_id, *run, "a replay gave another id");
    }
    Ok(())
}

#[tokio::test]
async fn recorded_histories_replay_with_traces_on() -> anyhow::Result<()> {
    collector().await;
    let options = WorkflowReplayerOptions::new()
        .worker_plugin(traces::plugin())
        .register_workflow::<GreetingWorkflow>()?
        .register_workflow::<OrderWorkflow>()?;
    let replayer = WorkflowReplayer::new(options.build())?;

    let mut replayed = 0;
    for path in files()? {
        let history = WorkflowHistory::from_json(&fs::read(&path)?)?;
        let outcome = replayer.replay_workflow(history).await;
        assert!(outcome.is_ok(), "{}: {outcome:?}", path.display());
        replayed += 1;
    }

    assert!(replayed > 0, "no history was found");
    Ok(())
}
