//! The API key: given once, or in a file or a secret that may change while we run.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sealane_service::{api_key::ApiKeySource, settings::ApiKey};
use temporalio_client::Connection;

use super::{ConnectError, Extras};

/// How often the file is read again. Temporal Cloud keys overlap by days, a Kubernetes secret
/// reaches the pod within about a minute, so seconds are soon enough.
const RELOAD_EVERY: Duration = Duration::from_secs(5);

/// The key to connect with, and where its successors come from.
pub(super) struct Current {
    pub(super) key: Option<String>,
    source: Source,
}

enum Source {
    /// There will be no other.
    Constant,
    File(PathBuf),
    KeyVault(ApiKeySource),
}

/// Returns the key to connect with, if there is one. Waits for a vault as long as the settings say,
/// and tells `extras` what for.
///
/// # Errors
///
/// [`ConnectError::ApiKeyFile`] if the file cannot be read or is blank, [`ConnectError::ApiKey`] if
/// the vault gives no key.
pub(super) async fn current(key: &ApiKey, extras: &Extras) -> Result<Current, ConnectError> {
    let (key, source) = match key {
        ApiKey::None => (None, Source::Constant),
        ApiKey::Value(secret) => (Some(secret.expose().to_owned()), Source::Constant),
        ApiKey::File(path) => (Some(read(path)?), Source::File(path.clone())),
        ApiKey::KeyVault(secret) => {
            let waiting = |why| {
                extras
                    .waiting
                    .iter()
                    .for_each(|tell| tell(String::clone(&why)))
            };
            let (key, source) = ApiKeySource::load(secret, &waiting).await?;
            if let Some(metrics) = &extras.exposed {
                source.expose(metrics);
            }
            (Some(key.expose().to_owned()), Source::KeyVault(source))
        }
    };
    Ok(Current { key, source })
}

impl Current {
    /// Has `connection` use every key that follows, for as long as the runtime lives.
    pub(super) fn follow(self, connection: Connection) {
        match self.source {
            Source::Constant => {}
            Source::File(path) => {
                tokio::spawn(watch(path, self.key, connection));
            }
            Source::KeyVault(source) => {
                tokio::spawn(source.follow(move |key| {
                    connection.set_api_key(Some(key.to_owned()));
                    tracing::info!("API key replaced");
                }));
            }
        }
    }
}

/// Gives `connection`, which has the key `last`, the new key whenever the file changes. A file that
/// cannot be used, as in the middle of a rewrite, leaves the old key in place.
async fn watch(path: PathBuf, mut last: Option<String>, connection: Connection) {
    let mut last_failed = false;
    let mut ticks = tokio::time::interval(RELOAD_EVERY);
    loop {
        ticks.tick().await;
        match read(&path) {
            Ok(key) => {
                last_failed = false;
                if last.as_ref() != Some(&key) {
                    connection.set_api_key(Some(key.clone()));
                    tracing::info!(file.path = %path.display(), "API key replaced");
                    last = Some(key);
                }
            }
            Err(error) if !last_failed => {
                last_failed = true;
                tracing::warn!("{error}; the previous key stays in use");
            }
            Err(_) => {}
        }
    }
}

fn read(path: &Path) -> Result<String, ConnectError> {
    let fault = |reason: String| ConnectError::ApiKeyFile {
        path: path.display().to_string(),
        reason,
    };
    let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    match text.trim() {
        "" => Err(fault("it is empty".to_owned())),
        // The SDK would leave out a header that it cannot write, and say nothing.
        key if !key.chars().all(|it| it.is_ascii_graphic()) => Err(fault(
            "it holds white space or other odd characters".to_owned(),
        )),
        key => Ok(key.to_owned()),
    }
}
