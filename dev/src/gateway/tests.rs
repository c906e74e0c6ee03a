use std::{io, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Gateway, Knobs, Operation, Throttle};

/// Longer than anything here takes; reached only by a gateway that hangs.
const PATIENCE: Duration = Duration::from_secs(20);

struct Reply {
    status: u16,
    head: String,
    body: Value,
}

async fn send(gateway: &Gateway, line: &str, key: &str, body: Value) -> io::Result<Reply> {
    let body = body.to_string();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nIdempotency-Key: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(gateway.address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut text)).await??;

    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Ok(Reply {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_lowercase(),
        body: serde_json::from_str(body).unwrap_or_default(),
    })
}

async fn post(gateway: &Gateway, path: &str, key: &str, body: Value) -> Reply {
    send(gateway, &format!("POST {path}"), key, body)
        .await
        .unwrap()
}

#[tokio::test]
async fn one_key_gets_one_answer_and_takes_effect_once() {
    let gateway = Gateway::start_local().await.unwrap();

    let first = post(&gateway, "/charges", "k1", json!({"id": "c1"})).await;
    let second = post(&gateway, "/charges", "k1", json!({"id": "c1"})).await;

    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(first.body, second.body);
    assert_eq!(gateway.requests().len(), 2);
    assert_eq!(gateway.effects().len(), 1);
}

#[tokio::test]
async fn a_key_reused_for_something_else_is_refused() {
    let gateway = Gateway::start_local().await.unwrap();
    post(&gateway, "/charges", "k1", json!({"id": "c1"})).await;

    let reused = post(&gateway, "/charges", "k1", json!({"id": "c2"})).await;

    assert_eq!(reused.status, 422);
    assert_eq!(gateway.effects().len(), 1);
}

#[tokio::test]
async fn a_charge_that_was_refunded_before_it_arrived_is_never_made() {
    let gateway = Gateway::start_local().await.unwrap();
    let refund = post(&gateway, "/charges/c1/refund", "k2", json!({})).await;

    let late = post(&gateway, "/charges", "k1", json!({"id": "c1"})).await;

    assert_eq!((refund.status, late.status), (200, 409));
    assert_eq!(gateway.effects(), []);
}

#[tokio::test]
async fn a_shipment_can_be_recalled_until_its_last_parcel_is_packed() {
    let gateway = Gateway::start_local().await.unwrap();
    for id in ["s1", "s2"] {
        let items = json!([{"sku": "tea"}, {"sku": "cup"}]);
        post(
            &gateway,
            "/shipments",
            id,
            json!({"id": id, "items": items}),
        )
        .await;
        post(
            &gateway,
            &format!("/shipments/{id}/parcels/0"),
            &format!("{id}-0"),
            json!({}),
        )
        .await;
    }
    post(&gateway, "/shipments/s2/parcels/1", "s2-1", json!({})).await;

    let in_time = post(&gateway, "/shipments/s1/recall", "r1", json!({})).await;
    let too_late = post(&gateway, "/shipments/s2/recall", "r2", json!({})).await;

    assert_eq!((in_time.status, too_late.status), (200, 409));
    assert_eq!(too_late.body["code"], "shipped");
}

#[tokio::test]
async fn counted_failures_end_after_their_count() {
    let gateway = Gateway::start_local().await.unwrap();
    gateway.turn(|knobs| {
        knobs.throttle = Some(Throttle {
            next: 1,
            retry_after_seconds: 7,
            status: 503,
        });
        knobs.fail_next = 1;
        knobs.lose_next = 1;
        knobs.garble_next = 1;
    });

    let mut replies = Vec::new();
    for _ in 0..5 {
        replies.push(post(&gateway, "/charges", "k1", json!({"id": "c1"})).await);
    }

    let statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [503, 500, 500, 200, 200]);
    assert!(
        replies[0].head.contains("retry-after: 7"),
        "{}",
        replies[0].head
    );
    assert_eq!(replies[3].body, Value::Null, "garbage must not parse");
    assert_eq!(gateway.effects().len(), 1);
}

#[tokio::test]
async fn knobs_can_be_turned_over_http() {
    let gateway = Gateway::start_local().await.unwrap();

    let set = send(
        &gateway,
        "PUT /knobs",
        "",
        json!({"decline": "stolen_card"}),
    )
    .await;
    let declined = post(&gateway, "/charges", "k1", json!({"id": "c1"})).await;
    let typo = send(&gateway, "PUT /knobs", "", json!({"declin": "x"})).await;

    assert_eq!(set.unwrap().status, 200);
    assert_eq!(declined.status, 402);
    assert_eq!(declined.body["code"], "stolen_card");
    assert_eq!(typo.unwrap().status, 422);
}

#[tokio::test]
async fn a_paused_parcel_is_packed_once_the_knob_changes() {
    let gateway = Gateway::start_local().await.unwrap();
    let items = json!([{"sku": "tea"}]);
    post(
        &gateway,
        "/shipments",
        "s1",
        json!({"id": "s1", "items": items}),
    )
    .await;
    gateway.turn(|knobs| knobs.pause_at_parcel = Some(0));

    let release = async {
        gateway.wait_until(|state| state.is_paused()).await;
        assert_eq!(gateway.effects().len(), 1, "packed while paused");
        gateway.turn(|knobs| *knobs = Knobs::default());
    };
    let (packed, ()) = tokio::join!(
        post(&gateway, "/shipments/s1/parcels/0", "p0", json!({})),
        release
    );

    assert_eq!(packed.status, 200);
    gateway.wait_until(|state| !state.is_paused()).await;
    assert_eq!(gateway.effects()[1].operation, Operation::Pack(0));
}

#[tokio::test]
async fn a_gateway_that_is_down_refuses_connections_and_comes_back_on_its_port() {
    let gateway = Gateway::start_local().await.unwrap();
    gateway.turn(|knobs| knobs.pause_at_parcel = Some(0));
    let outage = async {
        gateway.wait_until(|state| state.is_paused()).await;
        gateway.take_down().await;
    };

    let (on_the_way, ()) = tokio::join!(
        post(&gateway, "/shipments/s1/parcels/0", "p0", json!({})),
        outage
    );
    let refused = send(&gateway, "POST /charges", "k1", json!({"id": "c1"})).await;
    gateway.bring_up().await.unwrap();
    let served = post(&gateway, "/charges", "k1", json!({"id": "c1"})).await;

    assert_eq!(on_the_way.status, 503);
    let refused = refused.err().map(|error| error.kind());
    assert_eq!(refused, Some(io::ErrorKind::ConnectionRefused));
    assert_eq!(served.status, 200);
}

#[tokio::test]
async fn an_outage_asked_for_over_http_ends_by_itself() {
    let gateway = Gateway::start_local().await.unwrap();

    let down = post(&gateway, "/down", "", json!({"seconds": 0})).await;
    let back = async {
        while send(&gateway, "GET /log", "", json!({})).await.is_err() {
            tokio::task::yield_now().await;
        }
    };

    assert_eq!(down.status, 202);
    tokio::time::timeout(PATIENCE, back).await.unwrap();
}
