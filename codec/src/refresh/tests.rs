//! Who waits how long, and how often the source looks.

use std::time::Duration;

use tokio::time::{Instant, advance, timeout};

use super::{DISTANCE, FORGET, RefreshRequests, WAIT};
use crate::{Key, KeyId, KeyRing, SharedKeyRing};

fn ring(ids: &[&str]) -> KeyRing {
    let keys = ids.iter().map(|id| {
        let id: KeyId = id.parse().unwrap();
        (id, Key::from_bytes(&[1; 32]).unwrap())
    });
    KeyRing::new("a".parse().unwrap(), keys).unwrap()
}

fn source() -> (SharedKeyRing, RefreshRequests) {
    SharedKeyRing::with_refresh(ring(&["a"]))
}

fn asking(ring: &SharedKeyRing, id: &'static str) -> tokio::task::JoinHandle<Duration> {
    let ring = ring.clone();
    tokio::spawn(async move {
        let began = Instant::now();
        ring.find(id).await;
        began.elapsed()
    })
}

#[tokio::test(start_paused = true)]
async fn everybody_who_waits_shares_one_look() {
    let (shared, mut requests) = source();
    let waiting: Vec<_> = (0..20).map(|_| asking(&shared, "b")).collect();

    requests.next().await;
    requests.begin();
    shared.replace(ring(&["a", "b"]));
    requests.end();

    for waiter in waiting {
        assert_eq!(waiter.await.unwrap(), Duration::ZERO);
    }
    let another = timeout(Duration::from_secs(3600), requests.next()).await;
    assert!(another.is_err(), "one look is enough for all");
}

#[tokio::test(start_paused = true)]
async fn a_look_that_began_earlier_does_not_count() {
    let (shared, mut requests) = source();
    requests.begin();
    let waiter = asking(&shared, "b");
    tokio::task::yield_now().await;

    requests.end();
    tokio::task::yield_now().await;

    assert!(!waiter.is_finished());
    requests.next().await;
    requests.begin();
    requests.end();
    waiter.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_look_that_began_earlier_is_enough_if_it_finds_the_key() {
    let (shared, mut requests) = source();
    requests.begin();
    let waiter = asking(&shared, "b");
    tokio::task::yield_now().await;

    shared.replace(ring(&["a", "b"]));
    requests.end();

    assert_eq!(waiter.await.unwrap(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_bound() {
    let (shared, _requests) = source();

    assert_eq!(asking(&shared, "b").await.unwrap(), WAIT);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_takes_long_holds_up_one_payload_and_not_each() {
    let (shared, mut requests) = source();
    let first = asking(&shared, "b");
    requests.next().await;
    requests.begin();
    assert_eq!(first.await.unwrap(), WAIT);

    assert_eq!(asking(&shared, "b").await.unwrap(), Duration::ZERO);
    assert_eq!(asking(&shared, "c").await.unwrap(), Duration::ZERO);

    requests.end();
    advance(DISTANCE).await;
    assert_eq!(asking(&shared, "d").await.unwrap(), WAIT);
}

#[tokio::test(start_paused = true)]
async fn an_id_longer_than_any_key_has_is_not_asked_for() {
    let (shared, _requests) = source();
    let began = Instant::now();

    shared.find(&"x".repeat(513)).await;

    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_was_not_found_is_not_asked_for_again_for_a_while() {
    let (shared, mut requests) = source();
    let waiter = asking(&shared, "b");
    requests.next().await;
    requests.begin();
    requests.end();
    waiter.await.unwrap();
    advance(DISTANCE).await;

    assert_eq!(asking(&shared, "b").await.unwrap(), Duration::ZERO);

    advance(FORGET).await;
    assert_eq!(asking(&shared, "b").await.unwrap(), WAIT);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_unknown_ids_neither_waits_nor_looks_for_long() {
    let (shared, mut requests) = source();
    let source = tokio::spawn(async move {
        let mut looks = 0;
        while timeout(Duration::from_secs(120), requests.next())
            .await
            .is_ok()
        {
            requests.begin();
            requests.end();
            looks += 1;
        }
        looks
    });
    let (mut waited, mut asked) = (Duration::ZERO, 0);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(600) {
        asked += 1;
        let before = Instant::now();
        shared.find(&format!("made-up-{asked}")).await;
        waited += before.elapsed();
        advance(Duration::from_millis(50)).await;
    }

    assert!(asked > 10_000, "{asked}");
    assert!(waited < Duration::from_secs(30), "{waited:?}");
    let looks = source.await.unwrap();
    assert!((5..30).contains(&looks), "{looks}");
}

#[tokio::test]
async fn a_ring_without_a_source_that_can_look_again_answers_at_once() {
    SharedKeyRing::new(ring(&["a"])).find("b").await;
}
