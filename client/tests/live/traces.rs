//! `sealane serve` in the traces and logs of whoever operates it.

use sealane_tests::{
    World,
    collector::Collector,
    orders::patiently,
    process::{Process, probe},
};
use serde_json::Value;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const ASKER: &str = "00f067aa0ba902b7";

#[tokio::test]
async fn a_request_and_the_start_it_leads_to_are_in_the_trace_of_the_asker() -> anyhow::Result<()> {
    let collector = Collector::start()?;
    let mut world = World::new().await;
    world
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        // The trace has been begun, so whether to record it is decided.
        .set("OTEL_TRACES_SAMPLER_ARG", "0");
    let serve = Process::start(env!("CARGO_BIN_EXE_sealane"), &["serve"], world.variables())?;
    let line = serve.says("API, probes and metrics are served").await?;
    let address = serde_json::from_str::<Value>(&line)?["http.address"].clone();
    let url = format!("http://{}", address.as_str().unwrap_or_default());
    serve.says("connected, requests are answered").await?;

    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client
        .get(format!("{url}/async?name=canary-5a1e"))
        .header("traceparent", format!("00-{TRACE}-{ASKER}-01"));
    let answer = patiently("the answer", request.send()).await?;
    assert_eq!(answer.status(), 202);
    let untraced = probe(&format!("{url}/ping")).await?;
    assert_eq!(untraced.status, 200);
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
    assert!(!collector.has_seen("canary-5a1e"));
    assert!(!collector.has_seen("/ping"), "it was not to be recorded");
    Ok(())
}
