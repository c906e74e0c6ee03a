//! What is refused for good is not asked for again.

use sealane_dev::gateway::Operation::{Charge, Release, Reserve};
use sealane_tests::orders::{Shop, order};
use sealane_workflows::orders::Status;

#[tokio::test]
async fn a_declined_card_is_tried_once_and_the_stock_released() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    shop.gateway
        .turn(|knobs| knobs.decline = Some("insufficient_funds".to_owned()));

    let placed = shop.place(order("A-1", &["tea"])).await?;
    let failure = shop.failure(&placed).await?;

    assert_eq!(failure.kind.as_deref(), Some("Declined"));
    assert!(failure.non_retryable);
    let text = failure.to_string();
    assert!(text.contains("order A-1 failed while charging"), "{text}");
    assert!(text.contains("insufficient_funds"), "{text}");
    assert_eq!(shop.keys_of(Charge).len(), 1);
    assert_eq!(shop.effects(), [Reserve, Release]);
    assert_eq!(placed.handle.status().await?, Status::Failed);
    shop.close().await
}

#[tokio::test]
async fn an_order_out_of_stock_ends_before_the_card_is_touched() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    shop.sell_out("teapot");

    let placed = shop.place(order("A-1", &["tea", "teapot"])).await?;
    let failure = shop.failure(&placed).await?;

    assert_eq!(failure.kind.as_deref(), Some("OutOfStock"));
    assert_eq!(shop.keys_of(Reserve).len(), 1);
    assert_eq!(
        shop.gateway.requests().len(),
        1,
        "nothing was done, so there is nothing to undo"
    );
    shop.close().await
}

#[tokio::test]
async fn an_order_that_makes_no_sense_reaches_no_gateway() -> anyhow::Result<()> {
    let shop = Shop::open().await?;
    let mut free = order("A-1", &["tea"]);
    free.amount = 0;

    let placed = shop.place(free).await?;
    let failure = shop.failure(&placed).await?;

    assert_eq!(failure.kind.as_deref(), Some("InvalidOrder"));
    assert!(
        failure.message.contains("amount is 0"),
        "{}",
        failure.message
    );
    assert_eq!(shop.gateway.requests(), []);
    shop.close().await
}
