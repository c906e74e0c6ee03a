//! The API key of the Temporal service, from a secret of a vault: loads it, keeps it up to date, and
//! says how it is.

use std::future::ready;

use sealane_codec::key_vault::{
    SharedTextStatus, Text, TextError, TextOptions, TextSource, VaultSecret,
};

use crate::{
    encryption::{EncryptionError, Metric, Page, azure, labelled, seconds},
    exit::{self, ExitStatus},
    probes::Metrics,
    settings::ApiKeySecret,
};

const REFRESHED: Metric = (
    "sealane_api_key_refresh_last_success_timestamp_seconds",
    "When the last look for another API key without a failure began",
);
const FAILURES: Metric = (
    "sealane_api_key_refresh_failures_total",
    "Looks for another API key that failed, by reason",
);

/// Why there is no API key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// This process cannot be anybody towards Azure.
    #[error(transparent)]
    Azure(#[from] EncryptionError),

    /// The secret gives none.
    #[error("KEYVAULT_API_KEY_SECRET_NAME: {0}")]
    Secret(#[from] TextError),
}

impl ExitStatus for ApiKeyError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Azure(error) => error.exit_code(),
            Self::Secret(error) if error.is_refusal() => exit::REFUSED,
            Self::Secret(error) if error.is_unreachable() => exit::UNAVAILABLE,
            Self::Secret(_) => exit::SETTINGS,
        }
    }
}

/// Follows the secret that holds the API key.
pub struct ApiKeySource(TextSource);

impl ApiKeySource {
    /// Loads the API key that `settings` name, and tells `waiting` what it waits for, after each
    /// failure that may pass.
    ///
    /// # Errors
    ///
    /// As the variants of [`ApiKeyError`] say.
    pub async fn load(
        settings: &ApiKeySecret,
        waiting: &(dyn Fn(String) + Sync),
    ) -> Result<(Text, Self), ApiKeyError> {
        let azure = azure(&settings.azure)?;
        let secret = VaultSecret::new(&azure, &settings.url, &settings.secret)
            .map_err(EncryptionError::from)?;
        let options = TextOptions {
            refresh: settings.refresh,
            start_limit: settings.azure.start_limit,
        };
        let waiting = |failure: &TextError| waiting(format!("no API key yet: {failure}"));
        let (key, source) = TextSource::load(secret, options, &waiting).await?;
        Ok((key, Self(source)))
    }

    /// Shows in `metrics` how the source is doing, from now on.
    pub fn expose(&self, metrics: &Metrics) {
        let status = self.0.status();
        metrics.add_source(move || ready(page(&status)));
    }

    /// Gives `changed` every new key. Never returns; what fails leaves the last key in use.
    pub async fn follow(self, changed: impl Fn(&str)) {
        self.0.follow(|key| changed(key.expose())).await;
    }
}

fn page(status: &SharedTextStatus) -> String {
    let status = status.current();
    let page = Page::default();
    let refreshed = status.last_success.map(seconds);
    page.gauge(REFRESHED, &[], refreshed.map(|at| ([].into(), at)));
    page.count(FAILURES, &["reason"], labelled(&status.failures));
    page.text()
}
