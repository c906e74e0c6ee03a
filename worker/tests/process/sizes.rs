//! Payloads that are large, and still taken, are told and counted.

use sealane_client::{
    payload::from_json,
    workflow::{Ending, Start, Workflows},
};
use sealane_service::encryption;
use sealane_tests::{World, orders::patiently};
use serde_json::{Value, json};

use crate::support::start;

/// Who is greeted: nothing that a log would have by chance.
const NAME: &str = "5f1c9a7e";

async fn greet(world: &World, workflows: &Workflows, id: &str, bytes: usize) -> anyhow::Result<()> {
    let name = NAME.repeat(bytes / NAME.len());
    let begin = Start {
        workflow_type: "GreetingWorkflow".to_owned(),
        workflow_id: world.id(id),
        task_queue: world.task_queue().to_owned(),
        input: vec![from_json(&json!(name))],
        ..Start::default()
    };
    let execution = workflows.start(begin).await?.execution();
    let outcome = patiently("the greeting", workflows.outcome(&execution)).await?;
    assert!(matches!(outcome.ending, Ending::Completed(_)));
    Ok(())
}

#[tokio::test]
async fn large_payloads_are_told_once_a_minute_and_counted() -> anyhow::Result<()> {
    let mut world = World::new().await;
    world.set("ORDERS_GATEWAY_URL", "http://127.0.0.1:9");
    let codec = encryption::codec(&world.settings().encryption).await?;
    let workflows = Workflows::new(world.client().await, codec);
    let worker = start(&[], world.variables())?;
    worker.says("polling for tasks").await?;

    greet(&world, &workflows, "large", 60_000).await?;
    greet(&world, &workflows, "very-large", 300_000).await?;
    greet(&world, &workflows, "again", 300_000).await?;

    for (text, level) in [
        ("a payload is larger than 50 KiB", "INFO"),
        ("a payload is larger than 256 KiB", "WARN"),
    ] {
        let field = r#"result of activity \"finish\""#;
        let lines = worker.lines();
        let told = lines.iter().filter(|line| line.contains(text));
        let told: Vec<_> = told.filter(|line| line.contains(field)).collect();
        let [line] = told[..] else {
            panic!("{text:?} once for {field}: {told:?}");
        };
        let event: Value = serde_json::from_str(line)?;
        assert_eq!(event["level"], level);
        assert!(
            event["payload.size_bytes"].as_u64() > Some(60_000),
            "{line}"
        );
        assert!(
            event["workflow.id"]
                .as_str()
                .is_some_and(|id| id.contains("large-")),
            "{line}"
        );
    }
    let scrape = worker.probe("/metrics").await?.body;
    for (over, least) in [("50KiB", 5), ("256KiB", 10), ("limit", 0)] {
        let name = format!("sealane_large_payloads_total{{over=\"{over}\"}} ");
        let count = scrape.lines().find_map(|line| line.strip_prefix(&name));
        let count: u64 = count.unwrap_or_default().parse()?;
        assert!(
            count >= least && (count == 0) == (least == 0),
            "{over}: {count}"
        );
    }
    assert!(
        !worker.lines().concat().contains(NAME),
        "the log quotes a payload"
    );
    Ok(())
}
