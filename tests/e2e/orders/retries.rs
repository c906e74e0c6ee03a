//! What may succeed later is asked for again, and happens once.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use sealane_dev::gateway::{
    Knobs,
    Operation::{Charge, Pack, Reserve, Ship},
    Throttle,
};
use sealane_tests::orders::{Placed, Shop, order};
use sealane_workflows::orders::Receipt;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

#[tokio::test]
async fn a_throttled_request_is_repeated_no_earlier_than_told() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    shop.gateway.turn(|knobs| {
        knobs.throttle = Some(Throttle {
            next: 1,
            retry_after_seconds: 1,
            status: 429,
        });
    });

    let placed = shop.place(order("A-1", &["tea"])).await?;
    shop.result(&placed).await?;

    // Without the gateway's word the second attempt would come after half a second.
    let waited = first_activity_waited(&shop, &placed).await?;
    assert!(waited >= Duration::from_secs(1), "{waited:?}");
    assert_eq!(shop.keys_of(Reserve).len(), 2);
    assert_eq!(shop.effects(), [Reserve, Charge, Ship, Pack(0)]);
    shop.close().await
}

/// How long the server let pass between scheduling the first activity and starting its last attempt.
async fn first_activity_waited(shop: &Shop, placed: &Placed) -> anyhow::Result<Duration> {
    let history = shop.workflows.encrypted_history(&placed.execution).await?;
    let time_of = |wanted: fn(&Attributes) -> bool| -> anyhow::Result<SystemTime> {
        let mut events = history.events.iter();
        let event = events.find(|event| event.attributes.as_ref().is_some_and(wanted));
        let time = event.and_then(|event| event.event_time);
        let time = SystemTime::try_from(time.context("no such event")?)?;
        Ok(time)
    };
    let scheduled =
        time_of(|it| matches!(it, Attributes::ActivityTaskScheduledEventAttributes(_)))?;
    let started = time_of(|it| matches!(it, Attributes::ActivityTaskStartedEventAttributes(_)))?;
    Ok(started.duration_since(scheduled)?)
}

#[tokio::test]
async fn a_gateway_that_is_down_delays_an_order_and_does_not_lose_it() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    shop.gateway.take_down().await;

    let placed = shop.place(order("A-1", &["tea"])).await?;
    let failure = shop
        .attempt_fails(&placed, "reserve_stock", "Unanswered")
        .await?;
    shop.gateway.bring_up().await?;
    let receipt = shop.result(&placed).await?;

    assert!(!failure.non_retryable);
    assert!(matches!(receipt, Receipt::Shipped { .. }), "{receipt:?}");
    assert_eq!(shop.effects(), [Reserve, Charge, Ship, Pack(0)]);
    shop.close().await
}

#[tokio::test]
async fn an_answer_that_is_lost_or_garbled_is_asked_for_again_under_the_same_key()
-> anyhow::Result<()> {
    let shop = Shop::open().await?;
    shop.gateway.turn(|knobs| {
        *knobs = Knobs {
            lose_next: 1,
            garble_next: 1,
            ..Knobs::default()
        };
    });

    let placed = shop.place(order("A-1", &["tea"])).await?;
    shop.result(&placed).await?;

    let keys = shop.keys_of(Reserve);
    assert_eq!(keys.len(), 3, "lost, garbled, answered");
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_eq!(shop.effects(), [Reserve, Charge, Ship, Pack(0)]);
    shop.close().await
}

#[tokio::test]
async fn shipping_goes_on_after_the_last_parcel_that_was_finished() -> anyhow::Result<()> {
    let shop = Shop::open().await?;

    let placed = shop
        .hold_at_parcel(order("A-1", &["tea", "teapot", "cup"]), 1)
        .await?;
    shop.gateway.turn(|knobs| {
        *knobs = Knobs {
            fail_next: 1,
            ..Knobs::default()
        };
    });
    shop.result(&placed).await?;

    assert_eq!(shop.keys_of(Ship).len(), 1, "the shipment was opened again");
    assert_eq!(
        shop.keys_of(Pack(0)).len(),
        1,
        "a finished parcel came up again"
    );
    assert_eq!(shop.keys_of(Pack(1)).len(), 2);
    assert_eq!(
        shop.effects(),
        [Reserve, Charge, Ship, Pack(0), Pack(1), Pack(2)]
    );
    shop.close().await
}
