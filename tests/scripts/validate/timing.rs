//! How long things take, and what is put back.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::cluster::{Cluster, find, validate};
use crate::harness::Reply;

#[test]
fn as_many_workflows_are_timed_as_were_asked_for() {
    let cluster = Cluster::healthy();

    let outcome = validate(&cluster.world(), &["--runs", "4", "--cold", "0"]);

    let latency = &outcome.succeeds().summary()["latency"];
    assert_eq!(
        (
            latency["count"].as_u64(),
            cluster.api.started.lock().unwrap().len()
        ),
        (Some(4), 5)
    );
    let [p50, p95, max] =
        ["p50_ms", "p95_ms", "max_ms"].map(|name| latency[name].as_u64().unwrap());
    assert!(p50 <= p95 && p95 == max, "{latency}");
}

#[test]
fn one_wrong_result_among_many_is_found() {
    let cluster = Cluster::healthy();
    let asked = AtomicUsize::new(0);
    cluster.api.instead(move |request| {
        let late = request.path.contains("/result") && asked.fetch_add(1, Ordering::Relaxed) == 3;
        late.then(|| {
            (
                200,
                json!({"status": "COMPLETED", "result": "Final result: Processed: Hello, World!"}),
            )
        })
    });

    validate(&cluster.world(), &["--runs", "5", "--cold", "0"]).fails(1, "wrong-result");
}

#[test]
fn workers_are_replaced_one_after_another_oldest_first() {
    let cluster = Cluster::healthy();

    let outcome = validate(&cluster.world(), &["--runs", "1", "--cold", "3"]);

    outcome.succeeds().in_order(&[
        "kubectl delete pod worker-0",
        "kubectl delete pod worker-1",
        "kubectl delete pod worker-2",
    ]);
    let summary = outcome.summary();
    assert_eq!(
        (
            &summary["cold_start"]["p95_s"],
            &summary["process_start"]["p50_s"]
        ),
        (&4.into(), &1.into())
    );
}

#[test]
fn a_worker_that_does_not_come_back_is_told() {
    let world = Cluster::healthy().world();
    world.answer("kubectl delete pod", "deleted");
    validate(&world, &["--runs", "1"]).fails(1, "worker-not-replaced");

    world.answer(
        "kubectl delete pod",
        Reply::fail(1, "Error from server (Forbidden)"),
    );
    validate(&world, &["--runs", "1"])
        .fails(1, "worker-not-replaced")
        .says("Forbidden");
}

#[test]
fn the_autoscaler_has_to_come_back_to_its_minimum() {
    let cluster = Cluster::healthy();
    let (world, scaled) = (cluster.world(), cluster.clone());
    // Work has brought a third worker, which stays.
    world.on(move |call| {
        if call.is("kubectl exec -- sealane workflow history") {
            find(&mut scaled.things().live, "Deployment", "sealane-worker")["status"]["readyReplicas"] = json!(3);
        }
        None
    });

    validate(&world, &["--once"])
        .fails(1, "scale-not-restored")
        .says("3 ready");
}

#[test]
fn numbers_that_are_none_are_refused() {
    let world = Cluster::healthy().world();
    for args in [
        ["--runs", "0"],
        ["--runs", "many"],
        ["--cold", "-1"],
        ["--cold", "1000"],
        ["--workflow", "all"],
        ["--runs", "1; id"],
    ] {
        let outcome = validate(&world, &args);
        assert_eq!(
            (outcome.code, outcome.calls.len()),
            (2, 0),
            "{args:?} {outcome}"
        );
    }
}

#[test]
fn a_worker_that_is_going_already_is_not_replaced() {
    let cluster = Cluster::healthy();
    let (world, other) = (cluster.world(), cluster.clone());
    world.on(move |call| {
        call.is("kubectl get pods --field-selector status.phase=Running --output jsonpath={range*").then(|| {
            let replaced = other.things().replaced;
            let line = |number: usize, going: &str| format!("worker-{number}|2026-11-22T10:{number:02}:00Z|2026-11-22T10:{number:02}:03Z|True|2026-11-22T10:{number:02}:04Z|{going}\n");
            let mut lines = line(0, "2026-11-22T11:00:00Z") + &line(1, "");
            if replaced > 0 {
                lines += &line(2, "");
            }
            Reply::ok(lines)
        })
    });

    validate(&world, &["--runs", "1", "--cold", "1"])
        .succeeds()
        .called("kubectl delete pod worker-1")
        .never("kubectl delete pod worker-0");
}
