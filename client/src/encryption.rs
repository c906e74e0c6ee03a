//! From settings to a codec: loads the key ring and keeps it up to date.

use std::time::Duration;

use sealane_codec::{
    CodecOptions, Compression, DecodePolicy, EncryptionCodec, KeyId, SharedKeyRing,
    file_source::{self, FileSourceError},
};
use sealane_service::{
    exit::{self, ExitStatus},
    settings::{self, Encryption, EncryptionMode, KeySource},
};

/// How often a key file is looked at. Reading a few hundred bytes costs nothing, and a workflow that
/// waits for a key goes on within seconds of its arrival.
const RELOAD_EVERY: Duration = Duration::from_secs(2);

/// Why there is no usable key, so that nothing may start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptionError {
    /// The key file is missing, unreadable or holds no usable key ring.
    #[error("SEALANE_KEY_FILE cannot be used: {0}; create one with `sealane keys generate`")]
    KeyFile(#[from] FileSourceError),

    /// No key source is configured although encryption is required.
    #[error(
        "no key is configured; set SEALANE_KEY_FILE (create one with `sealane keys generate`) or, to send plaintext, SEALANE_ENCRYPTION=off"
    )]
    NoKey,

    /// The legacy key id is not an id.
    #[error("SEALANE_LEGACY_KEY_ID is {id:?}, expected the id of a key in the key ring")]
    LegacyKey {
        /// The id as configured.
        id: String,
    },
}

impl ExitStatus for EncryptionError {
    fn exit_code(&self) -> u8 {
        exit::SETTINGS
    }
}

/// Returns the codec that `settings` ask for, or `None` where they turn encryption off.
///
/// A background task reloads the key ring for as long as the runtime lives.
///
/// # Errors
///
/// As the variants of [`EncryptionError`] say. Without a usable key there is no codec, and no
/// fallback to plaintext.
pub async fn codec(settings: &Encryption) -> Result<Option<EncryptionCodec>, EncryptionError> {
    if settings.mode == EncryptionMode::Off {
        tracing::warn!(
            "SEALANE_ENCRYPTION=off: every payload reaches the Temporal server in plaintext"
        );
        return Ok(None);
    }
    let Some(KeySource::File(path)) = settings.source.clone() else {
        return Err(EncryptionError::NoKey);
    };
    let options = options(settings)?;
    let ring = file_source::load(&path)?;
    if let Some(id) = &options.legacy_key_id
        && !ring.ids().any(|known| known == id)
    {
        return Err(EncryptionError::LegacyKey { id: id.to_string() });
    }
    tracing::info!(key.active = %ring.active(), key.count = ring.ids().count(), "key ring loaded");
    let ring = SharedKeyRing::new(ring);
    tokio::spawn(file_source::watch(path, ring.clone(), RELOAD_EVERY));
    Ok(Some(EncryptionCodec::new(ring, options)))
}

fn options(settings: &Encryption) -> Result<CodecOptions, EncryptionError> {
    let legacy_key_id = match &settings.legacy_key_id {
        Some(id) => Some(
            id.parse::<KeyId>()
                .map_err(|_| EncryptionError::LegacyKey { id: id.clone() })?,
        ),
        None => None,
    };
    Ok(CodecOptions {
        compression: match settings.compression {
            settings::Compression::Off => Compression::Off,
            settings::Compression::Zlib => Compression::Zlib,
        },
        decode: match settings.decode {
            settings::Decode::Permissive => DecodePolicy::Permissive,
            settings::Decode::Strict => DecodePolicy::Strict,
        },
        legacy_key_id,
        ..CodecOptions::default()
    })
}
