//! The API key: given once, or in a file that may change while we run.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sealane_service::settings::ApiKey;
use temporalio_client::Connection;

use super::ConnectError;

/// How often the file is read again. Temporal Cloud keys overlap by days, a Kubernetes secret
/// reaches the pod within about a minute, so seconds are soon enough.
const RELOAD_EVERY: Duration = Duration::from_secs(5);

/// Returns the key to connect with, if there is one.
///
/// # Errors
///
/// [`ConnectError::ApiKeyFile`] if the file cannot be read or is blank.
pub(super) fn current(key: &ApiKey) -> Result<Option<String>, ConnectError> {
    match key {
        ApiKey::None => Ok(None),
        ApiKey::Value(secret) => Ok(Some(secret.expose().to_owned())),
        ApiKey::File(path) => read(path).map(Some),
    }
}

/// Gives `connection`, which has the key `last`, the new key whenever the file changes. A file that
/// cannot be used, as in the middle of a rewrite, leaves the old key in place.
pub(super) async fn watch(path: PathBuf, mut last: Option<String>, connection: Connection) {
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
