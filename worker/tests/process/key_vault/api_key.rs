//! The API key of the Temporal service from a secret, beside keys from another one, before a server that looks at it.

use std::{path::Path, time::SystemTime};

use anyhow::{Context, ensure};
use sealane_tests::{
    azure::{Endpoint, Fault, NewVersion, Trouble},
    guarded::Guarded,
    process::Process,
    secrets::Secrets,
    tls::{Authority, SERVER_NAME},
};

use super::scene::{DAY, Scene, WORKER, Watched, lines, until};

/// What a start says of a secret that has no usable key, in the words of docs/troubleshooting-keys.md.
pub(crate) const SAYS: [&str; 2] = [
    "each is disabled, expired or not valid yet",
    "add a version that holds nothing but the key",
];

const SECRET: &str = "temporal-api-key";
const FIRST: &str = "eyJhbGciOiJFUzI1NiJ9.first-5f0c1d2b9a";
const SECOND: &str = "eyJhbGciOiJFUzI1NiJ9.second-77e01c44fd";

const FAILURES: &str = r#"sealane_api_key_refresh_failures_total{reason="unreachable"}"#;
const LAST_SUCCESS: &str = "sealane_api_key_refresh_last_success_timestamp_seconds";

/// A scene whose workers reach the server over TLS, through a door that wants an API key.
struct Cloud {
    scene: Scene,
    door: Guarded,
    settings: Vec<(String, String)>,
}

impl Cloud {
    /// Opens one that accepts [`FIRST`], which the vault does not hold yet.
    async fn open() -> anyhow::Result<Self> {
        let scene = Scene::open(&[("SEALANE_KEY_REFRESH", "1s")]).await?;
        scene.vault.add_key(DAY);
        let world = &scene.vault.world;
        let door = Guarded::start(&world.variables()["TEMPORAL_ADDRESS"], FIRST).await?;
        let authority = Authority::new()?;
        authority.write_client_files(world.folder())?;
        let front = authority.front(&door.address().to_string(), false).await?;
        let root = world.folder().join("ca.pem");
        let settings = [
            ("TEMPORAL_ADDRESS", front.to_string()),
            ("TEMPORAL_TLS_SERVER_NAME", SERVER_NAME.to_owned()),
            (
                "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
                root.display().to_string(),
            ),
            ("KEYVAULT_API_KEY_SECRET_NAME", SECRET.to_owned()),
        ];
        Ok(Self {
            settings: settings
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            scene,
            door,
        })
    }

    /// Opens one whose vault holds [`FIRST`].
    async fn with_a_key() -> anyhow::Result<Self> {
        let cloud = Self::open().await?;
        cloud.add_old(FIRST);
        Ok(cloud)
    }

    /// Adds a version that was made yesterday.
    fn add_old(&self, key: &str) -> String {
        let made = NewVersion {
            created: Some(SystemTime::now() - DAY),
            ..NewVersion::default()
        };
        self.scene.vault.fake.add_version_with(SECRET, key, made)
    }

    fn settings(&self) -> Vec<(&str, &str)> {
        let settings = self.settings.iter();
        settings.map(|(name, value)| (&**name, &**value)).collect()
    }

    async fn start_worker(&self) -> anyhow::Result<Watched> {
        self.scene.start_worker_with(&self.settings()).await
    }

    /// Starts a worker that may have to wait.
    fn start(&self) -> anyhow::Result<Process> {
        self.scene.start(Path::new(WORKER), &[], &self.settings())
    }

    /// Has the worker greet `name`.
    async fn works(&self, name: &str) -> anyhow::Result<()> {
        let client = self.scene.vault.client().await?;
        let greeting = self.scene.greet(&client, name).await?;
        self.scene.greeted(&greeting, name).await
    }

    /// Waits until the worker uses [`SECOND`], and has it greet `name` with that.
    async fn works_with_the_second(&self, worker: &Watched, name: &str) -> anyhow::Result<()> {
        worker.says("API key replaced").await?;
        self.works(name).await?;
        let last = self.door.shown().pop();
        ensure!(last == Some((SECOND.to_owned(), true)), "{last:?}");
        Ok(())
    }

    /// What must not be seen, both API keys among it.
    fn secrets(&self) -> anyhow::Result<Secrets> {
        let secrets = self.scene.secrets()?;
        let secrets = secrets.and_token("an API key", FIRST);
        Ok(secrets.and_token("an API key", SECOND))
    }
}

