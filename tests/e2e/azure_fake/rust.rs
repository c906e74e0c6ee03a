//! Microsoft's SDK for Rust, as our own code uses it, with its verification of challenges on.

use std::collections::BTreeSet;

use sealane_codec::{Key, azure::Cause, key_vault::VaultSecret};
use sealane_tests::azure::{Endpoint, FakeAzure, Role, SECRET};

fn secret(fake: &FakeAzure) -> VaultSecret {
    VaultSecret::new(&fake.azure(), &fake.vault_url(), SECRET).expect("a client")
}

#[tokio::test]
async fn the_rust_sdk_reads_all_pages_with_one_token() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let added: BTreeSet<_> = (0..60)
        .map(|number| fake.add_version(SECRET, &number.to_string()))
        .collect();

    let listed = secret(&fake).versions().await?;

    let listed: BTreeSet<_> = listed.into_iter().map(|it| it.version).collect();
    assert_eq!(listed, added);
    assert_eq!(fake.count(Endpoint::ListVersions), 3);
    assert_eq!(fake.count(Endpoint::Token), 1);
    let challenged = fake.requests().into_iter().filter(|it| it.challenged);
    assert_eq!(challenged.count(), 1, "only the first call asks who it is");
    Ok(())
}

#[tokio::test]
async fn the_rust_sdk_reads_what_it_wrote() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    fake.grant(Role::SecretsOfficer);
    let secret = secret(&fake);
    let key = Key::generate()?;

    let made = secret.create(&key, None, None).await?;
    secret.key(&made).await?;

    assert_eq!(fake.versions(SECRET).len(), 1);
    assert!(fake.value(SECRET, &made.version).is_some());
    Ok(())
}

#[tokio::test]
async fn the_name_of_a_deleted_secret_is_taken() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    fake.grant(Role::SecretsOfficer);
    let secret = secret(&fake);
    let key = Key::generate()?;
    secret.create(&key, None, None).await?;

    fake.delete_secret(SECRET);

    let error = secret.create(&key, None, None).await;
    let error = error.expect_err("it can still be recovered");
    assert_eq!(error.cause(), Cause::Conflict);
    assert_eq!(secret.versions().await?, []);
    Ok(())
}
