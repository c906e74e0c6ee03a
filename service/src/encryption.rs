//! From settings to a codec: loads the keys, keeps them up to date, and says how they are.

mod azure;
mod error;
mod following;
mod metrics;
mod readiness;

use std::{path::PathBuf, time::Duration};

use sealane_codec::{
    CodecOptions, Compression, DecodePolicy, EncryptionCodec, Exhausted, KeyId, SealLimit,
    SharedKeyRing,
    azure::Azure,
    envelope::{Envelope, EnvelopeOptions},
    file_source,
    key_vault::{LoadError, SharedStatus, Source, SourceOptions, VaultSecret},
    large_payloads::{LargePayloadOptions, LargePayloads},
    rotation::Policy,
};

use crate::settings::{self, Encryption, EncryptionMode, KeySource, KeyVault};

pub use azure::azure;
pub use error::EncryptionError;
pub(crate) use metrics::{Metric, Page, labelled, seconds};

use self::following::Following;

/// How often a key file is looked at. Reading a few hundred bytes costs nothing, and a workflow that
/// waits for a key goes on within seconds of its arrival.
const RELOAD_EVERY: Duration = Duration::from_secs(2);

/// The keys of a process: the codec that uses them, and how they are. Clones share them.
#[derive(Clone, Debug)]
pub struct Keys {
    codec: EncryptionCodec,
    vault: Option<Vault>,
    following: Following,
}

/// How the keys that come from a vault are, and for how long that may go wrong.
#[derive(Clone, Debug)]
struct Vault {
    status: SharedStatus,
    stale_after: Duration,
}

impl Keys {
    /// Returns the codec that uses these keys.
    #[must_use]
    pub fn codec(&self) -> EncryptionCodec {
        self.codec.clone()
    }
}

/// Returns the codec that `settings` ask for, or `None` where they turn encryption off.
///
/// # Errors
///
/// As for [`keys`].
pub async fn codec(settings: &Encryption) -> Result<Option<EncryptionCodec>, EncryptionError> {
    Ok(keys(settings).await?.map(|keys| keys.codec))
}

/// Loads the keys that `settings` ask for; `None` where they turn encryption off.
///
/// Background tasks keep them up to date for as long as the runtime lives.
///
/// # Errors
///
/// As the variants of [`EncryptionError`] say. Without a usable key there is no codec, and no
/// fallback to plaintext.
pub async fn keys(settings: &Encryption) -> Result<Option<Keys>, EncryptionError> {
    keys_telling(settings, &|_| ()).await
}

/// Loads keys as [`keys`] does, and tells `waiting` what it waits for, after each failure that may
/// pass.
///
/// # Errors
///
/// As for [`keys`].
pub async fn keys_telling(
    settings: &Encryption,
    waiting: &(dyn Fn(String) + Sync),
) -> Result<Option<Keys>, EncryptionError> {
    if settings.mode == EncryptionMode::Off {
        tracing::warn!(
            "SEALANE_ENCRYPTION=off: every payload reaches the Temporal server in plaintext"
        );
        return Ok(None);
    }
    let options = options(settings)?;
    let azure = settings.azure.as_ref().map(azure).transpose()?;
    let mut following = Following::default();
    let (ring, vault) = match (&settings.source, &azure) {
        (Some(KeySource::File(path)), _) => (Some(from_file(path.clone(), &mut following)?), None),
        (Some(KeySource::KeyVault(vault)), Some(azure)) => {
            let (ring, source) = from_vault(settings, vault, azure, waiting).await?;
            let vault = Vault {
                status: source.status(),
                stale_after: vault.stale_after,
            };
            following.add(source.follow());
            (Some(ring), Some(vault))
        }
        _ => (None, None),
    };
    require_legacy_key(&options, ring.as_ref())?;
    let envelope = envelope(settings, azure.as_ref(), waiting).await?;
    if let Some(envelope) = envelope.clone() {
        following.add(envelope.follow());
    }
    let codec = match (ring, envelope) {
        (ring, Some(envelope)) => EncryptionCodec::with_envelope(envelope, ring, options),
        (Some(ring), None) => EncryptionCodec::new(ring, options),
        (None, None) => return Err(EncryptionError::NoKey),
    };
    let codec = match large_payloads(settings, azure.as_ref())? {
        Some(large) => codec.with_large_payloads(large),
        None => codec,
    };
    Ok(Some(Keys {
        codec,
        vault,
        following,
    }))
}

