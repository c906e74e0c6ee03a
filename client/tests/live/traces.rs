//! `sealane serve` in the traces and logs of whoever operates it.

use sealane_tests::{World, collector::Collector, orders::patiently, process::Process};
use serde_json::Value;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const UNSAMPLED: &str = "4bf92f3577b34da6a3ce929d0e0e4737";
const ASKER: &str = "00f067aa0ba902b7";

#[tokio::test]
async fn a_request_and_the_start_it_leads_to_are_in_the_trace_of_the_asker() -> anyhow::Result<()> {
    let collector = Collector::start()?;
    let mut world = World::new().await;
    world.set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    let (serve, url) = serve(&world).await?;

    // 524 bytes, none of its values too long.
    let long = "canary".repeat(42);
    let state = format!("v={long},w={long},x=canarycanary");
    ask(
        &format!("{url}/async?name=canary-5a1e"),
        TRACE,
        "01",
        &state,
    )
    .await?;
    ask(&format!("{url}/async?name=b"), UNSAMPLED, "00", "v=1").await?;
    let line = serve.says("\"http.route\":\"/async\"").await?;
    serve.signal("TERM").await?;
    serve.ends().await?;

    let spans = collector.trace(TRACE, |spans| spans.len() >= 2).await?;
    let named = |name: &str| spans.iter().find(|span| span.name == name);
    let request = named("GET /async").expect("a span of the request");
    assert_eq!(request.parent_id, ASKER);
    assert_eq!(request.service, "sealane-api");
    let start = named("StartWorkflow:GreetingWorkflow").expect("a span of the start");
    assert_eq!(start.parent_id, request.span_id);
    let line: Value = serde_json::from_str(&line)?;
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["span_id"], request.span_id.as_str());
    assert!(
        !collector.has_seen("canary"),
        "neither a payload nor a long state"
    );
    let unsampled = collector.spans(UNSAMPLED);
    assert!(unsampled.is_empty(), "it was not to be recorded");
    Ok(())
}

#[tokio::test]
async fn strangers_do_not_decide_that_traces_are_recorded() -> anyhow::Result<()> {
    let collector = Collector::start()?;
    let mut world = World::new().await;
    world
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .set("OTEL_TRACES_SAMPLER_ARG", "0");
    let (serve, url) = serve(&world).await?;

    ask(&format!("{url}/async?name=a"), TRACE, "01", "v=1").await?;
    let line = serve.says("\"http.route\":\"/async\"").await?;
    serve.signal("TERM").await?;
    serve.ends().await?;

    let line: Value = serde_json::from_str(&line)?;
    assert_eq!(
        line["trace_id"], TRACE,
        "its log lines are found all the same"
    );
    // The process has ended, and with that sent what it had.
    let spans = collector.spans(TRACE);
    assert!(spans.is_empty(), "{spans:?}");
    Ok(())
}

/// Starts the API, and returns it with its URL once it answers.
async fn serve(world: &World) -> anyhow::Result<(Process, String)> {
    let serve = Process::start(env!("CARGO_BIN_EXE_sealane"), &["serve"], world.variables())?;
    let line = serve.says("API, probes and metrics are served").await?;
    let address = serde_json::from_str::<Value>(&line)?["http.address"].clone();
    serve.says("connected, requests are answered").await?;
    let url = format!("http://{}", address.as_str().unwrap_or_default());
    Ok((serve, url))
}

/// Starts a workflow by the request at `url`, from within a trace.
async fn ask(url: &str, trace: &str, flags: &str, state: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client
        .get(url)
        .header("traceparent", format!("00-{trace}-{ASKER}-{flags}"))
        .header("tracestate", state);
    let answer = patiently("the answer", request.send()).await?;
    assert_eq!(answer.status(), 202);
    Ok(())
}
