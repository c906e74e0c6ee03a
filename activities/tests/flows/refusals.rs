//! Each way to fail gets the right decision on retry.

use std::time::Duration;

use sealane_activities::orders::{Orders, REQUEST_TIMEOUT, SetupError};
use sealane_dev::gateway::{Gateway, Throttle};
use sealane_workflows::orders::policy;

use crate::support::{Verdict, charge, recall, reservation, run, shipment};

#[tokio::test]
async fn a_declined_card_is_final() {
    let gateway = Gateway::start_local().await.unwrap();
    gateway.turn(|knobs| knobs.decline = Some("insufficient_funds".to_owned()));

    let outcome = run(&gateway, Orders::charge_card, charge()).await;

    assert_eq!(outcome, Err(Verdict::final_as("Declined")));
}

#[tokio::test]
async fn stock_that_ran_out_is_final() {
    let gateway = Gateway::start_local().await.unwrap();
    gateway.turn(|knobs| knobs.out_of_stock = ["cup".to_owned()].into());

    let outcome = run(&gateway, Orders::reserve_stock, reservation()).await;

    assert_eq!(outcome, Err(Verdict::final_as("OutOfStock")));
}

#[tokio::test]
async fn a_request_that_contradicts_an_earlier_one_is_final() {
    let gateway = Gateway::start_local().await.unwrap();
    run(&gateway, Orders::charge_card, charge()).await.unwrap();
    let mut dearer = charge();
    dearer.amount += 1;

    let outcome = run(&gateway, Orders::charge_card, dearer).await;

    assert_eq!(outcome, Err(Verdict::final_as("Rejected")));
}

#[tokio::test]
async fn a_shipment_that_is_out_cannot_be_recalled() {
    let gateway = Gateway::start_local().await.unwrap();
    run(&gateway, Orders::ship, shipment()).await.unwrap();

    let outcome = run(&gateway, Orders::recall_shipment, recall()).await;

    assert_eq!(outcome, Err(Verdict::final_as("Rejected")));
}

#[tokio::test]
async fn a_busy_gateway_is_asked_again_when_it_said() {
    let gateway = Gateway::start_local().await.unwrap();
    for status in [429, 503] {
        gateway.turn(|knobs| {
            knobs.throttle = Some(Throttle {
                next: 1,
                retry_after_seconds: 7,
                status,
            });
        });

        let outcome = run(&gateway, Orders::charge_card, charge()).await;

        let expected = Verdict {
            delay: Some(Duration::from_secs(7)),
            ..Verdict::retried_as("Throttled")
        };
        assert_eq!(outcome, Err(expected), "{status}");
    }
}

#[tokio::test]
async fn a_gateway_that_breaks_or_talks_nonsense_is_asked_again() {
    let gateway = Gateway::start_local().await.unwrap();
    gateway.turn(|knobs| {
        knobs.fail_next = 1;
        knobs.garble_next = 1;
    });

    let failed = run(&gateway, Orders::charge_card, charge()).await;
    let garbled = run(&gateway, Orders::charge_card, charge()).await;

    assert_eq!(failed, Err(Verdict::retried_as("Unanswered")));
    assert_eq!(garbled, Err(Verdict::retried_as("Unanswered")));
}

#[tokio::test]
async fn a_gateway_that_is_down_is_asked_again() {
    let gateway = Gateway::start_local().await.unwrap();
    gateway.take_down().await;

    let down = run(&gateway, Orders::charge_card, charge()).await;
    gateway.bring_up().await.unwrap();
    let up = run(&gateway, Orders::charge_card, charge()).await;

    assert_eq!(down, Err(Verdict::retried_as("Unanswered")));
    assert_eq!(up, Ok(()));
}

#[test]
fn we_notice_silence_before_temporal_does() {
    assert!(REQUEST_TIMEOUT < policy::REQUEST_START_TO_CLOSE);
}

#[test]
fn a_gateway_address_that_is_not_of_the_web_is_refused_without_quoting_it() {
    let error = Orders::new("ftp://user:secret@host".parse().unwrap()).unwrap_err();

    assert!(matches!(error, SetupError::NotHttp { .. }), "{error:?}");
    let text = error.to_string();
    assert_eq!(
        text,
        "gateway address starts with ftp:, expected http: or https:"
    );
}
