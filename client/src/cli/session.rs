//! What a command that talks to the server starts from.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex},
};

use sealane_codec::EncryptionCodec;
use sealane_service::{
    encryption::{self, Keys},
    settings::{Encryption, EncryptionMode, Settings},
};
use temporalio_client::Client;

use super::CliError;
use crate::{
    connection::{self, Extras},
    decode::Decoder,
    workflow::Workflows,
};

/// Settings, key ring and connection of one command.
pub struct Session {
    /// The settings as loaded.
    pub settings: Settings,
    /// The connection, bound to the namespace of the settings.
    pub client: Client,
    /// Encrypts and decrypts; `None` only with `SEALANE_ENCRYPTION=off`.
    pub codec: Option<EncryptionCodec>,
    /// What the codec works with, there whenever the codec is.
    pub keys: Option<Keys>,
}

impl Session {
    /// Loads the settings, then the keys, then connects.
    ///
    /// # Errors
    ///
    /// Whichever of the three fails first.
    pub async fn open(config: Option<&Path>) -> Result<Self, CliError> {
        Self::with(settings(config)?).await
    }

    /// Loads the keys and connects, given settings.
    ///
    /// # Errors
    ///
    /// Whichever of the two fails first.
    pub async fn with(settings: Settings) -> Result<Self, CliError> {
        let keys = keys(&settings.encryption).await?;
        let extras = Extras {
            waiting: Some(Arc::new(telling("an API key"))),
            ..Extras::default()
        };
        Self::of(settings, keys, extras).await
    }

    /// Connects, given settings and keys, and what else the connection is to have.
    ///
    /// # Errors
    ///
    /// As for the connection.
    pub(super) async fn of(
        settings: Settings,
        keys: Option<Keys>,
        extras: Extras,
    ) -> Result<Self, CliError> {
        if settings.encryption.mode == EncryptionMode::Off {
            eprintln!("sealane: warning: SEALANE_ENCRYPTION=off, payloads are sent in plaintext");
        }
        let codec = keys.as_ref().map(Keys::codec);
        let extras = Extras {
            identity: connection::identity("sealane-cli"),
            ..extras
        };
        let client = connection::connect(&settings.temporal, codec.clone(), extras).await?;
        Ok(Self {
            settings,
            client,
            codec,
            keys,
        })
    }

    /// Returns the decoder for what the server sends.
    pub fn decoder(&self) -> Decoder {
        Decoder::new(self.codec.clone())
    }

    /// Returns the operations on workflows of any type.
    pub fn workflows(&self) -> Workflows {
        Workflows::new(self.client.clone(), self.codec.clone())
    }
}

/// Loads the settings for a command from `config` and the process environment.
///
/// # Errors
///
/// All problems at once, a line for each.
pub(super) fn settings(config: Option<&Path>) -> Result<Settings, CliError> {
    Ok(Settings::load(config, |name| std::env::var_os(name))?)
}

/// Loads keys, and says on standard error what it waits for, each thing once.
///
/// # Errors
///
/// As for [`encryption::keys`].
pub(super) async fn keys(settings: &Encryption) -> Result<Option<Keys>, CliError> {
    Ok(encryption::keys_telling(settings, &telling("keys")).await?)
}

/// Says on standard error what is waited for, each reason once.
fn telling(what: &'static str) -> impl Fn(String) + Send + Sync {
    let told = Mutex::new(BTreeSet::new());
    move |why: String| {
        let is_new = told.lock().is_ok_and(|mut told| told.insert(why.clone()));
        if is_new {
            eprintln!("sealane: waiting for {what}: {why}");
        }
    }
}
