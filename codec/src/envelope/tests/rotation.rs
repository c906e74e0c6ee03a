use std::time::Duration;

use tokio::{
    task::JoinHandle,
    time::{advance, sleep},
};

use super::{Envelope, MemoryVault, encoding, found, payload, reader, sealed, start, writer};
use crate::{
    azure::Cause,
    envelope::{EnvelopeOptions, Renewal, SealError},
    metadata::WRAPPED_KEY,
};

const HOUR: Duration = Duration::from_secs(3600);

fn following(envelope: &Envelope) -> JoinHandle<()> {
    tokio::spawn(envelope.clone().follow())
}

fn made(envelope: &Envelope, renewal: Renewal) -> u64 {
    let made = envelope.status().made;
    made.get(&renewal).copied().unwrap_or_default()
}

fn data_key(envelope: &Envelope) -> Vec<u8> {
    sealed(envelope).metadata[WRAPPED_KEY].clone()
}

async fn counting(vault: &MemoryVault, max_seals: u64) -> Envelope {
    let options = EnvelopeOptions {
        max_seals,
        ..encoding()
    };
    start(vault, "KEK", options).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_data_key_is_replaced_before_it_is_too_old() {
    let vault = MemoryVault::new();
    let envelope = writer(&vault).await;
    let _following = following(&envelope);
    let (first, old) = (data_key(&envelope), sealed(&envelope));

    sleep(HOUR / 4 * 3 - Duration::from_secs(1)).await;
    assert_eq!(data_key(&envelope), first);
    sleep(Duration::from_secs(2)).await;

    assert_ne!(data_key(&envelope), first);
    assert_eq!(envelope.open(&old), Ok(payload("greetings")));
    sleep(24 * HOUR).await;
    assert_eq!(made(&envelope, Renewal::Age), 33);
    assert_eq!(made(&envelope, Renewal::Initial), 1);
}

#[tokio::test(start_paused = true)]
async fn a_data_key_is_replaced_before_it_has_sealed_too_much() {
    let vault = MemoryVault::new();
    let envelope = counting(&vault, 100).await;
    let _following = following(&envelope);
    let first = data_key(&envelope);

    for _ in 0..73 {
        assert_eq!(data_key(&envelope), first);
    }
    sleep(Duration::from_millis(1)).await;
    assert_eq!(data_key(&envelope), first, "the 75th");
    sleep(Duration::from_millis(1)).await;

    assert_ne!(data_key(&envelope), first);
    assert_eq!(made(&envelope, Renewal::Count), 1);
    assert_eq!(envelope.status().data_key.unwrap().seals, 1);
}

#[tokio::test(start_paused = true)]
async fn a_hurried_process_does_not_flood_the_vault() {
    let vault = MemoryVault::new();
    let envelope = counting(&vault, 1).await;
    let _following = following(&envelope);

    for _ in 0..10_000 {
        sealed(&envelope);
        sleep(Duration::from_millis(1)).await;
    }

    assert!(vault.calls("wrap") <= 12, "{}", vault.calls("wrap"));
}

#[tokio::test(start_paused = true)]
async fn an_outage_changes_nothing_but_the_status() {
    let vault = MemoryVault::new();
    let envelope = counting(&vault, 100).await;
    let _following = following(&envelope);
    let first = data_key(&envelope);
    vault.fail("", Cause::Unreachable);

    for _ in 0..1000 {
        assert_eq!(data_key(&envelope), first);
    }
    sleep(10 * HOUR).await;

    assert_eq!(data_key(&envelope), first);
    let status = envelope.status();
    assert_eq!(status.made.len(), 1);
    assert!(status.not_made["unreachable"] > 1000, "{status:?}");
    assert!(status.failure.unwrap().contains("kek"));

    vault.recover();
    sleep(Duration::from_secs(31)).await;
    assert_ne!(data_key(&envelope), first);
    assert_eq!(envelope.status().failure, None);
}

#[tokio::test(start_paused = true)]
async fn a_data_key_that_cannot_be_read_again_is_not_used() {
    let vault = MemoryVault::new();
    let envelope = writer(&vault).await;
    let _following = following(&envelope);
    let first = data_key(&envelope);
    vault.fail("unwrap", Cause::ForbiddenByRbac);

    sleep(HOUR).await;

    assert_eq!(data_key(&envelope), first);
}

#[tokio::test(start_paused = true)]
async fn a_used_up_data_key_seals_nothing_more() {
    let vault = MemoryVault::new();
    let mut envelope = counting(&vault, 100).await;
    let inner = std::sync::Arc::get_mut(&mut envelope.0).unwrap();
    inner.resident.as_mut().unwrap().budget = 200;
    let _following = following(&envelope);
    vault.fail("", Cause::Unreachable);

    let sealed: Vec<_> = (0..300).map(|_| envelope.seal(&payload("x"))).collect();
    sleep(Duration::from_secs(1)).await;

    assert!(sealed[..200].iter().all(Result::is_ok));
    assert!(sealed[200..].iter().all(Result::is_err));
    let error = envelope.seal(&payload("x")).unwrap_err();
    assert!(matches!(error, SealError::Exhausted { limit: 200, .. }));
    assert!(error.to_string().contains("as the test ordered"), "{error}");

    vault.recover();
    advance(HOUR).await;
    sleep(Duration::from_secs(1)).await;
    assert!(envelope.seal(&payload("x")).is_ok());
}

#[tokio::test(start_paused = true)]
async fn payloads_of_all_data_keys_open_elsewhere() {
    let vault = MemoryVault::new();
    let envelope = writer(&vault).await;
    let _following = following(&envelope);
    let mut payloads = Vec::new();
    for _ in 0..20 {
        payloads.push(sealed(&envelope));
        sleep(HOUR).await;
        vault.rotate();
    }

    let reader = reader(&vault, "KEK").await;

    for sealed in payloads.iter().skip(6) {
        assert_eq!(found(&reader, sealed).await, Ok(payload("greetings")));
    }
}
