//! A secret whose value is a text that is sent somewhere, such as an API key. One version is in use
//! at a time: the newest that is enabled and valid.

use std::{
    collections::BTreeSet,
    fmt,
    time::{Duration, SystemTime},
};

use tokio::time::{sleep, timeout};
use tracing::{info, warn};
use zeroize::Zeroizing;

use super::{
    VaultSecret,
    loader::Vault,
    source::Outage,
    text_error::{TextError, TextProblem},
};
use crate::{azure::Start, rotation::Version};

mod status;

pub use status::{SharedTextStatus, TextStatus};

/// Longest look: a list and one value.
const LOOK_LIMIT: Duration = Duration::from_secs(30);

/// The value of a version. Its memory is overwritten when it is dropped, and it is never shown.
#[derive(Clone, Eq, PartialEq)]
pub struct Text(Zeroizing<String>);

impl Text {
    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Accepts what can be sent in a header: visible ASCII, but for white space around it.
    fn new(value: &str) -> Result<Self, TextProblem> {
        match value.trim() {
            "" => Err(TextProblem::Empty),
            text if !text.chars().all(|it| it.is_ascii_graphic()) => Err(TextProblem::Characters),
            text => Ok(Self(Zeroizing::new(text.to_owned()))),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// How a source of texts behaves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TextOptions {
    /// Longest time between two looks at the vault, as long as it answers.
    pub refresh: Duration,
    /// How long [`TextSource::load`] waits for refusals and outages that pass.
    pub start_limit: Duration,
}

/// Keeps a text as the vault has it.
pub struct TextSource {
    secret: VaultSecret,
    refresh: Duration,
    /// Name of the version in use.
    version: String,
    status: SharedTextStatus,
    outage: Outage,
}

impl TextSource {
    /// Loads the text of `secret`. Waits for what passes, up to the limit in `options`; logs each
    /// reason for it once, and tells `waiting` after each failure.
    ///
    /// # Errors
    ///
    /// [`TextError`] at once if waiting does not help, or the last one when the time is up.
    pub async fn load(
        secret: VaultSecret,
        options: TextOptions,
        waiting: &(dyn Fn(&TextError) + Sync),
    ) -> Result<(Text, Self), TextError> {
        let status = SharedTextStatus::default();
        let (mut start, mut told) = (Start::now(), BTreeSet::new());
        let (version, text) = loop {
            let none = || TextError::NoVersion {
                place: secret.place(),
            };
            let found = look(&secret, None, &status).await;
            let failure = match found.and_then(|found| found.ok_or_else(none)) {
                Ok(found) => break found,
                Err(failure) => failure,
            };
            let limit = failure.patience(options.start_limit);
            let Some(wait) = start.wait(limit) else {
                return Err(failure);
            };
            waiting(&failure);
            if told.insert(failure.reason()) {
                warn!(secret = %secret, "waiting up to {limit:?} for a secret: {failure}");
            }
            sleep(wait).await;
        };
        info!(secret = %secret, secret.version = version, "secret loaded");
        let source = Self {
            secret,
            refresh: options.refresh,
            version,
            status,
            outage: Outage::default(),
        };
        Ok((text, source))
    }

    /// How the source is doing, now and while it [follows](Self::follow).
    #[must_use]
    pub fn status(&self) -> SharedTextStatus {
        self.status.clone()
    }

    /// Looks at the vault again and again, and gives `changed` what is new. Never returns. As long as
    /// that fails, the text stays as it is.
    pub async fn follow(mut self, changed: impl Fn(&Text)) {
        loop {
            sleep(self.outage.wait(self.refresh, rand::random())).await;
            let failure = match look(&self.secret, Some(&self.version), &self.status).await {
                Ok(None) => None,
                Ok(Some((version, text))) => {
                    info!(secret = %self.secret, secret.version = version, "secret replaced");
                    self.version = version;
                    changed(&text);
                    None
                }
                Err(failure) => Some(failure),
            };
            self.note(failure.as_ref());
        }
    }

    /// Logs each kind of failure once, and that it is over.
    fn note(&mut self, failure: Option<&TextError>) {
        let Some(failure) = failure else {
            if self.outage.end() {
                info!(secret = %self.secret, "the secret is refreshed again");
            }
            return;
        };
        if self.outage.fail(failure.reason()) {
            warn!(
                secret = %self.secret,
                reason = failure.reason(),
                "a secret is not refreshed, the last one stays in use: {failure}"
            );
        }
    }
}

/// Looks once, within a limit, and counts how that went. Returns the version to be used and its
/// text, or nothing if it is still `known`.
async fn look(
    secret: &VaultSecret,
    known: Option<&str>,
    status: &SharedTextStatus,
) -> Result<Option<(String, Text)>, TextError> {
    let now = SystemTime::now();
    let found = match timeout(LOOK_LIMIT, look_for_long(secret, known, now)).await {
        Ok(found) => found,
        Err(_) => Err(TextError::TimedOut {
            place: secret.place(),
            limit: LOOK_LIMIT,
        }),
    };
    match &found {
        Ok(_) => status.succeeded(now),
        Err(failure) => status.failed(failure.reason()),
    }
    found
}

async fn look_for_long(
    secret: &VaultSecret,
    known: Option<&str>,
    now: SystemTime,
) -> Result<Option<(String, Text)>, TextError> {
    let listing = secret.list().await?;
    let place = || secret.place();
    let versions = listing.versions.len();
    let newest = newest(listing.versions, now).ok_or_else(|| match versions {
        0 => TextError::NoVersion { place: place() },
        versions => TextError::NoneValid {
            place: place(),
            versions,
        },
    })?;
    if known == Some(&newest.version) {
        return Ok(None);
    }
    let value = secret.value(&newest.version).await?;
    let version = newest.version;
    let text = Text::new(&value).map_err(|problem| TextError::Value {
        version: version.clone(),
        place: place(),
        problem,
    })?;
    Ok(Some((version, text)))
}

/// The version to use at `now`. Of two that were made in the same second, all processes take the same.
fn newest(versions: Vec<Version>, now: SystemTime) -> Option<Version> {
    let valid = |version: &Version| {
        let begun = version.not_before.is_none_or(|begin| begin <= now);
        version.enabled && begun && version.expires.is_none_or(|end| now < end)
    };
    let key = |version: &Version| (version.created, version.version.clone());
    versions.into_iter().filter(valid).max_by_key(key)
}

#[cfg(test)]
mod tests;
