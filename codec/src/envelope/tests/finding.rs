use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::future::join_all;
use tokio::time::{Instant, advance, sleep};

use super::{
    Envelope, MemoryVault, OpenError, encoding, found, made_up,
    memory::{FIRST, KEK},
    payload, reader, sealed, start, writer,
};
use crate::{azure::Cause, metadata::KEY_ID};

async fn wait_for_find(envelope: &Envelope, payload: &super::Payload) -> Duration {
    let began = Instant::now();
    envelope.find(payload).await;
    began.elapsed()
}

#[tokio::test]
async fn everybody_who_needs_a_data_key_shares_one_request() {
    let vault = MemoryVault::new();
    let writer = writer(&vault).await;
    let payloads: Vec<_> = (0..50).map(|_| sealed(&writer)).collect();
    let reader = reader(&vault, "KEK").await;
    let before = vault.calls("unwrap");

    join_all(payloads.iter().map(|payload| reader.find(payload))).await;

    assert_eq!(vault.calls("unwrap"), before + 1);
    for sealed in &payloads {
        assert_eq!(reader.open(sealed), Ok(payload("greetings")));
    }
    let status = reader.status();
    assert_eq!((status.unwrapped, status.hits, status.misses), (1, 50, 0));
    assert_eq!((status.cached, status.unwrapping), (1, 0));
}

#[tokio::test]
async fn a_process_reads_its_own_payloads_without_asking() {
    let vault = MemoryVault::new();
    let envelope = writer(&vault).await;
    let before = vault.calls("unwrap");

    assert_eq!(envelope.open(&sealed(&envelope)), Ok(payload("greetings")));

    assert_eq!(vault.calls("unwrap"), before);
}

#[tokio::test(start_paused = true)]
async fn a_slow_vault_costs_one_wait_and_the_answer_still_counts() {
    let vault = MemoryVault::new();
    let (first, second) = (writer(&vault).await, writer(&vault).await);
    let (first, second) = (sealed(&first), sealed(&second));
    let reader = reader(&vault, "KEK").await;
    vault.answer(false);

    assert_eq!(wait_for_find(&reader, &first).await, Duration::from_secs(1));
    assert_eq!(wait_for_find(&reader, &first).await, Duration::ZERO);
    assert_eq!(wait_for_find(&reader, &second).await, Duration::ZERO);
    assert!(matches!(
        reader.open(&first),
        Err(OpenError::Pending { .. })
    ));

    vault.answer(true);
    while reader.status().unwrapping > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(reader.open(&first), Ok(payload("greetings")));
    assert_eq!(reader.open(&second), Ok(payload("greetings")));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_data_keys_is_bounded() {
    let vault = MemoryVault::new();
    let uri = format!("{KEK}/{FIRST}");
    let reader = reader(&vault, &uri).await;
    let first = sealed(&start(&vault, &uri, encoding()).await.unwrap());
    assert!(found(&reader, &first).await.is_ok());
    vault.answer(false);
    let before = vault.calls("unwrap");
    let began = Instant::now();

    for n in 0..5000_u32 {
        let made_up = made_up(&uri, &BASE64_STANDARD.encode(n.to_be_bytes()));
        reader.find(&made_up).await;
    }

    assert_eq!(began.elapsed(), Duration::from_secs(1));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(vault.calls("unwrap") - before, 8);
    assert_eq!(reader.status().unwrapping, 256);
}

#[tokio::test(start_paused = true)]
async fn requests_are_made_one_by_one_until_the_first_has_succeeded() {
    let vault = MemoryVault::new();
    let uri = format!("{KEK}/{FIRST}");
    let reader = reader(&vault, &uri).await;
    vault.answer(false);

    for n in 0..100_u32 {
        let made_up = made_up(&uri, &BASE64_STANDARD.encode(n.to_be_bytes()));
        reader.find(&made_up).await;
    }
    sleep(Duration::from_millis(1)).await;

    assert_eq!(vault.calls("unwrap"), 1);
}

#[tokio::test(start_paused = true)]
async fn made_up_data_keys_are_tried_one_by_one_after_a_while() {
    let vault = MemoryVault::new();
    let uri = format!("{KEK}/{FIRST}");
    let writer = start(&vault, &uri, encoding()).await.unwrap();
    let reader = reader(&vault, &uri).await;
    let made_up = |n: u32| made_up(&uri, &BASE64_STANDARD.encode(n.to_be_bytes()));
    let running = async |from: u32| {
        vault.answer(false);
        let before = vault.calls("unwrap");
        for n in from..from + 50 {
            reader.find(&made_up(n)).await;
        }
        sleep(Duration::from_millis(1)).await;
        let running = vault.calls("unwrap") - before;
        vault.answer(true);
        while reader.status().unwrapping > 0 {
            tokio::task::yield_now().await;
        }
        running
    };
    assert!(found(&reader, &sealed(&writer)).await.is_ok());

    assert_eq!(running(0).await, 8);
    assert_eq!(running(100).await, 1);

    let good = sealed(&start(&vault, &uri, encoding()).await.unwrap());
    assert_eq!(found(&reader, &good).await, Ok(payload("greetings")));
    assert_eq!(running(200).await, 8);
}

#[tokio::test]
async fn a_foreign_key_is_refused_without_a_request() {
    let vault = MemoryVault::new();
    let reader = reader(&vault, "KEK/1").await;
    for id in [
        "azurekeyvault://evil.vault.azure.net/keys/kek/1",
        "azurekeyvault://unit.vault.azure.net/keys/other",
        "azurekeyvault://unit.vault.azure.net/keys/kek/2",
        "azurekeyvault://unit.vault.azure.net@evil.net/keys/kek/1",
        "awskms://arn:aws:kms:eu-central-1:1:key/2",
        "\u{0}\n",
    ] {
        let error = found(&reader, &made_up(id, "AAAA")).await.unwrap_err();

        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("{id:?}")), "{text}");
        assert!(
            text.contains(&format!("KEYVAULT_KEY_URI={KEK}/1")),
            "{text}"
        );
        assert!(!text.contains('\n'), "{text}");
    }
    assert_eq!(vault.calls("unwrap") + vault.calls("list"), 0);
}

