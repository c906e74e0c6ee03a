//! Kubernetes waits for longer than a process takes to stop.

use std::{fs, time::Duration};

use anyhow::Context;
use serde_json::json;

use crate::{
    process::{self, Process},
    programs::root,
    renderings,
};

#[test]
fn every_worker_may_drain_to_its_end() -> anyhow::Result<()> {
    let source = "worker/src/run.rs";
    let after_drain =
        constant(source, "CANCEL_GRACE")? + constant("worker/src/process.rs", "HANG_GRACE")?;
    let mut workers = 0;
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering).filter(|it| it.container.name() == "worker") {
            let needed = process.settings()?.worker.drain_timeout + after_drain;

            let at = format!("{}: {process}", rendering.name());
            assert!(
                grace(&process) > needed,
                "{at}: {:?}, needs {needed:?}",
                grace(&process)
            );
            assert!(
                process.container.at("/lifecycle/preStop").is_null(),
                "{at} sleeps instead of draining"
            );
            workers += 1;
        }
    }
    assert!(workers > 50, "{workers} workers are too few");
    Ok(())
}

/// A limit that the worker does not know of ends in the kernel's kill, in the middle of its work.
#[test]
fn every_worker_knows_its_memory_limit() {
    let wanted = json!({
        "name": "SEALANE_MEMORY_LIMIT",
        "valueFrom": { "resourceFieldRef": { "resource": "limits.memory" } },
    });
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering).filter(|it| it.container.name() == "worker") {
            let at = format!("{}: {process}", rendering.name());
            let known = process.container.at("/env").as_array();
            let known = known.into_iter().flatten().any(|it| *it == wanted);
            assert!(known, "{at}");
            let limit = process.container.at("/resources/limits/memory");
            assert!(limit.is_string(), "{at}: {limit}");
        }
    }
}

#[test]
fn whoever_answers_requests_may_finish_them() -> anyhow::Result<()> {
    let last_answers = constant("service/src/http/server.rs", "LAST_ANSWERS")?;
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering).filter(|it| it.container.name() != "worker") {
            let sleep = process
                .container
                .at("/lifecycle/preStop/sleep/seconds")
                .as_u64();
            let serves = process.container.name() != "trigger";

            let needed = Duration::from_secs(sleep.unwrap_or_default()) + last_answers;

            let at = format!("{}: {process}", rendering.name());
            assert!(
                grace(&process) > needed,
                "{at}: {:?}, needs {needed:?}",
                grace(&process)
            );
            // Requests still come while endpoints learn of the end.
            assert_eq!(sleep.is_some(), serves, "{at}");
        }
    }
    Ok(())
}

/// A probe that restarts a pod while it drains would cut the drain short.
#[test]
fn no_probe_is_more_impatient_than_the_watchdog() -> anyhow::Result<()> {
    for rendering in renderings::of_overlays() {
        for process in process::all(rendering) {
            let number = |field: &str| {
                process
                    .container
                    .at(&format!("/livenessProbe/{field}"))
                    .as_u64()
            };
            let period = number("periodSeconds").unwrap_or(10);
            let failures = number("failureThreshold").unwrap_or(3);
            let watchdog = process.settings()?.worker.watchdog.as_secs();
            assert!(
                period * failures > watchdog,
                "{}: {process}",
                rendering.name()
            );
        }
    }
    Ok(())
}

fn grace(process: &Process<'_>) -> Duration {
    let seconds = process.pod.spec("/terminationGracePeriodSeconds").as_u64();
    // Kubernetes' own default.
    Duration::from_secs(seconds.unwrap_or(30))
}

/// Returns a constant of the source of a process, so that nobody has to write it down again.
fn constant(file: &str, name: &str) -> anyhow::Result<Duration> {
    let source = fs::read_to_string(root().join(file))?;
    let (_, rest) = source
        .split_once(&format!("const {name}: Duration = Duration::from_secs("))
        .with_context(|| format!("{file} has no {name} in seconds"))?;
    let (seconds, _) = rest.split_once(')').context("a bracket closes")?;
    Ok(Duration::from_secs(seconds.parse()?))
}
