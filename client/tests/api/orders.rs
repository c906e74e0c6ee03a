//! Orders, as a shop sees them.

use serde_json::json;

use crate::service::{Service, order_document};

#[tokio::test]
async fn an_order_is_placed_watched_and_shipped() -> anyhow::Result<()> {
    let service = Service::start().await?;
    let id = service.world.id("A");

    let placed = service.post("/orders", &order_document(&id)).await;
    let location = placed.header("location").to_owned();
    let shipped = service
        .until(&location, |answer| answer.is(200)["status"] != "RUNNING")
        .await
        .is(200);

    let placed = placed.is(202);
    assert_eq!(location, format!("/orders/{id}"));
    assert_eq!(placed["workflow_id"], format!("order-{id}"));
    assert_eq!(shipped["status"], "COMPLETED");
    assert_eq!(shipped["receipt"]["status"], "shipped");
    assert_eq!(shipped["receipt"]["order_id"], id);
    assert_eq!(shipped["run_id"], placed["run_id"]);
    Ok(())
}

#[tokio::test]
async fn the_same_order_is_placed_once_and_another_one_refused() -> anyhow::Result<()> {
    let service = Service::start().await?;
    let id = service.world.id("A");
    let order = order_document(&id);
    let mut other = order.clone();
    other["amount"] = json!(1);

    let first = service.post("/orders", &order).await.is(202);
    let again = service.post("/orders", &order).await;
    let refused = service.post("/orders", &other).await;
    let keyed = service.post_once("k", "/orders", &order).await;
    let reused = service.post_once("k", "/orders", &other).await;
    let ended = |answer: &crate::answer::Answer| answer.is(200)["status"] == "COMPLETED";
    service.until(&format!("/orders/{id}"), ended).await;
    let after = service.post("/orders", &order).await;

    for repeated in [again, keyed, after] {
        assert_eq!(repeated.is(200), first);
    }
    refused.is_problem(409, "order-exists");
    reused.is_problem(422, "idempotency-key-reused");
    Ok(())
}

#[tokio::test]
async fn an_order_can_be_cancelled_until_it_has_ended() -> anyhow::Result<()> {
    let service = Service::start().await?;
    service.gateway.take_down().await;
    let path = format!("/orders/{}", service.place().await);

    let reserving = |answer: &crate::answer::Answer| answer.is(200)["progress"] == "reserving";
    service.until(&path, reserving).await;
    let body = json!({"reason": "ordered twice"});
    let cancelled = service.post(&format!("{path}/cancel"), &body).await;
    service.gateway.bring_up().await?;
    let ended = |answer: &crate::answer::Answer| answer.is(200)["status"] == "COMPLETED";
    let ended = service.until(&path, ended).await.is(200);
    let late = service.post(&format!("{path}/cancel"), &body).await;

    assert_eq!(cancelled.header("location"), path);
    cancelled.is(202);
    assert_eq!(ended["receipt"]["status"], "cancelled");
    assert_eq!(ended["receipt"]["reason"], "ordered twice");
    late.is_problem(409, "workflow-ended");
    Ok(())
}

#[tokio::test]
async fn an_order_that_fails_says_why() -> anyhow::Result<()> {
    let service = Service::start().await?;
    service
        .gateway
        .turn(|knobs| knobs.decline = Some("insufficient_funds".to_owned()));
    let path = format!("/orders/{}", service.place().await);

    let ended = |answer: &crate::answer::Answer| answer.is(200)["status"] == "FAILED";
    let failed = service.until(&path, ended).await.is(200);

    let failure = failed["failure"].to_string();
    assert!(failure.contains("insufficient_funds"), "{failure}");
    assert_eq!(failed["failure"]["type"], "Declined");
    Ok(())
}

#[tokio::test]
async fn an_order_is_shown_without_a_worker_and_without_the_key() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let id = service.place().await;

    let shown = service.get(&format!("/orders/{id}")).await.is(200);

    assert_eq!(shown["status"], "RUNNING");
    assert!(shown.get("progress").is_none(), "{shown}");
    Ok(())
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused_without_being_quoted() -> anyhow::Result<()> {
    let service = Service::alone().await?;
    let order = order_document("A-1");
    let with = |pointer: &str, value: serde_json::Value| {
        let mut order = order.clone();
        if let Some(place) = order.pointer_mut(pointer) {
            *place = value;
        }
        order["card_token"] = json!("canary");
        order
    };

    for body in [
        with("/items", json!([])),
        with("/items/0/quantity", json!(0)),
        with("/items/0/quantity", json!(4_294_967_296_u64)),
        with("/amount", json!(0)),
        with("/currency", json!("euro")),
        with("/address/city", json!(" ")),
        with("/customer", json!("")),
    ] {
        let answer = service.post("/orders", &body).await;
        assert!(!answer.text.contains("canary"), "{answer}");
        answer.is_problem(422, "invalid-order");
    }
    for body in [
        with("/amount", json!(1.5)),
        with("/id", json!("")),
        with("/items", json!("tea")),
    ] {
        let answer = service.post("/orders", &body).await;
        assert!(!answer.text.contains("canary"), "{answer}");
        answer.is_problem(400, "bad-request");
    }
    let missing = service.get("/orders/nothing").await;
    missing.is_problem(404, "order-not-found");
    let unknown = service.get("/orders/nothing?canary=1").await;
    assert!(!unknown.text.contains("canary"), "{unknown}");
    unknown.is_problem(400, "bad-request");
    for path in ["/orders?dryRun=1", "/orders/nothing/cancel?dryRun=1"] {
        let answer = service.post(path, &json!({})).await;
        answer.is_problem(400, "bad-request");
    }
    Ok(())
}
