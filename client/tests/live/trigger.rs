//! `sealane trigger` while the server is there.

use anyhow::Context;
use sealane_tests::process::probe;
use serde_json::Value;

use crate::desk::Desk;

#[tokio::test]
async fn a_counted_trigger_prints_every_result_and_ends() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let line = "trigger GreetingWorkflow --every 10ms --count 3 --wait \
                --input-template '\"no. {{counter}}\"'";

    let finished = desk.terminal.run(line).await.succeeds();

    let mut results: Vec<&str> = finished.stdout.lines().collect();
    results.sort_unstable();
    assert_eq!(results.len(), 3, "{finished}");
    for (number, result) in (1..).zip(results) {
        let id = format!("GreetingWorkflow-{number}-");
        assert!(result.starts_with(&id), "{result}");
        let greeting = format!("\"Final result: Processed: Hello, no. {number}!\"");
        assert!(result.ends_with(&greeting), "{result}");
    }
    Ok(())
}

#[tokio::test]
async fn results_can_be_had_as_one_json_object_a_line() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let line = "trigger GreetingWorkflow --every 1ms --count 2 --wait -o json \
                --input-template \"Ada\"";

    let finished = desk.terminal.run(line).await.succeeds();

    let lines = finished.stdout.lines();
    let results: Vec<Value> = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(results.len(), 2, "{finished}");
    for result in results {
        assert_eq!(result["result"], "Final result: Processed: Hello, Ada!");
    }
    Ok(())
}

#[tokio::test]
async fn an_endless_trigger_answers_probes_and_stops_when_told_to() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let line = "trigger GreetingWorkflow --every 1h --input-template \"Zebedee\"";

    let trigger = desk.terminal.start(line)?;
    let served: Value = serde_json::from_str(&trigger.says("answering probes").await?)?;
    let address = served["http.address"].as_str().context("an address")?;
    trigger.says("workflow started").await?;
    let ready = probe(&format!("http://{address}/readyz")).await?;
    let metrics = probe(&format!("http://{address}/metrics")).await?;
    trigger.signal("TERM").await?;
    let ended = trigger.ends().await?;

    assert_eq!(ready.status, 200, "{}", ready.body);
    let started = r#"sealane_trigger_starts_total{workflow_type="GreetingWorkflow"} 1"#;
    assert!(metrics.body.contains(started), "{}", metrics.body);
    assert_eq!(ended.code, Some(0), "{:?}", ended.said);
    let log = ended.said.join("\n");
    assert!(!log.contains("Zebedee"), "{log}");
    Ok(())
}
