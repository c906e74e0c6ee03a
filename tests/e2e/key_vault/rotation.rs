//! Versions that come and go while a source follows them.

use std::time::{Duration, SystemTime};

use sealane_codec::{Key, KeyId};
use sealane_tests::azure::{Endpoint, FakeAzure, NewVersion, Role, SECRET};

use super::{Following, KEY, ids, old, secret};

#[tokio::test]
async fn a_version_made_by_us_arrives_in_a_ring_that_follows() -> anyhow::Result<()> {
    let following = Following::start().await?;
    let Following { fake, ring, .. } = &following;
    fake.grant(Role::SecretsOfficer);
    let key = Key::generate()?;
    let id: KeyId = "payloads-2026-11".parse()?;
    // The vault keeps whole seconds.
    let not_before = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);

    let made = secret(&fake.azure(), fake)
        .create(&key, Some(&id), Some(not_before))
        .await?;

    assert_eq!((&made.id, made.not_before), (&id, Some(not_before)));
    assert!(made.enabled);
    following
        .until("the new version", |status| status.versions.len() == 2)
        .await;
    assert!(ring.current().contains(&id));
    assert_ne!(ring.current().active(), &id, "its delay has not passed");
    let stored = fake.value(SECRET, &made.version);
    assert_eq!(stored.map(|value| value.len()), Some(44));
    Ok(())
}

#[tokio::test]
async fn an_unknown_key_id_is_there_after_one_look() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    fake.add_version_with(SECRET, KEY, old());
    let options = super::SourceOptions {
        refresh: Duration::from_secs(3600),
        ..super::OPTIONS
    };
    let secret = secret(&fake.azure(), &fake);
    let (ring, source) = super::Source::load(secret, options).await?;
    let following = tokio::spawn(source.follow());
    let id = format!("{SECRET}/{}", fake.add_version(SECRET, KEY));
    let before = fake.count(Endpoint::ListVersions);

    tokio::join!(ring.find(&id), ring.find(&id), ring.find(&id));

    assert!(ids(&ring).contains(&id));
    assert_eq!(fake.count(Endpoint::ListVersions), before + 1);
    following.abort();
    Ok(())
}

#[tokio::test]
async fn a_disabled_version_leaves_and_is_never_asked_for() -> anyhow::Result<()> {
    let following = Following::start().await?;
    let Following { fake, ring, .. } = &following;
    let disabled = NewVersion {
        disabled: true,
        ..old()
    };
    let version = fake.add_version_with(SECRET, KEY, disabled);
    let listed = fake.count(Endpoint::ListVersions);

    fake.asked(Endpoint::ListVersions, listed + 3).await;

    assert_eq!(ids(ring).len(), 1);
    let asked = fake.requests();
    assert!(asked.iter().all(|request| !request.path.contains(&version)));
    Ok(())
}

#[tokio::test]
async fn values_are_fetched_once() -> anyhow::Result<()> {
    let following = Following::start().await?;
    let fake = &following.fake;

    fake.asked(Endpoint::ListVersions, 5).await;

    assert_eq!(fake.count(Endpoint::GetSecret), 1);
    assert_eq!(fake.count(Endpoint::Token), 1);
    Ok(())
}
