//! Faults that a worker notices only when a call has taken as long as it may. All at the same time,
//! because there is nothing to do but wait.

use anyhow::Context;
use futures_util::future::{join_all, try_join3};

use super::{
    Case, Row,
    cases::SLOW,
    life::Life,
    running::{NOT_REFRESHED, REFRESHED},
    start::{ends_in_one_line, waits_and_recovers},
};

#[tokio::test]
async fn no_call_takes_for_ever() -> anyhow::Result<()> {
    let each = SLOW.iter().map(async |case| {
        let start = Box::pin(waits_and_recovers(case));
        let end = Box::pin(ends_in_one_line(case));
        let running = Box::pin(goes_on(case));
        let all = try_join3(start, end, running).await;
        all.context(case.name)
    });
    let all: Result<Vec<_>, _> = join_all(each).await.into_iter().collect();
    all.map(drop)
}

/// A worker works on while a refresh hangs, and refreshes again after it.
async fn goes_on(case: &Case) -> anyhow::Result<()> {
    let mut life = Life::begin(&[]).await?;
    (case.make)(&life.pod.azure);

    life.work().await?;
    life.assert_ready().await?;
    let told = life.worker.says(NOT_REFRESHED).await?;
    // At once: the next refresh would hang as well.
    (case.cure)(&life.pod.azure);
    life.worker.says(REFRESHED).await?;

    assert!(told.contains(case.says), "{told}");
    let failures = life.scrape().await?.failures();
    assert!(failures[Row::of(case.says).reason] > 0, "{failures:?}");
    life.end().await
}
