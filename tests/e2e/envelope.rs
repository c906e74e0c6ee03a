//! Payloads under wrapped data keys, with Key Vault's real cryptography behind them.

mod proxy;

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use sealane_codec::{
    azure::Cause,
    envelope::{Envelope, EnvelopeOptions, OpenError, StartError},
};
use sealane_tests::{
    azure::{Endpoint, FakeAzure, Role},
    orders::patiently,
};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use self::proxy::Proxy;

const ASK_EVERY: Duration = Duration::from_millis(50);

const KEK: &str = "https://unit.vault.azure.net/keys/kek";

async fn envelope(fake: &FakeAzure, uris: &str, encode: bool) -> Result<Envelope, StartError> {
    let options = EnvelopeOptions {
        encode,
        ..EnvelopeOptions::default()
    };
    let uris = uris.parse().expect("keys");
    Envelope::new(&fake.azure(), uris, options).await
}

async fn fake() -> anyhow::Result<FakeAzure> {
    let fake = FakeAzure::start().await?;
    fake.add_key("kek");
    Ok(fake)
}

fn payload(text: &str) -> Payload {
    Payload::from(text.as_bytes())
}

fn sealed(envelope: &Envelope) -> anyhow::Result<Payload> {
    let sealed = envelope.seal(&payload("greetings"))?;
    sealed.ok_or_else(|| anyhow::anyhow!("the envelope does not encode"))
}

async fn found(envelope: &Envelope, payload: &Payload) -> Result<Payload, OpenError> {
    envelope.find(payload).await;
    envelope.open(payload)
}

#[tokio::test]
async fn temporal_proxy_and_sealane_read_each_other() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let version = fake.add_key("kek");
    fake.grant(Role::CryptoUser);
    for uri in [KEK.to_owned(), format!("{KEK}/{version}")] {
        let proxy = Proxy::new(&fake, &uri.replace("https:", "azurekeyvault:")).await?;
        let ours = envelope(&fake, &uri, true).await?;

        let theirs = proxy.seal(&payload("from the proxy")).await?;
        assert_eq!(found(&ours, &theirs).await?, payload("from the proxy"));

        assert_eq!(proxy.open(&sealed(&ours)?).await?, payload("greetings"));
    }
    Ok(())
}

#[tokio::test]
async fn key_vault_is_asked_for_data_keys_and_never_for_payloads() -> anyhow::Result<()> {
    let fake = fake().await?;
    let writer = envelope(&fake, KEK, true).await?;
    let reader = envelope(&fake, KEK, false).await?;
    let asked = fake.requests().len();

    for _ in 0..1000 {
        let sealed = sealed(&writer)?;
        assert_eq!(writer.open(&sealed)?, payload("greetings"));
        assert_eq!(found(&reader, &sealed).await?, payload("greetings"));
    }

    let vault = [Endpoint::Wrap, Endpoint::Unwrap, Endpoint::ListKeyVersions];
    assert_eq!(vault.map(|endpoint| fake.count(endpoint)), [1, 2, 2]);
    let later = fake.requests().split_off(asked);
    let hosts: BTreeSet<_> = later.iter().map(|request| &*request.host).collect();
    assert_eq!(
        later.len(),
        4,
        "a challenge, a token, a list, an unwrap: {later:?}"
    );
    assert_eq!(hosts.len(), 2, "{hosts:?}");
    Ok(())
}

/// A process waits for a data key only so long, which can be too short for many on a busy machine.
async fn found_at_last(reader: &Envelope, sealed: &Payload) {
    while let Err(OpenError::Pending { .. }) = found(reader, sealed).await {
        tokio::time::sleep(ASK_EVERY).await;
    }
}

