//! What a line of a real worker's log says about where it comes from.

use opentelemetry::trace::FutureExt;
use sealane_dev::gateway::Gateway;
use serde_json::{Value, json};

use crate::scene::{Asker, result, start, worker, workflows, world};

const ORDER: &str = include_str!("../../../docs/order.json");

#[tokio::test]
async fn every_line_within_an_activity_names_its_trace_workflow_and_run() -> anyhow::Result<()> {
    let gateway = Gateway::start_local().await?;
    let mut world = world().await;
    // The connection to the gateway is made within an activity, and its library tells so.
    world
        .set("ORDERS_GATEWAY_URL", gateway.url())
        .set("SEALANE_LOG", "info,hyper_util=debug,reqwest=debug")
        .set("SEALANE_LOG_FORMAT", "json");
    let worker = worker(&world).await?;
    let workflows = workflows(&world).await?;
    let asker = Asker::new();

    let order: Value = serde_json::from_str(ORDER)?;
    let start = start(&world, "OrderWorkflow", &order);
    let starting = workflows.start(start).with_context(asker.context());
    let execution = starting.await?.execution();
    result(&workflows, &execution).await?;
    worker.signal("TERM").await?;
    let ended = worker.ends().await?;

    let lines = ended.said.iter();
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let within: Vec<Value> = lines
        .filter(|line| line.get("activity.type").is_some())
        .collect();
    assert!(!within.is_empty(), "{:#?}", ended.said);
    for line in within {
        assert_eq!(line["trace_id"], asker.trace_id(), "{line}");
        assert_eq!(line["workflow.id"], execution.workflow_id, "{line}");
        assert_eq!(line["workflow.run_id"], json!(execution.run_id), "{line}");
        assert!(line["span_id"].is_string(), "{line}");
    }
    Ok(())
}
