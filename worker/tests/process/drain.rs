use std::time::{Duration, Instant};

use sealane_dev::gateway::{
    Operation::{Charge, Pack, Reserve, Ship},
    State,
};
use sealane_tests::orders::order;
use sealane_workflows::orders::Receipt;
use serde_json::Value;

use crate::support::Yard;

/// What a drain of 1 s takes at most: cancelled activities get another 5 s to notice, and a busy machine has the rest. With the
/// default, which is 25 s, it would take longer.
const SHORT_DRAIN: Duration = Duration::from_secs(20);

#[tokio::test]
async fn sigterm_lets_a_running_activity_finish_while_probes_tell_of_the_drain()
-> anyhow::Result<()> {
    let yard = Yard::open(&[]).await?;
    let first = yard.start_worker().await?;
    let placed = yard.shop.hold_at_parcel(order("A-1", &["tea"]), 0).await?;
    assert_eq!(first.probe("/readyz").await?.status, 200);

    first.signal("TERM").await?;
    first.says("\"draining\"").await?;
    let ready = first.probe("/readyz").await?;
    let live = first.probe("/livez").await?;
    yard.shop.resume();
    let ended = first.ends().await?;

    let document: Value = serde_json::from_str(&ready.body)?;
    assert_eq!(
        (ready.status, &document["phase"]),
        (503, &"draining".into())
    );
    assert_eq!(live.status, 200, "{live:?}");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let second = yard.start_worker().await?;
    let receipt = yard.shop.result(&placed).await?;
    assert!(matches!(receipt, Receipt::Shipped { .. }), "{receipt:?}");
    let attempts = yard.shop.keys_of(Pack(0)).len();
    assert_eq!(attempts, 1, "the activity finished and was not retried");
    drop(second);
    yard.shop.close().await
}

#[tokio::test]
async fn an_activity_that_outlasts_the_drain_goes_on_elsewhere_where_it_stopped()
-> anyhow::Result<()> {
    let yard = Yard::open(&[("SEALANE_DRAIN_TIMEOUT", "1s")]).await?;
    let first = yard.start_worker().await?;
    let order = order("A-1", &["tea", "teapot"]);
    let placed = yard.shop.hold_at_parcel(order, 1).await?;

    let asked = Instant::now();
    first.signal("TERM").await?;
    let ended = first.ends().await?;
    let elapsed = asked.elapsed();

    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(elapsed < SHORT_DRAIN, "the drain took {elapsed:?}");
    let _second = yard.start_worker().await?;
    yard.shop.gateway_reaches(State::is_paused).await;
    yard.shop.resume();
    let receipt = yard.shop.result(&placed).await?;
    assert!(matches!(receipt, Receipt::Shipped { .. }), "{receipt:?}");
    let openings = yard.shop.keys_of(Ship).len();
    let packings = yard.shop.keys_of(Pack(0)).len();
    assert_eq!((openings, packings), (1, 1), "the heartbeat was not kept");
    Ok(())
}

#[tokio::test]
async fn a_second_sigterm_ends_the_worker_at_once() -> anyhow::Result<()> {
    // Much longer than the end of a process is waited for.
    let yard = Yard::open(&[("SEALANE_DRAIN_TIMEOUT", "10m")]).await?;
    let worker = yard.start_worker().await?;
    yard.shop.hold_at_parcel(order("A-1", &["tea"]), 0).await?;
    worker.signal("TERM").await?;
    worker.says("\"draining\"").await?;

    worker.signal("TERM").await?;
    let ended = worker.ends().await?;

    assert_eq!(ended.code, Some(143), "{ended:?}");
    Ok(())
}

#[tokio::test]
async fn another_worker_finishes_what_a_killed_one_left_and_nothing_happens_twice()
-> anyhow::Result<()> {
    let yard = Yard::open(&[]).await?;
    let first = yard.start_worker().await?;
    let order = order("A-1", &["tea", "teapot"]);
    let placed = yard.shop.hold_at_parcel(order, 1).await?;

    first.signal("KILL").await?;
    let ended = first.ends().await?;
    let _second = yard.start_worker().await?;
    yard.shop.resume();
    let receipt = yard.shop.result(&placed).await?;

    assert_eq!(ended.code, None, "{ended:?}");
    assert!(matches!(receipt, Receipt::Shipped { .. }), "{receipt:?}");
    assert_eq!(
        yard.shop.effects(),
        [Reserve, Charge, Ship, Pack(0), Pack(1)]
    );
    Ok(())
}
