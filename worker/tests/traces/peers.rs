use opentelemetry::trace::FutureExt;
use sealane_tests::{TestWorker, python::Python, traced};
use serde_json::json;

use crate::scene::{Asker, collector, has, only, result, start, workflows, world};

#[tokio::test]
async fn python_reads_the_context_of_our_client_and_of_our_workflow() -> anyhow::Result<()> {
    let python = Python::with_temporal().await?;
    let ours = world().await;
    let mut theirs = world().await;
    // One key for both, or neither could read what the other answers.
    let key_file = ours.key_file().display().to_string();
    theirs.set("SEALANE_KEY_FILE", key_file);
    let peer = python.start("trace_worker.py", &theirs)?;
    peer.says("polling").await?;
    let worker = TestWorker::start(ours.settings(), traced::register);
    let workflows = workflows(&ours).await?;
    let asker = Asker::new();

    let mut of_python = start(&theirs, "PeerTraced", &json!(null));
    of_python.input.clear();
    let starting = workflows.start(of_python).with_context(asker.context());
    let told = result(&workflows, &starting.await?.execution()).await?;
    let of_ours = start(&ours, "TracedWorkflow", &json!(theirs.task_queue()));
    let starting = workflows.start(of_ours).with_context(asker.context());
    let seen = result(&workflows, &starting.await?.execution()).await?;
    worker.stop().await?;

    let enough =
        |spans: &[_]| has(spans, "StartWorkflow:PeerTraced") && has(spans, "StartActivity:look");
    let spans = collector().await.trace(&asker.trace_id(), enough).await?;
    for (told, by) in [
        (&told, "StartWorkflow:PeerTraced"),
        (&seen[1]["traceparent"], "StartActivity:look"),
    ] {
        let by = only(&spans, by);
        let expected = format!("00-{}-{}-01", by.trace_id, by.span_id);
        assert_eq!(told.as_str(), Some(expected.as_str()));
    }
    Ok(())
}

#[tokio::test]
async fn our_worker_goes_on_with_the_trace_of_a_python_client() -> anyhow::Result<()> {
    let python = Python::with_temporal().await?;
    let world = world().await;
    let worker = TestWorker::start(world.settings(), traced::register);
    let asker = Asker::new();

    let context = json!({"traceparent": asker.traceparent()});
    let id = world.id("from-python");
    let arguments = [id.as_str()];
    let script = python.run("trace_client.py", &arguments, &context, &world);
    let seen = script.await?;
    worker.stop().await?;

    let within = seen[0]["traceparent"].as_str().unwrap_or_default();
    assert_eq!(within[3..35], asker.trace_id());
    let enough = |spans: &[_]| has(spans, "RunWorkflow:TracedWorkflow");
    let spans = collector().await.trace(&asker.trace_id(), enough).await?;
    let run = only(&spans, "RunWorkflow:TracedWorkflow");
    assert_eq!(run.parent_id, asker.span_id());
    Ok(())
}
