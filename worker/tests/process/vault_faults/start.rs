//! Faults that are there before the worker is.

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use sealane_tests::{process::Process, server};
use serde_json::Value;

use super::{
    Case, Pod, Row, Start,
    cases::{CASES, WRAPPING},
};

/// Workers that start at the same time, on a machine with few processors.
const AT_ONCE: usize = 4;

#[tokio::test]
async fn a_start_waits_out_what_may_pass_and_says_so_in_readiness() -> anyhow::Result<()> {
    let passing = CASES.iter().filter(|case| case.passes());
    let waited = stream::iter(passing).map(waits_and_recovers);
    waited.buffer_unordered(AT_ONCE).try_collect().await
}

#[tokio::test]
async fn a_start_ends_in_one_line_with_what_stays() -> anyhow::Result<()> {
    let ended = stream::iter(CASES).map(ends_in_one_line);
    ended.buffer_unordered(AT_ONCE).try_collect().await
}

#[tokio::test]
async fn a_start_that_needs_a_data_key_waits_as_well() -> anyhow::Result<()> {
    let case = &WRAPPING;
    let pod = Pod::with_wrapping_key().await?;

    waits_in(pod, case, "waiting up to 60s for a data key").await
}

#[tokio::test]
async fn a_wrapping_key_that_is_not_there_ends_the_start() -> anyhow::Result<()> {
    let mut pod = Pod::with_wrapping_key().await?;
    pod.set(
        "KEYVAULT_KEY_URI",
        "https://unit.vault.azure.net/keys/nobody",
    );

    let refusal = pod.refusal().await?;

    refusal.assert_one_line(78, &["keys/nobody", "(404)", "check KEYVAULT_KEY_URI"]);
    Ok(())
}

impl Case {
    pub(super) fn passes(&self) -> bool {
        matches!(Row::of(self.says).start, Start::Waits(_))
    }
}

/// Starts a worker into `case`, and lets that pass once the worker has said that it waits.
pub(super) async fn waits_and_recovers(case: &Case) -> anyhow::Result<()> {
    let mut pod = Pod::new().await?;
    pod.set("TEMPORAL_TASK_QUEUE", case.name);
    waits_in(pod, case, "waiting up to 60s for keys").await
}

/// Starts the worker of `pod` into `case`, and lets that pass once the worker has said that it waits.
async fn waits_in(mut pod: Pod, case: &Case, message: &str) -> anyhow::Result<()> {
    pod.set("TEMPORAL_ADDRESS", server().await.address());
    pod.set("SEALANE_KEY_START_LIMIT", "1m");
    pod.set("SEALANE_LOG", "trace");
    (case.make)(&pod.azure);

    let worker = pod.start()?;
    let waiting = worker.says(message).await.context(case.name)?;
    assert!(waiting.contains(case.says), "{}: {waiting}", case.name);
    assert!(waiting.contains(r#""level":"WARN""#), "{waiting}");
    assert_not_ready(case, &worker).await?;
    (case.cure)(&pod.azure);

    worker.says("polling for tasks").await.context(case.name)?;
    assert_eq!(worker.probe("/readyz").await?.status, 200, "{}", case.name);
    let lines = worker.lines();
    let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!(count("waiting up to"), 1, "{}", case.name);
    assert!(count(r#""level":"TRACE""#) > 0, "nothing was traced");
    pod.assert_secrets_kept(&lines);
    Ok(())
}

/// A worker without keys is alive, and not ready because of its keys.
async fn assert_not_ready(case: &Case, worker: &Process) -> anyhow::Result<()> {
    let probe = worker.probe("/readyz").await?;
    let document: Value = serde_json::from_str(&probe.body)?;
    let keys = &document["checks"]["key_ring"];
    let reason = keys["reason"].as_str().unwrap_or_default();

    assert_eq!((probe.status, &keys["ok"]), (503, &Value::Bool(false)));
    assert!(reason.contains(case.says), "{}: {probe:?}", case.name);
    assert_eq!(worker.probe("/livez").await?.status, 200);
    Ok(())
}

/// Starts a worker into `case`, and waits until it has given up.
pub(super) async fn ends_in_one_line(case: &Case) -> anyhow::Result<()> {
    let mut pod = Pod::new().await?;
    pod.set("SEALANE_KEY_START_LIMIT", "1s");
    pod.set("SEALANE_LOG", "trace");
    (case.make)(&pod.azure);

    let refusal = pod.refusal().await.context(case.name)?;

    let (Start::Waits(code) | Start::Ends(code)) = Row::of(case.says).start;
    refusal.assert_one_line(code, &[case.says]);
    Ok(())
}
