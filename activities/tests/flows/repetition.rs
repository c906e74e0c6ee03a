//! Running an activity twice comes to the same as once.

use sealane_activities::orders::Orders;
use sealane_dev::gateway::{Gateway, Operation};

use crate::support::{Verdict, charge, recall, refund, release, reservation, run, shipment};

#[tokio::test]
async fn every_attempt_sends_the_same_key_and_the_card_is_charged_once() {
    let gateway = Gateway::start_local().await.unwrap();
    gateway.turn(|knobs| knobs.lose_next = 2);

    let mut outcomes = Vec::new();
    for _ in 0..3 {
        outcomes.push(run(&gateway, Orders::charge_card, charge()).await);
    }

    let lost = || Err(Verdict::retried_as("Unanswered"));
    assert_eq!(outcomes, [lost(), lost(), Ok(())]);
    let requests = gateway.requests();
    assert_eq!(requests.len(), 3);
    assert!(
        requests.iter().all(|request| *request == requests[0]),
        "{requests:?}"
    );
    assert_eq!(requests[0].key, "charge-the-card/charge-1");
    assert_eq!(gateway.effects().len(), 1);
}

#[tokio::test]
async fn different_operations_on_one_thing_have_different_keys() {
    let gateway = Gateway::start_local().await.unwrap();
    run(&gateway, Orders::charge_card, charge()).await.unwrap();
    run(&gateway, Orders::refund_charge, refund())
        .await
        .unwrap();

    let requests = gateway.requests();

    assert_ne!(requests[0].key, requests[1].key);
    assert_eq!(gateway.effects().len(), 2);
}

#[tokio::test]
async fn undoing_twice_undoes_once() {
    let gateway = Gateway::start_local().await.unwrap();
    run(&gateway, Orders::reserve_stock, reservation())
        .await
        .unwrap();

    for _ in 0..2 {
        run(&gateway, Orders::release_stock, release())
            .await
            .unwrap();
    }

    gateway
        .wait_until(|state| state.log().requests_of(Operation::Release) == 2)
        .await;
    let effects = gateway.effects();
    assert_eq!(effects.len(), 2, "{effects:?}");
    assert_eq!(effects[1].operation, Operation::Release);
}

#[tokio::test]
async fn what_never_happened_can_be_undone_and_then_never_happens() {
    let gateway = Gateway::start_local().await.unwrap();
    run(&gateway, Orders::release_stock, release())
        .await
        .unwrap();
    run(&gateway, Orders::refund_charge, refund())
        .await
        .unwrap();
    run(&gateway, Orders::recall_shipment, recall())
        .await
        .unwrap();

    let rejected = Verdict::final_as("Rejected");
    assert_eq!(
        run(&gateway, Orders::reserve_stock, reservation()).await,
        Err(rejected)
    );
    let rejected = Verdict::final_as("Rejected");
    assert_eq!(
        run(&gateway, Orders::charge_card, charge()).await,
        Err(rejected)
    );
    let rejected = Some(Verdict::final_as("Rejected"));
    assert_eq!(
        run(&gateway, Orders::ship, shipment()).await.err(),
        rejected
    );

    assert_eq!(gateway.effects(), []);
}
