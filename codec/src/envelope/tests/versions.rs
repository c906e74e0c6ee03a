use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::future::join_all;
use tokio::time::advance;

use super::{
    MemoryVault, encoding, found, made_up,
    memory::{FIRST, KEK},
    payload, reader, sealed, start, writer,
};
use crate::{
    azure::Cause,
    envelope::{OpenError, StartError},
};

#[tokio::test]
async fn a_rotated_key_reads_what_its_older_versions_wrapped() {
    let vault = MemoryVault::new();
    let old = sealed(&writer(&vault).await);
    vault.rotate();
    let new = sealed(&writer(&vault).await);

    let reader = reader(&vault, "KEK").await;

    assert_eq!(found(&reader, &old).await, Ok(payload("greetings")));
    assert_eq!(found(&reader, &new).await, Ok(payload("greetings")));
}

#[tokio::test]
async fn a_version_made_after_the_last_listing_is_found() {
    let vault = MemoryVault::new();
    let reader = reader(&vault, "KEK").await;
    let old = sealed(&writer(&vault).await);
    assert!(found(&reader, &old).await.is_ok());
    let lists = vault.calls("list");
    vault.rotate();
    let new = sealed(&writer(&vault).await);
    let lists_of_writer = vault.calls("list") - lists;

    assert_eq!(found(&reader, &new).await, Ok(payload("greetings")));

    assert_eq!(vault.calls("list"), lists + lists_of_writer + 1);
}

#[tokio::test]
async fn a_version_disabled_since_the_last_listing_does_not_hide_older_ones() {
    let vault = MemoryVault::new();
    let (first, second) = (writer(&vault).await, writer(&vault).await);
    let (first, second) = (sealed(&first), sealed(&second));
    let newest = vault.rotate();
    let reader = reader(&vault, "KEK").await;
    assert!(found(&reader, &first).await.is_ok());

    vault.disable(&newest);

    assert_eq!(found(&reader, &second).await, Ok(payload("greetings")));
}

#[tokio::test]
async fn a_disabled_version_hides_no_other_that_the_settings_name() {
    let vault = MemoryVault::new();
    let old = sealed(&writer(&vault).await);
    let (middle, newest) = (vault.rotate(), vault.rotate());
    let named = format!("KEK/{newest},KEK/{middle},KEK/{FIRST}");
    let reader = reader(&vault, &named).await;

    vault.disable(&middle);

    assert_eq!(found(&reader, &old).await, Ok(payload("greetings")));
}

#[tokio::test]
async fn what_a_disabled_version_wrapped_cannot_be_read() {
    let vault = MemoryVault::new();
    let old = sealed(&writer(&vault).await);
    vault.rotate();
    vault.disable(FIRST);

    let error = found(&reader(&vault, "KEK").await, &old).await.unwrap_err();

    let OpenError::Refused { reason, .. } = error else {
        unreachable!("{error}");
    };
    assert!(reason.contains("enable the version"), "{reason}");
}

#[tokio::test]
async fn a_made_up_data_key_costs_a_bounded_number_of_requests() {
    let vault = MemoryVault::new();
    for _ in 0..100 {
        vault.rotate();
    }
    let reader = reader(&vault, "KEK").await;
    let made_up = made_up(KEK, &BASE64_STANDARD.encode([7; 256]));

    assert!(found(&reader, &made_up).await.is_err());

    assert_eq!((vault.calls("list"), vault.calls("unwrap")), (1, 16));
}

#[tokio::test(start_paused = true)]
async fn made_up_data_keys_do_not_have_versions_listed_again_and_again() {
    let vault = MemoryVault::new();
    let reader = reader(&vault, "KEK").await;
    let mut reasons = Vec::new();

    for n in 0..100_u8 {
        let made_up = made_up(KEK, &BASE64_STANDARD.encode([n; 256]));
        let error = found(&reader, &made_up).await.unwrap_err();
        reasons.push(error.to_string());
    }

    // The first list, and one that showed nothing new.
    assert_eq!(vault.calls("list"), 2);
    assert!(reasons[1].contains("enable the version"), "{}", reasons[1]);
    assert!(reasons[2].contains("listed a moment ago"), "{}", reasons[2]);
    assert_eq!(reader.status().not_unwrapped["not_wrapped"], 100);
}

#[tokio::test(start_paused = true)]
async fn a_version_made_after_a_list_in_vain_is_found_seconds_later() {
    let vault = MemoryVault::new();
    let reader = reader(&vault, "KEK").await;
    for n in 0..2_u8 {
        let made_up = made_up(KEK, &BASE64_STANDARD.encode([n; 256]));
        assert!(found(&reader, &made_up).await.is_err());
    }
    vault.rotate();
    let new = sealed(&writer(&vault).await);

    assert!(found(&reader, &new).await.is_err());
    advance(Duration::from_secs(5)).await;

    assert_eq!(found(&reader, &new).await, Ok(payload("greetings")));
}

#[tokio::test(start_paused = true)]
async fn who_needs_new_versions_at_once_shares_one_list() {
    let vault = MemoryVault::new();
    let old = sealed(&writer(&vault).await);
    let reader = reader(&vault, "KEK").await;
    assert!(found(&reader, &old).await.is_ok());
    vault.rotate();
    let mut payloads = Vec::new();
    for _ in 0..5 {
        payloads.push(sealed(&writer(&vault).await));
    }
    let (lists, asked) = (vault.calls("list"), vault.calls("unwrap"));
    vault.answer(false);
    let answer = async {
        while vault.calls("unwrap") < asked + payloads.len() {
            tokio::task::yield_now().await;
        }
        vault.answer(true);
    };

    let found = join_all(payloads.iter().map(|new| reader.find(new)));
    tokio::join!(found, answer);

    for new in &payloads {
        assert_eq!(reader.open(new), Ok(payload("greetings")));
    }
    assert_eq!(vault.calls("list"), lists + 1);
}

#[tokio::test]
async fn a_pinned_version_is_the_only_one_used() {
    let vault = MemoryVault::new();
    let second = vault.rotate();
    vault.rotate();
    let uri = format!("KEK/{second}");

    let writer = start(&vault, &uri, encoding()).await.unwrap();
    let opened = found(&reader(&vault, &uri).await, &sealed(&writer)).await;

    assert_eq!(opened, Ok(payload("greetings")));
    assert_eq!((vault.calls("list"), vault.calls("unwrap")), (0, 2));
}

#[tokio::test]
async fn nothing_starts_without_a_data_key_that_can_be_read_again() {
    for (kind, cause) in [
        ("wrap", Cause::ForbiddenByRbac),
        ("unwrap", Cause::ForbiddenByRbac),
        ("list", Cause::ForbiddenByRbac),
        ("", Cause::Unreachable),
    ] {
        let vault = MemoryVault::new();
        vault.fail(kind, cause);

        let error = start(&vault, "KEK", encoding()).await.unwrap_err();

        assert_eq!(error.azure().unwrap().cause(), cause);
        assert!(error.to_string().contains(KEK), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[tokio::test]
async fn a_key_that_unwraps_nothing_is_told_from_an_outage() {
    let vault = MemoryVault::new();
    vault.fail("unwrap", Cause::Rejected { status: 400 });

    let error = start(&vault, "KEK", encoding()).await.unwrap_err();

    assert!(matches!(error, StartError::Unequal { .. }), "{error}");
    assert!(error.to_string().contains("KEYVAULT_KEY_URI"), "{error}");
}
