//! Everything that can go wrong with the vault: start waits or fails, a running ring never notices.

use std::{sync::Arc, time::SystemTime};

use sealane_tests::azure::{
    Endpoint, FakeAzure, Fault, Outage, RetryAfter, Role, SECRET, Side, Trouble,
};

use super::{Following, KEY, load, not_loaded, old, secret};

#[tokio::test]
async fn no_fault_of_the_vault_changes_the_ring_and_each_is_told_apart() -> anyhow::Result<()> {
    let following = Following::start().await?;
    let ring = following.ring.current();
    let in_an_hour = SystemTime::now() + std::time::Duration::from_secs(3600);

    for (trouble, reason) in [
        (Trouble::ForbiddenByRbac, "forbidden_by_rbac"),
        (Trouble::ForbiddenByFirewall, "forbidden_by_firewall"),
        (Trouble::NotFound, "not_found"),
        (Trouble::Throttled(RetryAfter::Seconds(1)), "throttled"),
        (Trouble::Throttled(RetryAfter::Seconds(3600)), "throttled"),
        (
            Trouble::Throttled(RetryAfter::Date(in_an_hour)),
            "throttled",
        ),
        (Trouble::Status(500), "unavailable"),
        (Trouble::Status(503), "unavailable"),
        (Trouble::Page, "malformed"),
        (Trouble::Truncated, "unreachable"),
        (Trouble::Reset, "unreachable"),
        (Trouble::Dripping, "timeout"),
        (Trouble::Silence, "timeout"),
        (Trouble::BareUnauthorized, "unauthorized"),
    ] {
        following
            .fake
            .inject(Fault::at(Endpoint::ListVersions, trouble));

        assert_eq!(following.failing().await, reason, "{trouble:?}");

        following.fake.clear();
        following.recovered().await;
        assert!(Arc::ptr_eq(&ring, &following.ring.current()), "{trouble:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_value_that_cannot_be_fetched_is_fetched_later() -> anyhow::Result<()> {
    let following = Following::start().await?;
    let Following { fake, ring, .. } = &following;

    for (trouble, reason) in [
        (Trouble::SecretDisabled, "secret_disabled"),
        (Trouble::ForbiddenByRbac, "forbidden_by_rbac"),
        (Trouble::Truncated, "unreachable"),
        (Trouble::Silence, "timeout"),
    ] {
        fake.inject(Fault::at(Endpoint::GetSecret, trouble));
        let version = fake.add_version(SECRET, KEY);
        assert_eq!(following.failing().await, reason);
        let id = format!("{SECRET}/{version}").parse()?;
        assert!(!ring.current().contains(&id));

        fake.clear();

        following.recovered().await;
        assert!(ring.current().contains(&id));
    }
    Ok(())
}

#[tokio::test]
async fn an_outage_of_the_vault_or_of_entra_passes_without_a_trace_in_the_ring()
-> anyhow::Result<()> {
    let following = Following::start().await?;
    let Following { fake, ring, .. } = &following;
    let before = ring.current();

    for outage in [Outage::Refused, Outage::Reset, Outage::Silent] {
        fake.outage(Side::Vault, outage);
        let reason = following.failing().await;
        assert!(
            ["unreachable", "timeout"].contains(&reason),
            "{outage:?}: {reason}"
        );
        fake.restore(Side::Vault);
        following.recovered().await;

        fake.revoke_tokens();
        fake.outage(Side::Entra, outage);
        let reason = following.failing().await;
        assert!(
            ["unreachable", "timeout"].contains(&reason),
            "{outage:?}: {reason}"
        );
        fake.restore(Side::Entra);
        following.recovered().await;
    }
    assert!(Arc::ptr_eq(&before, &ring.current()));
    Ok(())
}

#[tokio::test]
async fn a_wrong_resource_in_the_challenge_stops_the_start_before_a_token_is_shown()
-> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    fake.inject(Fault::of_vault(Trouble::WrongResource));

    let error = load(&fake).await.map(|(ring, _)| ring).unwrap_err();

    assert_eq!(error.reason(), "challenge");
    assert_eq!(fake.count(Endpoint::Token), 0);
    Ok(())
}

#[tokio::test]
async fn start_waits_for_a_role_and_for_a_vault_that_is_busy() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    fake.add_version_with(SECRET, KEY, old());
    let rbac = Fault::at(Endpoint::ListVersions, Trouble::ForbiddenByRbac);
    fake.inject(rbac.once());
    let hour = Trouble::Throttled(RetryAfter::Seconds(3600));
    fake.inject(Fault::at(Endpoint::GetSecret, hour).once());

    let (_ring, source) = load(&fake).await?;

    let failures = source.status().current().failures;
    assert_eq!(failures["forbidden_by_rbac"], 1);
    assert_eq!(failures["throttled"], 1);
    Ok(())
}

#[tokio::test]
async fn a_role_that_never_comes_is_named_with_the_caller() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    fake.revoke(Role::SecretsUser);

    let secret = secret(&fake.azure(), &fake);
    let error = not_loaded(secret, std::time::Duration::from_millis(100)).await;

    assert!(error.is_refusal());
    let text = error.to_string();
    for part in [
        "list the versions of secret payload-key in https://unit.vault.azure.net/",
        "ForbiddenByRbac",
        fake.client_id(),
        "secrets/readMetadata/action",
        "Key Vault Secrets User",
    ] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert!(!text.contains('\n'), "{text}");
    Ok(())
}

#[tokio::test]
async fn making_a_version_without_the_role_names_the_role() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let key = sealane_codec::Key::generate()?;

    let made = secret(&fake.azure(), &fake).create(&key, None, None).await;

    let text = made.unwrap_err().to_string();
    assert!(text.contains("Key Vault Secrets Officer"), "{text}");
    assert!(fake.versions(SECRET).is_empty());
    Ok(())
}
