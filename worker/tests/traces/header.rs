use opentelemetry::trace::FutureExt;
use sealane_client::workflow::{Execution, Workflows};
use sealane_codec::is_encrypted;
use sealane_tests::{TestWorker, orders::patiently, traced};
use serde_json::json;
use temporalio_common::protos::temporal::api::{
    common::v1::Payload, history::v1::history_event::Attributes,
};

use crate::scene::{Asker, collector, has, only, readable, result, start, workflows, world};

/// The trace context with which the workflow was started and its activity scheduled, as the server
/// has it.
async fn headers(workflows: &Workflows, execution: &Execution) -> anyhow::Result<[Payload; 2]> {
    let history = workflows.encrypted_history(execution).await?;
    let events = history.events.into_iter();
    let headers = events.filter_map(|event| match event.attributes? {
        Attributes::WorkflowExecutionStartedEventAttributes(it) => it.header,
        Attributes::ActivityTaskScheduledEventAttributes(it) => it.header,
        _ => None,
    });
    let found: Vec<_> = headers
        .filter_map(|mut header| header.fields.remove("_tracer-data"))
        .collect();
    found
        .try_into()
        .map_err(|found| anyhow::anyhow!("{found:?}"))
}

#[tokio::test]
async fn trace_context_is_readable_for_everybody() -> anyhow::Result<()> {
    let world = world().await;
    let worker = TestWorker::start(world.settings(), traced::register);
    let workflows = workflows(&world).await?;
    let asker = Asker::new();

    let start = start(&world, "TracedWorkflow", &json!(null));
    let starting = workflows.start(start).with_context(asker.context());
    let execution = starting.await?.execution();
    result(&workflows, &execution).await?;
    worker.stop().await?;

    for header in headers(&workflows, &execution).await? {
        let context = readable(&header).expect("JSON");
        let fields = context.as_object().expect("an object");
        assert_eq!(fields.len(), 1, "{context}");
        let parent = fields["traceparent"].as_str().unwrap_or_default();
        assert_eq!(parent[3..35], asker.trace_id());
    }
    Ok(())
}

#[tokio::test]
async fn where_plaintext_is_refused_trace_context_is_encrypted_and_arrives() -> anyhow::Result<()> {
    let mut world = world().await;
    world.set("SEALANE_DECODE", "strict");
    let worker = TestWorker::start(world.settings(), traced::register);
    let workflows = workflows(&world).await?;
    let asker = Asker::new();

    let start = start(&world, "TracedWorkflow", &json!(null));
    let starting = workflows.start(start).with_context(asker.context());
    let execution = starting.await?.execution();
    result(&workflows, &execution).await?;
    worker.stop().await?;

    for header in headers(&workflows, &execution).await? {
        assert!(is_encrypted(&header), "{header:?}");
    }
    let enough =
        |spans: &[_]| has(spans, "RunWorkflow:TracedWorkflow") && has(spans, "RunActivity:look");
    let spans = collector().await.trace(&asker.trace_id(), enough).await?;
    let started = only(&spans, "StartWorkflow:TracedWorkflow");
    let run = only(&spans, "RunWorkflow:TracedWorkflow");
    assert_eq!(run.parent_id, started.span_id);
    Ok(())
}

#[tokio::test]
async fn a_workflow_that_was_started_without_context_begins_a_trace() -> anyhow::Result<()> {
    let world = world().await;
    let worker = TestWorker::start(world.settings(), traced::register);
    let workflows = workflows(&world).await?;
    let cli = sealane_tests::temporal_cli().await?;

    let id = world.id("without");
    let address = &world.variables()["TEMPORAL_ADDRESS"];
    let starting = tokio::process::Command::new(&cli.path)
        .args([
            "workflow",
            "start",
            "--address",
            address,
            "--workflow-id",
            &id,
        ])
        .args(["--type", "TracedWorkflow", "--input", "null"])
        .args(["--task-queue", world.task_queue()])
        .kill_on_drop(true)
        .output();
    let started = patiently("the Temporal CLI", starting).await?;
    assert!(started.status.success(), "{started:?}");
    let execution = Execution {
        workflow_id: id,
        run_id: None,
    };
    let seen = result(&workflows, &execution).await?;
    worker.stop().await?;

    let parent = seen[0]["traceparent"].as_str().unwrap_or_default();
    let enough = |spans: &[_]| has(spans, "RunWorkflow:TracedWorkflow");
    let spans = collector().await.trace(&parent[3..35], enough).await?;
    assert_eq!(only(&spans, "RunWorkflow:TracedWorkflow").parent_id, "");
    Ok(())
}
