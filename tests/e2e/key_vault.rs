//! The Key Vault source against the fake Azure: what it loads, what it survives, what it says.

mod faults;
mod identity;
mod logs;
mod rotation;

use std::time::{Duration, SystemTime};

use sealane_codec::{
    SharedKeyRing,
    azure::{Azure, Identity},
    key_vault::{LoadError, SharedStatus, Source, SourceOptions, Status, VaultSecret},
    rotation::Policy,
};
use sealane_tests::{
    azure::{FakeAzure, NewVersion, SECRET},
    orders::patiently,
};
use temporalio_common::protos::temporal::api::common::v1::Payload;

/// 32 bytes, with the line break that `openssl rand -base64 32` leaves.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

/// Short intervals, so that a test sees many refreshes.
const OPTIONS: SourceOptions = SourceOptions {
    refresh: Duration::from_millis(50),
    policy: Policy {
        activation_delay: Duration::from_secs(900),
    },
    start_limit: Duration::from_secs(30),
};

fn secret(azure: &Azure, fake: &FakeAzure) -> VaultSecret {
    VaultSecret::new(azure, &fake.vault_url(), SECRET).expect("a name and an address")
}

async fn load(fake: &FakeAzure) -> Result<(SharedKeyRing, Source), LoadError> {
    Source::load(secret(&fake.azure(), fake), OPTIONS).await
}

/// A fake with one version, and a ring that follows it until this is dropped.
struct Following {
    fake: FakeAzure,
    ring: SharedKeyRing,
    status: SharedStatus,
    task: tokio::task::JoinHandle<()>,
}

impl Following {
    async fn start() -> anyhow::Result<Self> {
        let fake = FakeAzure::start().await?;
        fake.add_version_with(SECRET, KEY, old());
        let azure = fake.azure().with_call_limit(Duration::from_millis(500));
        let (ring, source) = Source::load(secret(&azure, &fake), OPTIONS).await?;
        let status = source.status();
        let task = tokio::spawn(source.follow());
        Ok(Self {
            fake,
            ring,
            status,
            task,
        })
    }

    async fn until(&self, what: &str, wanted: impl FnMut(&Status) -> bool) -> Status {
        patiently(what, self.status.wait_for(wanted)).await
    }

    /// Waits until the source fails, and returns why.
    async fn failing(&self) -> &'static str {
        let status = self.until("a failure", |status| status.failing.is_some());
        status.await.failing.map_or("", |failing| failing.reason)
    }

    /// Waits for a look without a failure that begins after this call.
    async fn listed_again(&self) {
        let now = Some(SystemTime::now());
        self.until("another list", |status| status.last_success > now)
            .await;
    }

    async fn recovered(&self) {
        self.until("a recovery", |status| status.failing.is_none())
            .await;
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Made long enough ago to be in use.
fn old() -> NewVersion {
    NewVersion {
        created: Some(SystemTime::now() - Duration::from_secs(24 * 3600)),
        ..NewVersion::default()
    }
}

fn ids(ring: &SharedKeyRing) -> Vec<String> {
    ring.current().ids().map(ToString::to_string).collect()
}

/// Why a start that waits no longer than `start_limit` gets no keys.
async fn not_loaded(secret: VaultSecret, start_limit: Duration) -> LoadError {
    let options = SourceOptions {
        start_limit,
        ..OPTIONS
    };
    let loaded = Source::load(secret, options).await;
    loaded
        .map(|(ring, _)| ring)
        .expect_err("a start that fails")
}

#[tokio::test]
async fn every_version_of_a_paged_list_opens_and_the_active_one_seals() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    fake.set_page_size(2);
    let mut versions = Vec::new();
    for (days, value) in [
        (3, "AAECAwQFBgcICQoLDA0ODw=="),
        (1, KEY),
        (2, "  AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\r\n"),
        (4, "Dw4NDAsKCQgHBgUEAwIBAA=="),
        (0, "HxweGh0bGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA="),
    ] {
        let age = Duration::from_secs(days * 24 * 3600);
        let created = Some(SystemTime::now() - age);
        let new = NewVersion {
            created,
            ..NewVersion::default()
        };
        versions.push(fake.add_version_with(SECRET, value, new));
    }

    let (ring, _source) = load(&fake).await?;

    let ring = ring.current();
    assert_eq!(ring.ids().count(), 5);
    assert_eq!(ring.active().as_str(), format!("{SECRET}/{}", versions[1]));
    let sealed = ring.seal(&Payload::from(b"hello"))?;
    assert_eq!(ring.open(&sealed)?.data, b"hello");
    Ok(())
}

#[tokio::test]
async fn a_start_costs_one_token_one_challenge_and_one_request_per_page_and_key()
-> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    fake.add_version_with(SECRET, KEY, old());
    fake.add_version(SECRET, KEY);

    load(&fake).await?;

    let statuses: Vec<_> = fake
        .requests()
        .iter()
        .map(|request| request.status)
        .collect();
    assert_eq!(statuses, [401, 200, 200, 200, 200].map(Some));
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_a_key_ring_stops_the_start_in_one_line() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let refused = async || load(&fake).await.map(|(ring, _)| ring).unwrap_err();

    let missing = refused().await;
    let version = fake.add_version_with(SECRET, &"A".repeat(25 * 1024), old());
    let too_long = refused().await;
    fake.set_enabled(SECRET, &version, false);
    let disabled = refused().await;
    fake.add_version(SECRET, "hunter2");
    let no_base64 = refused().await;

    for (error, reason, text) in [
        (
            missing,
            "no_version",
            "secret payload-key in https://unit.vault.azure.net/ does not",
        ),
        (too_long, "key_value", "key is 19200 bytes long"),
        (disabled, "all_disabled", "all are disabled"),
        (no_base64, "key_value", "is not valid base64"),
    ] {
        let text_of_it = error.to_string();
        assert_eq!(error.reason(), reason, "{error}");
        assert!(text_of_it.contains(text), "{text_of_it}");
        assert!(!text_of_it.contains('\n') && !text_of_it.contains("hunter2"));
        assert!(!error.is_refusal() && !error.is_unreachable());
    }
    Ok(())
}

#[tokio::test]
async fn a_vault_whose_root_is_not_trusted_points_at_the_setting() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let http = reqwest::Client::builder()
        .proxy(reqwest::Proxy::https(fake.proxy_url())?)
        .build()?;
    let azure = Azure::new(Identity::Workload(fake.workload_identity()), http)?;

    let loaded = Source::load(secret(&azure, &fake), OPTIONS).await;

    let error = loaded.map(|(ring, _)| ring).unwrap_err();
    assert_eq!(error.reason(), "tls");
    assert!(error.to_string().contains("KEYVAULT_CA_FILE"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_vault_that_nobody_knows_is_not_waited_for_longer_than_told() -> anyhow::Result<()> {
    let fake = FakeAzure::start().await?;
    let url = "https://untit.vault.azure.net".parse()?;
    let secret = VaultSecret::new(&fake.azure(), &url, SECRET)?;

    let error = not_loaded(secret, Duration::from_secs(1)).await;

    assert!(error.is_unreachable(), "{error}");
    assert!(
        error.to_string().contains("https://untit.vault.azure.net/"),
        "{error}"
    );
    Ok(())
}