#[tokio::test]
async fn a_new_version_is_used_by_the_next_requests_and_the_old_key_can_go() -> anyhow::Result<()> {
    let cloud = Cloud::with_a_key().await?;
    let worker = cloud.start_worker().await?;
    cloud.works("before").await?;

    cloud.door.accept(SECOND);
    cloud
        .scene
        .vault
        .fake
        .add_version(SECRET, &format!("{SECOND}\n"));
    cloud.works_with_the_second(&worker, "between").await?;
    // Polls that wait were let in with the first key, and stay.
    cloud.door.revoke(FIRST);
    cloud.works("after").await?;

    let shown = cloud.door.shown();
    assert_eq!(
        shown,
        [(FIRST.to_owned(), true), (SECOND.to_owned(), true)],
        "no request was refused, and none fell back"
    );
    let log = worker.close(&cloud.secrets()?).await?;
    assert_eq!(lines(&log, "API key replaced").len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_last_key_stays_in_use_while_neither_vault_nor_entra_can_be_reached()
-> anyhow::Result<()> {
    let cloud = Cloud::with_a_key().await?;
    let fake = &cloud.scene.vault.fake;
    let worker = cloud.start_worker().await?;

    fake.vault_down();
    fake.entra_down();
    worker.reaches(FAILURES, |failures| failures >= 2.0).await?;
    let last_success = worker.metric(LAST_SUCCESS).await?;
    cloud.door.accept(SECOND);
    fake.add_version(SECRET, SECOND);
    worker.reaches(FAILURES, |failures| failures >= 3.0).await?;
    let ready = worker.ready().await?;
    assert_eq!(worker.metric(LAST_SUCCESS).await?, last_success);
    assert_eq!(cloud.door.shown(), [(FIRST.to_owned(), true)]);
    fake.vault_up();
    fake.entra_up();
    cloud.works_with_the_second(&worker, "after").await?;

    assert_eq!(ready.0, 200, "{ready:?}");
    assert!(worker.metric(LAST_SUCCESS).await? > last_success);
    let log = worker.close(&cloud.secrets()?).await?;
    let told = lines(&log, "a secret is not refreshed, the last one stays in use");
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(lines(&log, "the secret is refreshed again").len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_worker_whose_key_was_revoked_goes_on_once_the_vault_has_its_successor()
-> anyhow::Result<()> {
    let cloud = Cloud::with_a_key().await?;
    let worker = cloud.start_worker().await?;
    let client = cloud.scene.vault.client().await?;

    cloud.door.revoke(FIRST);
    // A poll that waits brings the task, and what the worker says to that is refused.
    let greeting = cloud.scene.greet(&client, "revoked").await?;
    let refused = (FIRST.to_owned(), false);
    until("a refusal", async || {
        Ok(cloud.door.shown().contains(&refused))
    })
    .await?;
    cloud.door.accept(SECOND);
    cloud.scene.vault.fake.add_version(SECRET, SECOND);
    cloud.scene.greeted(&greeting, "revoked").await?;

    assert_eq!(cloud.door.shown().pop(), Some((SECOND.to_owned(), true)));
    worker.close(&cloud.secrets()?).await?;
    Ok(())
}

#[tokio::test]
async fn a_secret_that_holds_no_usable_key_any_more_takes_nothing_from_a_running_worker()
-> anyhow::Result<()> {
    let cloud = Cloud::open().await?;
    let version = cloud.add_old(FIRST);
    let fake = &cloud.scene.vault.fake;
    let worker = cloud.start_worker().await?;

    fake.set_enabled(SECRET, &version, false);
    let none = r#"sealane_api_key_refresh_failures_total{reason="none_valid"}"#;
    worker.reaches(none, |failures| failures >= 1.0).await?;
    cloud.works("disabled").await?;
    fake.add_version(SECRET, "two words");
    let bad = r#"sealane_api_key_refresh_failures_total{reason="value"}"#;
    worker.reaches(bad, |failures| failures >= 1.0).await?;
    cloud.works("no key").await?;

    assert_eq!(cloud.door.shown(), [(FIRST.to_owned(), true)]);
    worker.close(&cloud.secrets()?).await?;
    Ok(())
}

#[tokio::test]
async fn a_start_without_the_secret_ends_at_once_with_one_line() -> anyhow::Result<()> {
    let cloud = Cloud::open().await?;

    let ended = cloud.start()?.ends().await?;

    assert_eq!(ended.code, Some(78), "{ended:#?}");
    let said: Vec<_> = ended
        .said
        .iter()
        .filter(|line| line.starts_with("sealane-worker: "))
        .collect();
    assert_eq!(said.len(), 1, "{said:?}");
    for part in [
        "KEYVAULT_API_KEY_SECRET_NAME",
        "secret temporal-api-key in https://unit.vault.azure.net/ does not exist",
    ] {
        assert!(said[0].contains(part), "no {part:?} in {}", said[0]);
    }
    assert_eq!(cloud.door.shown(), [], "nobody was asked without a key");
    Ok(())
}

#[tokio::test]
async fn a_start_without_a_usable_key_ends_at_once_with_one_line() -> anyhow::Result<()> {
    let disabled = Cloud::open().await?;
    let version = disabled.add_old(FIRST);
    disabled
        .scene
        .vault
        .fake
        .set_enabled(SECRET, &version, false);
    let wordy = Cloud::open().await?;
    wordy.add_old("two words");

    for (cloud, says) in [disabled, wordy].into_iter().zip(SAYS) {
        let ended = cloud.start()?.ends().await?;

        assert_eq!(ended.code, Some(78), "{ended:#?}");
        let mut said = ended.said.iter();
        let said = said.find(|line| line.starts_with("sealane-worker: "));
        let said = said.context("a line of its own")?;
        assert!(said.contains(says), "{said}");
        assert_eq!(cloud.door.shown(), [], "nobody was asked without a key");
    }
    Ok(())
}

#[tokio::test]
async fn a_start_waits_for_a_role_that_is_missing_and_says_so() -> anyhow::Result<()> {
    let cloud = Cloud::with_a_key().await?;
    let fake = &cloud.scene.vault.fake;
    let get = Fault::at(Endpoint::ListVersions, Trouble::ForbiddenByRbac);
    fake.inject(get.on(SECRET));

    let process = cloud.start()?;
    let said = process.says(" for a secret: ").await?;
    let worker = Watched::of(process, "probes and metrics are served").await?;
    let (status, document) = worker.ready().await?;
    fake.clear();
    worker.answers_ready_with(200).await?;
    cloud.works("after").await?;

    assert!(said.contains("ForbiddenByRbac"), "{said}");
    assert_eq!(status, 503, "{document}");
    let reason = document["checks"]["namespace"]["reason"].as_str();
    let reason = reason.unwrap_or_default();
    assert!(
        reason.starts_with("no API key yet: cannot list"),
        "{document}"
    );
    assert!(reason.contains(SECRET), "{document}");
    worker.close(&cloud.secrets()?).await?;
    Ok(())
}