#[tokio::test]
async fn a_process_that_starts_cold_reads_any_number_of_data_keys() -> anyhow::Result<()> {
    let fake = fake().await?;
    let mut payloads = Vec::new();
    for n in 0..12 {
        if n % 4 == 3 {
            fake.add_key("kek");
        }
        payloads.push(sealed(&envelope(&fake, KEK, true).await?)?);
    }
    let reader = envelope(&fake, KEK, false).await?;

    for round in 0..2 {
        let fresh = envelope(&fake, KEK, false).await?;
        let reader = [&reader, &fresh][round];
        let all = join_all(payloads.iter().map(|sealed| found_at_last(reader, sealed)));
        patiently("all data keys", all).await;
        for sealed in &payloads {
            assert_eq!(reader.open(sealed)?, payload("greetings"));
        }
        assert!(reader.status().not_unwrapped.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn an_outage_of_the_vault_is_not_noticed_by_who_holds_the_data_key() -> anyhow::Result<()> {
    let fake = fake().await?;
    let writer = envelope(&fake, KEK, true).await?;
    let reader = envelope(&fake, KEK, false).await?;
    let late = envelope(&fake, KEK, false).await?;
    found(&reader, &sealed(&writer)?).await?;

    fake.vault_down();

    let sealed = sealed(&writer)?;
    assert_eq!(found(&reader, &sealed).await?, payload("greetings"));
    let error = found(&late, &sealed).await.unwrap_err();
    assert!(matches!(error, OpenError::Refused { .. }), "{error}");
    assert!(envelope(&fake, KEK, true).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_silent_vault_holds_up_nobody_for_long() -> anyhow::Result<()> {
    let fake = fake().await?;
    let sealed = sealed(&envelope(&fake, KEK, true).await?)?;
    let reader = envelope(&fake, KEK, false).await?;
    fake.outage(
        sealane_tests::azure::Side::Vault,
        sealane_tests::azure::Outage::Silent,
    );

    let error = found(&reader, &sealed).await.unwrap_err();

    assert!(matches!(error, OpenError::Pending { .. }), "{error}");
    assert_eq!(reader.status().unwrapping, 1, "the request goes on");
    Ok(())
}

#[tokio::test]
async fn who_may_not_use_the_key_does_not_start() -> anyhow::Result<()> {
    let fake = fake().await?;
    fake.revoke(Role::CryptoServiceEncryptionUser);

    let error = envelope(&fake, KEK, true).await.unwrap_err();

    let cause = error.azure().map(sealane_codec::azure::AzureError::cause);
    assert_eq!(cause, Some(Cause::ForbiddenByRbac));
    let text = error.to_string();
    assert!(text.contains("unit.vault.azure.net/keys/kek"), "{text}");
    assert!(text.contains("Key Vault Crypto"), "{text}");
    assert!(!text.contains('\n'), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_not_there_is_named() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;

    let error = envelope(&fake, KEK, true).await.unwrap_err();

    let cause = error.azure().map(sealane_codec::azure::AzureError::cause);
    assert_eq!(cause, Some(Cause::NotFound));
    assert!(error.to_string().contains("keys/kek"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_disabled_version_reads_nothing_and_another_takes_over() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let old = fake.add_key("kek");
    let under_old = sealed(&envelope(&fake, KEK, true).await?)?;
    fake.add_key("kek");
    fake.set_key_enabled("kek", &old, false);

    let now = envelope(&fake, KEK, true).await?;

    assert_eq!(now.open(&sealed(&now)?)?, payload("greetings"));
    let error = found(&now, &under_old).await.unwrap_err().to_string();
    assert!(error.contains("no enabled version"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_token_that_was_revoked_costs_no_data_key() -> anyhow::Result<()> {
    let fake = fake().await?;
    let mut payloads = Vec::new();
    for _ in 0..8 {
        payloads.push(sealed(&envelope(&fake, KEK, true).await?)?);
    }
    let reader = envelope(&fake, KEK, false).await?;
    found(&reader, &payloads[0]).await?;

    fake.revoke_tokens();

    join_all(payloads.iter().map(|sealed| reader.find(sealed))).await;
    for sealed in &payloads {
        assert_eq!(reader.open(sealed)?, payload("greetings"));
    }
    Ok(())
}