fn from_file(path: PathBuf, following: &mut Following) -> Result<SharedKeyRing, EncryptionError> {
    let ring = file_source::load(&path)?;
    tracing::info!(key.active = %ring.active(), key.count = ring.ids().count(), "key ring loaded");
    let ring = SharedKeyRing::new(ring);
    following.add(file_source::watch(path, ring.clone(), RELOAD_EVERY));
    Ok(ring)
}

async fn from_vault(
    settings: &Encryption,
    vault: &KeyVault,
    azure: &Azure,
    waiting: &(dyn Fn(String) + Sync),
) -> Result<(SharedKeyRing, Source), EncryptionError> {
    let secret = VaultSecret::new(azure, &vault.url, &vault.secret)?;
    let options = SourceOptions {
        refresh: vault.refresh,
        policy: Policy {
            activation_delay: vault.activation_delay,
        },
        start_limit: azure::start_limit(settings),
    };
    let waiting = |failure: &LoadError| waiting(failure.to_string());
    Ok(Source::load_telling(secret, options, &waiting).await?)
}

async fn envelope(
    settings: &Encryption,
    azure: Option<&Azure>,
    waiting: &(dyn Fn(String) + Sync),
) -> Result<Option<Envelope>, EncryptionError> {
    let (Some(wanted), Some(azure)) = (&settings.envelope, azure) else {
        return Ok(None);
    };
    let uris = azure::key_uris(&wanted.key_uris)?;
    let options = EnvelopeOptions {
        encode: wanted.encrypts,
        max_age: wanted.max_age,
        max_seals: wanted.max_seals,
    };
    let limit = azure::start_limit(settings);
    let envelope = azure::first_data_key(azure, &uris, &options, limit, waiting).await?;
    Ok(Some(envelope))
}

/// Returns where `settings` have large payloads kept. Sends nothing: a container that is out of reach
/// must not keep anybody from starting who has no large payloads.
///
/// # Errors
///
/// [`EncryptionError::Azure`].
pub fn large_payloads(
    settings: &Encryption,
    azure: Option<&Azure>,
) -> Result<Option<LargePayloads>, EncryptionError> {
    let (Some(wanted), Some(azure)) = (&settings.large_payloads, azure) else {
        return Ok(None);
    };
    let options = LargePayloadOptions {
        container: wanted.container.clone(),
        namespace: wanted.namespace.clone(),
        stores: wanted.stores,
        threshold: wanted.threshold,
        max: wanted.max,
    };
    Ok(Some(LargePayloads::new(azure, options)?))
}

fn require_legacy_key(
    options: &CodecOptions,
    ring: Option<&SharedKeyRing>,
) -> Result<(), EncryptionError> {
    match &options.legacy_key_id {
        Some(id) if !ring.is_some_and(|ring| ring.current().contains(id)) => {
            Err(EncryptionError::LegacyKey { id: id.to_string() })
        }
        _ => Ok(()),
    }
}

fn options(settings: &Encryption) -> Result<CodecOptions, EncryptionError> {
    let legacy_key_id = settings.legacy_key_id.as_ref();
    let legacy_key_id = legacy_key_id.map(|id| {
        id.parse::<KeyId>()
            .map_err(|_| EncryptionError::LegacyKey { id: id.clone() })
    });
    Ok(CodecOptions {
        compression: match settings.compression {
            settings::Compression::Off => Compression::Off,
            settings::Compression::Zlib => Compression::Zlib,
        },
        decode: match settings.decode {
            settings::Decode::Permissive => DecodePolicy::Permissive,
            settings::Decode::Strict => DecodePolicy::Strict,
        },
        legacy_key_id: legacy_key_id.transpose()?,
        seal_limit: SealLimit {
            seals: settings.seal_limit,
            exhausted: match settings.exhausted {
                settings::Exhausted::Refuse => Exhausted::Refuse,
                settings::Exhausted::Warn => Exhausted::Warn,
            },
        },
    })
}
