//! Orders that are to go elsewhere.

use sealane_client::handles::UpdateError;
use sealane_tests::orders::{Shop, address, order, patiently};
use sealane_workflows::orders::{Address, Receipt};

/// Where a shipped order went.
fn destination(receipt: &Receipt) -> &Address {
    match receipt {
        Receipt::Shipped { address, .. } => address,
        other => panic!("another receipt: {other:?}"),
    }
}

/// What the workflow said when it refused.
fn refusal(outcome: Result<Address, UpdateError>) -> String {
    match outcome {
        Err(UpdateError::Refused(report)) => report.message,
        other => panic!("the update ended as {other:?}, expected a refusal"),
    }
}

#[tokio::test]
async fn an_address_changed_in_time_is_where_the_parcels_go() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    shop.gateway.take_down().await;
    let placed = shop.place(order("A-1", &["tea"])).await?;

    let elsewhere = address("Unter den Linden 5");
    let update = placed.handle.change_address(elsewhere.clone());
    let stands = patiently("the update", update).await?;
    shop.gateway.bring_up().await?;
    let receipt = shop.result(&placed).await?;

    assert_eq!(stands, elsewhere);
    assert_eq!(*destination(&receipt), elsewhere);
    let requests = shop.gateway.requests();
    assert!(
        requests
            .iter()
            .any(|it| it.body.contains("Unter den Linden 5")),
        "the gateway was never told"
    );
    shop.close().await
}

#[tokio::test]
async fn an_address_changed_too_late_is_refused_with_the_reason() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    let placed = shop
        .hold_at_parcel(order("A-1", &["tea", "teapot"]), 1)
        .await?;

    let update = placed.handle.change_address(address("Unter den Linden 5"));
    let outcome = patiently("the update", update).await;
    shop.resume();
    let receipt = shop.result(&placed).await?;

    assert_eq!(
        refusal(outcome),
        "order A-1 is shipping, its address can be changed only before shipping starts"
    );
    assert_eq!(*destination(&receipt), address("Torstraße 1"));
    shop.close().await
}

#[tokio::test]
async fn an_incomplete_address_is_refused_by_the_name_of_what_is_missing() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    shop.gateway.take_down().await;
    let placed = shop.place(order("A-1", &["tea"])).await?;
    let nowhere = Address {
        city: " ".to_owned(),
        ..address("Unter den Linden 5")
    };

    let outcome = patiently("the update", placed.handle.change_address(nowhere)).await;
    shop.gateway.bring_up().await?;
    let receipt = shop.result(&placed).await?;

    assert_eq!(refusal(outcome), "address.city is empty, expected text");
    assert_eq!(*destination(&receipt), address("Torstraße 1"));
    shop.close().await
}
