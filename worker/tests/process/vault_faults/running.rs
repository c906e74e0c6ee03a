//! Faults that come while the worker runs.

use std::collections::BTreeMap;

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use sealane_tests::orders::patiently;

use super::{
    Case, Row,
    cases::{CASES, LATER},
    life::Life,
};

pub(super) const NOT_REFRESHED: &str = "keys are not refreshed, those already loaded stay in use";
pub(super) const REFRESHED: &str = "keys are refreshed again";

/// Workers that run at the same time, each with its share of the faults.
const WORKERS: usize = 6;

#[tokio::test]
async fn a_running_worker_works_on_through_every_fault_and_recovers() -> anyhow::Result<()> {
    let cases: Vec<_> = CASES.iter().chain(LATER).collect();
    let shares = cases.chunks(cases.len().div_ceil(WORKERS));
    let lived = stream::iter(shares).map(async |share| {
        let mut life = Life::begin(&[("SEALANE_LOG", "trace")]).await?;
        for (before, case) in share.iter().enumerate() {
            let survived = survive(&mut life, case, before);
            patiently(case.name, survived).await.context(case.name)?;
        }
        life.end().await
    });
    lived.buffer_unordered(WORKERS).try_collect().await
}

/// Takes `life` through `case`, after as many others as `before` says.
async fn survive(life: &mut Life, case: &Case, before: usize) -> anyhow::Result<()> {
    let reason = Row::of(case.says).reason;
    let (name, healthy) = (case.name, life.scrape().await?);

    (case.make)(&life.pod.azure);
    let told = life.worker.says_times(NOT_REFRESHED, before + 1).await?;
    let failing = work_until_failed_again(life, reason, &healthy.failures()).await?;
    life.assert_ready().await?;
    (case.cure)(&life.pod.azure);
    life.worker.says_times(REFRESHED, before + 1).await?;
    let recovered = life.scrape().await?;

    assert!(told.contains(case.says), "{name}: {told}");
    assert!(told.contains(&format!(r#""reason":"{reason}""#)), "{told}");
    assert!(told.contains(r#""level":"WARN""#), "{told}");
    assert!(failing >= healthy.last_success()?, "{name}");
    assert!(recovered.last_success()? > failing, "{name}");
    let warnings = warnings(life);
    assert_eq!(warnings, before + 1, "{name}: one failure, one warning");
    for (other, count) in recovered.failures() {
        let before = healthy.failures().get(&other).copied();
        assert!(other == reason || before == Some(count), "{name}: {other}");
    }
    Ok(())
}

/// Takes orders to their receipts until two more refreshes have failed for `reason`, and returns
/// when the last one succeeded.
async fn work_until_failed_again(
    life: &mut Life,
    reason: &str,
    before: &BTreeMap<String, u64>,
) -> anyhow::Result<f64> {
    let wanted = before.get(reason).copied().unwrap_or_default() + 2;
    loop {
        life.work().await?;
        let scrape = life.scrape().await?;
        if scrape.failures().get(reason) >= Some(&wanted) {
            return scrape.last_success();
        }
    }
}

fn warnings(life: &Life) -> usize {
    let lines = life.worker.lines();
    let told = lines.iter().filter(|line| line.contains(NOT_REFRESHED));
    told.count()
}
