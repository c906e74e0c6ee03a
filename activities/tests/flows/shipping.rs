//! Shipping takes long, so it reports, resumes and stops when told to.

use std::sync::{Arc, Mutex};

use sealane_activities::orders::{BEAT, Orders, Progress};
use sealane_dev::gateway::{Gateway, Knobs, Operation};
use sealane_workflows::orders::policy;
use temporalio_sdk::{
    activities::ActivityError,
    testing::{ActivityEnvironment, ActivityEnvironmentError},
};
use tokio::sync::watch;

use crate::support::{Verdict, orders, shipment, verdict};

/// Parcels that were packed, in order.
fn packed(gateway: &Gateway) -> Vec<u32> {
    let number = |operation| match operation {
        Operation::Pack(number) => Some(number),
        _ => None,
    };
    let effects = gateway.effects();
    effects
        .iter()
        .filter_map(|effect| number(effect.operation))
        .collect()
}

fn progress(packed: usize) -> Progress {
    Progress {
        tracking_id: "TRK-1".into(),
        packed,
    }
}

#[tokio::test]
async fn every_parcel_is_packed_in_order_and_reported() {
    let gateway = Gateway::start_local().await.unwrap();
    let beats = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&beats);
    let env = ActivityEnvironment::builder()
        .register_activities(orders(&gateway))
        .on_heartbeat(move |details| {
            let details = *details.downcast::<Progress>().unwrap();
            heard.lock().unwrap().push(details);
        })
        .build();

    let tracking_id = env.run(Orders::ship, shipment()).await.unwrap();

    assert_eq!(tracking_id.as_str(), "TRK-1");
    assert_eq!(packed(&gateway), [0, 1, 2]);
    let beats = beats.lock().unwrap();
    assert_eq!(*beats, [progress(0), progress(1), progress(2)]);
}

#[tokio::test]
async fn the_next_attempt_goes_on_where_the_last_one_stopped() {
    let gateway = Gateway::start_local().await.unwrap();
    let last_beat = Arc::new(Mutex::new(None));
    let heard = Arc::clone(&last_beat);
    let first = ActivityEnvironment::builder()
        .register_activities(orders(&gateway))
        .on_heartbeat(move |details| {
            *heard.lock().unwrap() = details.downcast::<Progress>().ok();
        })
        .build();
    gateway.turn(|knobs| knobs.pause_at_parcel = Some(2));
    let failure = async {
        gateway.wait_until(|state| state.is_paused()).await;
        gateway.turn(|knobs| {
            *knobs = Knobs {
                fail_next: 1,
                ..Knobs::default()
            };
        });
    };
    let (interrupted, ()) = tokio::join!(first.run(Orders::ship, shipment()), failure);
    let last_beat = *last_beat.lock().unwrap().take().unwrap();
    let second = ActivityEnvironment::builder_with_default()
        .heartbeat_details(last_beat.clone())
        .unwrap()
        .register_activities(orders(&gateway))
        .build();

    let before = gateway.requests().len();
    let resumed = second.run(Orders::ship, shipment()).await;

    assert_eq!(verdict(interrupted), Err(Verdict::retried_as("Unanswered")));
    assert_eq!(last_beat, progress(2));
    assert_eq!(resumed.unwrap().as_str(), "TRK-1");
    let requests = gateway.requests().split_off(before);
    let asked: Vec<_> = requests.iter().map(|request| request.operation).collect();
    assert_eq!(
        asked,
        [Operation::Pack(2)],
        "finished parcels are left alone"
    );
    assert_eq!(packed(&gateway), [0, 1, 2]);
}

#[tokio::test]
async fn a_parcel_that_was_packed_but_not_reported_is_not_packed_again() {
    let gateway = Gateway::start_local().await.unwrap();
    let fresh = || {
        ActivityEnvironment::builder()
            .register_activities(orders(&gateway))
            .build()
    };
    fresh().run(Orders::ship, shipment()).await.unwrap();

    fresh().run(Orders::ship, shipment()).await.unwrap();

    assert_eq!(packed(&gateway), [0, 1, 2]);
}

#[tokio::test]
async fn a_report_that_cannot_be_read_means_starting_over() {
    let gateway = Gateway::start_local().await.unwrap();
    let env = ActivityEnvironment::builder_with_default()
        .heartbeat_details("half".to_owned())
        .unwrap()
        .register_activities(orders(&gateway))
        .build();

    env.run(Orders::ship, shipment()).await.unwrap();

    assert_eq!(packed(&gateway), [0, 1, 2]);
}

#[tokio::test]
async fn a_slow_parcel_is_waited_for_with_heartbeats() {
    let gateway = Gateway::start_local().await.unwrap();
    let (beats, mut heard) = watch::channel(0);
    let env = ActivityEnvironment::builder()
        .register_activities(orders(&gateway))
        .on_heartbeat(move |_| beats.send_modify(|beats| *beats += 1))
        .build();
    gateway.turn(|knobs| knobs.pause_at_parcel = Some(0));

    let release = async {
        heard.wait_for(|beats| *beats >= 2).await.unwrap();
        assert!(packed(&gateway).is_empty());
        gateway.turn(|knobs| *knobs = Knobs::default());
    };
    let (shipped, ()) = tokio::join!(env.run(Orders::ship, shipment()), release);

    assert!(shipped.is_ok(), "{shipped:?}");
}

#[tokio::test]
async fn a_cancelled_shipment_stops_at_the_parcel_at_hand() {
    let gateway = Gateway::start_local().await.unwrap();
    let env = ActivityEnvironment::builder()
        .register_activities(orders(&gateway))
        .build();
    gateway.turn(|knobs| knobs.pause_at_parcel = Some(1));

    let cancel = async {
        gateway.wait_until(|state| state.is_paused()).await;
        env.cancel();
    };
    let (stopped, ()) = tokio::join!(env.run(Orders::ship, shipment()), cancel);

    let cancelled = matches!(
        stopped,
        Err(ActivityEnvironmentError::Activity(
            ActivityError::Cancelled { .. }
        ))
    );
    assert!(cancelled, "{stopped:?}");
    assert_eq!(packed(&gateway), [0]);
}

#[test]
fn several_heartbeats_may_be_lost_before_an_attempt_counts_as_lost() {
    assert!(BEAT * 4 < policy::SHIP_HEARTBEAT);
}
