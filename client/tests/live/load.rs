//! `sealane load` against a real worker.

use serde_json::Value;

use crate::desk::Desk;

fn number(report: &Value, path: &str) -> f64 {
    let value = report.pointer(path).and_then(Value::as_f64);
    value.unwrap_or_else(|| panic!("{path} in {report}"))
}

#[tokio::test]
async fn every_workflow_is_started_checked_and_measured_but_those_that_warm_up()
-> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let line = "load GreetingWorkflow --count 12 --concurrency 4 --warm-up 3 --payload-size 64B \
                --plot load.svg -o json";

    let finished = desk.terminal.run(line).await.succeeds();

    let report = finished.json();
    for count in ["/due", "/started", "/completed"] {
        assert!(
            (number(&report, count) - 12.0).abs() < f64::EPSILON,
            "{report}"
        );
    }
    assert_eq!(report["errors"], Value::Array(Vec::new()));
    let [p50, p99, max] =
        ["p50", "p99", "max"].map(|it| number(&report, &format!("/latency/{it}")));
    assert!(0.0 < p50 && p50 <= p99 && p99 <= max, "{report}");
    assert!(number(&report, "/startLatency/p50") < p50, "{report}");
    let seconds = report["timeline"].as_array().into_iter().flatten();
    let in_all: u64 = seconds.filter_map(|it| it["completed"].as_u64()).sum();
    assert_eq!(in_all, 12);
    let plot = std::fs::read_to_string(desk.world.folder().join("load.svg"))?;
    assert!(plot.contains("GreetingWorkflow"), "{plot}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_result_is_an_error_and_no_fast_success() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let line = "load GreetingWorkflow --count 3 --expect '\"Goodbye\"' -o json";

    let finished = desk.terminal.run(line).await;

    assert_eq!(finished.code, 1, "{finished}");
    let report = finished.json();
    assert_eq!(report["completed"], 0);
    assert_eq!(report["errors"][0]["kind"], "wrong-result");
    assert_eq!(report["errors"][0]["count"], 3);
    let said = finished
        .stderr
        .contains("3 of 3 workflows had no right result");
    assert!(said, "{finished}");
    Ok(())
}

/// With room for one at a time and all due at once, the last one waits for all others: its time, counted
/// from when it was due, is that of the whole load.
#[tokio::test]
async fn at_a_rate_time_counts_from_when_a_workflow_was_due() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let line = "load GreetingWorkflow --count 10 --rate 10000 --concurrency 1 -o json";

    let report = desk.terminal.run(line).await.succeeds().json();

    assert_eq!(report["pace"], "open");
    let whole = number(&report, "/seconds") * 1000.0;
    assert!(number(&report, "/latency/max") > whole * 0.9, "{report}");
    assert!(number(&report, "/latency/min") < whole * 0.5, "{report}");
    Ok(())
}

#[tokio::test]
async fn a_load_for_some_time_ends_by_itself_with_what_was_due_in_it() -> anyhow::Result<()> {
    let desk = Desk::open().await?;

    let open = "load GreetingWorkflow --duration 1s --rate 8 -o json";
    let open = desk.terminal.run(open).await.succeeds().json();
    let closed = "load GreetingWorkflow --duration 1s --concurrency 2 -o json";
    let closed = desk.terminal.run(closed).await.succeeds().json();

    assert_eq!((&open["due"], &open["completed"]), (&8.into(), &8.into()));
    assert!(number(&open, "/seconds") >= 7.0 / 8.0, "{open}");
    assert_eq!(closed["due"], closed["completed"]);
    assert!(number(&closed, "/due") >= 2.0, "{closed}");
    assert!(number(&closed, "/seconds") >= 0.9, "{closed}");
    Ok(())
}

#[tokio::test]
async fn a_plot_that_cannot_be_drawn_is_refused_before_anything_starts() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let line = "load GreetingWorkflow --count 1 --plot no-such-folder/load.svg";

    let finished = desk.terminal.run(line).await;

    assert_eq!(finished.code, 64, "{finished}");
    assert_eq!(finished.stdout, "");
    let said = "--plot is no-such-folder/load.svg: No such file or directory";
    assert!(finished.stderr.contains(said), "{finished}");
    Ok(())
}

#[tokio::test]
async fn a_load_that_is_interrupted_counts_what_has_no_result() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let queue = desk.world.id("nobody");
    let load = desk.terminal.start(&format!(
        "load Nothing --task-queue {queue} --count 5 --expect 1 --timeout 1h"
    ))?;
    let list = format!("workflow list --query 'TaskQueue=\"{queue}\"' -o json");
    let started =
        |it: &crate::terminal::Finished| it.json().as_array().is_some_and(|it| it.len() == 5);
    desk.terminal.until(&list, started).await;

    load.signal("INT").await?;
    let ended = load.ends().await?;

    assert_eq!(ended.code, Some(1));
    let last = ended.said.last().map(String::as_str).unwrap_or_default();
    assert!(
        last.contains("5 of 5 workflows had no right result"),
        "{last}"
    );
    Ok(())
}

#[tokio::test]
async fn a_load_that_is_interrupted_while_it_warms_up_does_not_succeed() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let queue = desk.world.id("nobody");
    let load = desk.terminal.start(&format!(
        "load Nothing --task-queue {queue} --warm-up 1 --count 1 --expect 1 --timeout 1h"
    ))?;
    let list = format!("workflow list --query 'TaskQueue=\"{queue}\"' -o json");
    let started =
        |it: &crate::terminal::Finished| it.json().as_array().is_some_and(|it| it.len() == 1);
    desk.terminal.until(&list, started).await;

    load.signal("INT").await?;
    let ended = load.ends().await?;

    assert_eq!(ended.code, Some(1));
    let last = ended.said.last().map(String::as_str).unwrap_or_default();
    assert!(last.contains("nothing was measured"), "{last}");
    Ok(())
}
