//! A world whose keys are in a vault, and clients that take them from there.

use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use sealane_client::{
    connection::{self, Extras},
    workflow::Workflows,
};
use sealane_codec::{
    CodecOptions, EncryptionCodec, Key, KeyId, KeyRing, SharedKeyRing,
    envelope::{Envelope, EnvelopeOptions},
    key_vault::{Source, SourceOptions, VaultSecret},
    rotation::Policy,
};
use sealane_service::settings::{KeySource, Settings};
use temporalio_client::Client;
use tokio::task::JoinHandle;

use crate::{
    World,
    azure::{FakeAzure, NewVersion, SECRET},
    ring_with,
};

/// How long a client waits for its first keys.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A task queue and a folder of its own, and an Azure of its own.
pub struct VaultWorld {
    /// Holds the keys.
    pub fake: FakeAzure,
    /// The rest.
    pub world: World,
}

/// A client in this process that gets its keys and follows them as a worker does, through the proxy that
/// a process of its own would find in its environment.
pub struct VaultClient {
    /// Starts, signals, queries.
    pub client: Client,
    /// Lists and reads.
    pub workflows: Workflows,
    /// What it encrypts and decrypts with.
    pub codec: EncryptionCodec,
    following: Vec<JoinHandle<()>>,
}

impl VaultWorld {
    /// Returns a world with these settings. Its vault holds no key yet.
    ///
    /// # Errors
    ///
    /// If the fake cannot listen.
    pub async fn open(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let fake = FakeAzure::start().await?;
        let mut world = World::new().await;
        world.set("SEALANE_KEY_FILE", "");
        for (name, value) in fake.environment(world.folder()) {
            world.set(&name, value);
        }
        for (name, value) in settings {
            world.set(name, *value);
        }
        Ok(Self { fake, world })
    }

    /// Adds a key that was made `age` ago, and returns its id.
    ///
    /// # Panics
    ///
    /// If there are no random bytes.
    pub fn add_key(&self, age: Duration) -> String {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).expect("random bytes");
        let new = NewVersion {
            created: Some(SystemTime::now() - age),
            ..NewVersion::default()
        };
        let value = BASE64_STANDARD.encode(bytes);
        let version = self.fake.add_version_with(SECRET, &value, new);
        format!("{SECRET}/{version}")
    }

    /// Disables the version whose key has the id `id`.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn disable_key(&self, id: &str) {
        let version = id.rsplit('/').next().unwrap_or_default();
        self.fake.set_enabled(SECRET, version, false);
    }

    /// Returns a client with keys from the vault.
    ///
    /// # Errors
    ///
    /// If it gets no keys or no connection.
    pub async fn client(&self) -> anyhow::Result<VaultClient> {
        let settings = self.world.settings();
        let mut following = Vec::new();
        let envelope = self.envelope(&settings).await?;
        following.extend(envelope.clone().map(|it| tokio::spawn(it.follow())));
        let (ring, source) = self.source(&settings).await?;
        following.push(tokio::spawn(source.follow()));
        let options = CodecOptions::default();
        let codec = match envelope {
            Some(envelope) => EncryptionCodec::with_envelope(envelope, Some(ring), options),
            None => EncryptionCodec::new(ring, options),
        };
        let mut client = self.client_with(codec).await?;
        client.following = following;
        Ok(client)
    }

    /// Returns a client whose only key is called `id` and is in no vault.
    ///
    /// # Errors
    ///
    /// If it gets no connection.
    pub async fn stranger(&self, id: &str) -> anyhow::Result<VaultClient> {
        let ring = SharedKeyRing::new(ring_with(id));
        let codec = EncryptionCodec::new(ring, CodecOptions::default());
        self.client_with(codec).await
    }

    /// Returns a client that uses `codec`.
    ///
    /// # Errors
    ///
    /// If it gets no connection.
    pub async fn client_with(&self, codec: EncryptionCodec) -> anyhow::Result<VaultClient> {
        let settings = self.world.settings();
        let extras = Extras::default();
        let client = connection::connect(&settings.temporal, Some(codec.clone()), extras).await?;
        Ok(VaultClient {
            workflows: Workflows::new(client.clone(), Some(codec.clone())),
            client,
            codec,
            following: Vec::new(),
        })
    }

    /// Returns a codec that reads what any of the vault's keys encrypted, enabled or not.
    ///
    /// # Errors
    ///
    /// If one of them is no key.
    pub fn all_keys(&self) -> anyhow::Result<EncryptionCodec> {
        let mut keys = Vec::new();
        for version in self.fake.versions(SECRET) {
            let id: KeyId = format!("{SECRET}/{}", version.version).parse()?;
            keys.push((id, Key::from_base64(&version.value)?));
        }
        let (active, _) = keys.last().context("there is no key")?;
        let ring = SharedKeyRing::new(KeyRing::new(active.clone(), keys)?);
        Ok(EncryptionCodec::new(ring, CodecOptions::default()))
    }

    async fn source(&self, settings: &Settings) -> anyhow::Result<(SharedKeyRing, Source)> {
        let Some(KeySource::KeyVault(vault)) = &settings.encryption.source else {
            bail!("the keys of this world are not in a vault");
        };
        let secret = VaultSecret::new(&self.fake.azure(), &vault.url, &vault.secret)?;
        let options = SourceOptions {
            refresh: vault.refresh,
            policy: Policy {
                activation_delay: vault.activation_delay,
            },
            start_limit: START_LIMIT,
        };
        Ok(Source::load(secret, options).await?)
    }

    async fn envelope(&self, settings: &Settings) -> anyhow::Result<Option<Envelope>> {
        let Some(wanted) = &settings.encryption.envelope else {
            return Ok(None);
        };
        let options = EnvelopeOptions {
            encode: wanted.encrypts,
            max_age: wanted.max_age,
            max_seals: wanted.max_seals,
        };
        let uris = wanted.key_uris.join(",").parse()?;
        Ok(Some(
            Envelope::new(&self.fake.azure(), uris, options).await?,
        ))
    }
}

impl VaultClient {
    /// Returns the id of the key it encrypts under.
    pub fn active(&self) -> Option<String> {
        let ring = self.codec.ring()?.current();
        Some(ring.active().to_string())
    }

    /// Returns whether it can decrypt what the key `id` encrypted.
    pub fn holds(&self, id: &str) -> bool {
        let ring = self.codec.ring();
        ring.is_some_and(|ring| ring.current().ids().any(|held| held.as_str() == id))
    }
}

impl Drop for VaultClient {
    fn drop(&mut self) {
        for task in &self.following {
            task.abort();
        }
    }
}
