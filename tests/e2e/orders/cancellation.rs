//! Orders that are called off: in time, too late, and by Temporal itself.

use sealane_dev::gateway::Operation::{self, Charge, Pack, Recall, Refund, Release, Reserve, Ship};
use sealane_tests::{
    World,
    orders::{Shop, order, patiently},
};
use sealane_workflows::orders::{Receipt, Status};
use temporalio_client::errors::WorkflowGetResultError;
use tokio::net::TcpListener;

fn requested(shop: &Shop) -> Vec<Operation> {
    let requests = shop.gateway.requests().into_iter();
    requests.map(|request| request.operation).collect()
}

#[tokio::test]
async fn an_order_cancelled_while_charging_is_undone_in_reverse() -> anyhow::Result<()> {
    let mut shop = Shop::without_workers(World::new().await).await?;
    let placed = shop.hold_at_charging(order("A-1", &["tea"])).await?;

    placed.handle.cancel("ordered twice".to_owned()).await?;
    let receipt = shop.result(&placed).await?;

    let cancelled = Receipt::Cancelled {
        order_id: "A-1".into(),
        reason: "ordered twice".to_owned(),
    };
    assert_eq!(receipt, cancelled);
    // The refund is asked for although nothing was taken: an unanswered charge may have taken effect.
    assert_eq!(requested(&shop), [Reserve, Charge, Refund, Release]);
    assert_eq!(shop.effects(), [Reserve, Release]);
    assert_eq!(placed.handle.status().await?, Status::Cancelled);
    shop.close().await
}

#[tokio::test]
async fn the_first_of_two_reasons_stands() -> anyhow::Result<()> {
    let mut shop = Shop::without_workers(World::new().await).await?;
    let placed = shop.hold_at_charging(order("A-1", &["tea"])).await?;
    // Compensation waits for the gateway, so the second signal finds the order still there.
    shop.gateway.take_down().await;

    placed.handle.cancel("ordered twice".to_owned()).await?;
    placed.handle.cancel("changed my mind".to_owned()).await?;
    shop.gateway.bring_up().await?;
    let receipt = shop.result(&placed).await?;

    assert!(
        matches!(&receipt, Receipt::Cancelled { reason, .. } if reason == "ordered twice"),
        "{receipt:?}"
    );
    shop.close().await
}

#[tokio::test]
async fn an_order_cancelled_while_shipping_is_shipped() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    let placed = shop
        .hold_at_parcel(order("A-1", &["tea", "teapot"]), 1)
        .await?;

    placed.handle.cancel("too late".to_owned()).await?;
    let status = placed.handle.status().await?;
    shop.resume();
    let receipt = shop.result(&placed).await?;

    assert_eq!(status, Status::Shipping);
    assert!(matches!(receipt, Receipt::Shipped { .. }), "{receipt:?}");
    assert_eq!(shop.effects(), [Reserve, Charge, Ship, Pack(0), Pack(1)]);
    shop.close().await
}

#[tokio::test]
async fn a_workflow_cancelled_while_shipping_recalls_refunds_and_releases() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    let placed = shop
        .hold_at_parcel(order("A-1", &["tea", "teapot"]), 1)
        .await?;

    let execution = &placed.execution;
    shop.workflows.cancel(execution, "shop closes").await?;
    let ended = shop.result(&placed).await;

    assert!(
        matches!(ended, Err(WorkflowGetResultError::Cancelled { .. })),
        "{ended:?}"
    );
    assert_eq!(
        shop.effects(),
        [Reserve, Charge, Ship, Pack(0), Recall, Refund, Release]
    );
    assert_eq!(placed.handle.status().await?, Status::Cancelled);
    shop.close().await
}

#[tokio::test]
async fn nobody_gets_the_money_back_for_parcels_that_are_out() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    let placed = shop.hold_after_lost_parcel(order("A-1", &["tea"])).await?;

    let execution = &placed.execution;
    shop.workflows.cancel(execution, "shop closes").await?;
    let failure = shop.failure(&placed).await?;

    assert_eq!(failure.kind.as_deref(), Some("NotUndone"));
    let text = failure.to_string();
    assert!(
        text.contains("by hand: recall_shipment, refund_charge, release_stock"),
        "{text}"
    );
    assert_eq!(shop.effects(), [Reserve, Charge, Ship, Pack(0)]);
    shop.close().await
}

#[tokio::test]
async fn an_order_cancelled_while_the_gateway_is_silent_is_cancelled() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    shop.gateway.take_down().await;
    let address = shop.gateway.url().replace("http://", "");
    let silent = TcpListener::bind(&address).await?;
    let placed = shop.place(order("A-1", &["tea"])).await?;
    let connection = patiently("a connection", silent.accept()).await?;

    placed.handle.cancel("ordered twice".to_owned()).await?;
    // Answered after the workflow task that saw the signal.
    let status = patiently("the status", placed.handle.status()).await?;
    drop((silent, connection));
    shop.gateway.bring_up().await?;
    let receipt = shop.result(&placed).await?;

    assert_eq!(status, Status::Reserving);
    assert!(matches!(receipt, Receipt::Cancelled { .. }), "{receipt:?}");
    shop.close().await
}
