//! `OrderWorkflow` from end to end: real server, real worker, a gateway that fails on request.

mod cancellation;
mod readdressing;
mod refusals;
mod retries;

use sealane_dev::gateway::Operation::{Charge, Pack, Reserve, Ship};
use sealane_tests::orders::{Shop, address, order};
use sealane_workflows::orders::{Receipt, Status};

#[tokio::test]
async fn an_order_is_reserved_charged_and_shipped_once() -> anyhow::Result<()> {
    let shop = Shop::open().await?;

    let placed = shop.place(order("A-1", &["tea", "teapot"])).await?;
    let receipt = shop.result(&placed).await?;

    assert_eq!(shop.effects(), [Reserve, Charge, Ship, Pack(0), Pack(1)]);
    assert_eq!(placed.handle.status().await?, Status::Shipped);
    let Receipt::Shipped {
        order_id,
        reservation_id,
        charge_id,
        shipment_id,
        tracking_id,
        address: sent_to,
    } = receipt
    else {
        panic!("another receipt: {receipt:?}");
    };
    assert_eq!(order_id.as_str(), "A-1");
    assert_eq!(sent_to, address("Torstraße 1"));
    assert!(tracking_id.as_str().starts_with("TRK-"), "{tracking_id}");
    let shipment = shipment_id.as_str();
    let made: Vec<_> = shop.gateway.effects().into_iter().map(|it| it.id).collect();
    let promised = [
        reservation_id.as_str(),
        charge_id.as_str(),
        shipment,
        shipment,
        shipment,
    ];
    assert_eq!(made, promised);
    shop.close().await
}

#[tokio::test]
async fn requests_carry_a_key_made_of_what_they_ask_for() -> anyhow::Result<()> {
    let shop = Shop::open().await?;

    for id in ["A-1", "A-2"] {
        let placed = shop.place(order(id, &["tea"])).await?;
        shop.result(&placed).await?;
    }

    let effects = shop.gateway.effects();
    for effect in &effects {
        assert!(effect.key.contains(&effect.id), "{effect:?}");
    }
    let mut keys: Vec<_> = effects.iter().map(|effect| &effect.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), effects.len(), "a key was used twice: {keys:?}");
    shop.close().await
}