#[tokio::test]
async fn a_long_way_to_write_a_key_is_refused_without_a_request() {
    let vault = MemoryVault::new();
    let uri = format!("{KEK}/{FIRST}");
    let writer = start(&vault, &uri, encoding()).await.unwrap();
    let mut payload = sealed(&writer);
    let reader = reader(&vault, &uri).await;
    let asked = vault.calls("unwrap");
    let detour = "x/../".repeat(200);
    let id = uri.replace("/keys/", &format!("/{detour}keys/"));
    payload.metadata.insert(KEY_ID.to_owned(), id.into());

    let error = found(&reader, &payload).await.unwrap_err();

    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    assert_eq!(vault.calls("unwrap"), asked);
}

#[tokio::test]
async fn what_cannot_be_a_wrapped_key_is_refused_without_a_request() {
    let vault = MemoryVault::new();
    let reader = reader(&vault, "KEK").await;
    for (wrapped, problem) in [
        ("@@@@", "base64"),
        ("AAA", "base64"),
        (&*"A".repeat(688), "longer than 512 bytes"),
    ] {
        let error = found(&reader, &made_up(KEK, wrapped)).await.unwrap_err();

        assert!(matches!(error, OpenError::Malformed { .. }), "{error}");
        assert!(error.to_string().contains(problem), "{error}");
    }
    assert_eq!(vault.calls("unwrap") + vault.calls("list"), 0);
}

#[tokio::test]
async fn a_wrapped_key_of_another_length_is_refused() {
    use crate::envelope::wrapping::KeyEncryption;
    let vault = MemoryVault::new();
    let reader = reader(&vault, "KEK").await;
    for len in [0, 16, 31, 33] {
        let wrapped = vault.wrap(&KEK.parse().unwrap(), &vec![7; len]).await;
        let payload = made_up(KEK, &BASE64_STANDARD.encode(wrapped.unwrap()));

        let error = found(&reader, &payload).await.unwrap_err().to_string();

        assert!(
            error.contains(&format!("{len} bytes long, expected 32")),
            "{error}"
        );
    }
    assert_eq!(reader.status().not_unwrapped["length"], 4);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_remembered_shortly_or_longer_as_they_last() {
    for (cause, remembered) in [
        (Cause::Unreachable, Duration::from_secs(3)),
        (Cause::ForbiddenByRbac, Duration::from_secs(3)),
        (Cause::KeyDisabled, Duration::from_secs(60)),
        (Cause::Rejected { status: 400 }, Duration::from_secs(60)),
    ] {
        let vault = MemoryVault::new();
        let sealed = sealed(&writer(&vault).await);
        let reader = reader(&vault, "KEK").await;
        vault.fail("unwrap", cause);
        let error = found(&reader, &sealed).await.unwrap_err();
        assert!(matches!(error, OpenError::Refused { .. }), "{error}");
        let asked = vault.calls("unwrap");
        vault.recover();

        advance(remembered - Duration::from_millis(1)).await;
        assert_eq!(found(&reader, &sealed).await, Err(error));
        assert_eq!(vault.calls("unwrap"), asked, "{cause:?}");

        advance(Duration::from_millis(1)).await;
        assert_eq!(found(&reader, &sealed).await, Ok(payload("greetings")));
    }
}

#[tokio::test]
async fn refused_data_keys_are_counted_by_reason_and_remembered_within_bounds() {
    let vault = MemoryVault::new();
    let reader = reader(&vault, "KEK/1").await;
    vault.fail("unwrap", Cause::Throttled);
    let reason = "throttled";
    for n in 0..3000_u32 {
        let made_up = made_up(
            &format!("{KEK}/1"),
            &BASE64_STANDARD.encode(n.to_be_bytes()),
        );
        reader.find(&made_up).await;
    }

    assert_eq!(reader.status().not_unwrapped[reason], 3000);
    assert_eq!(reader.status().unwrapping, 0);
    assert!(reader.0.unwrapper.remembered() <= 1024);
}
