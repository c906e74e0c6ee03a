//! Why there are no keys, or not all.

use crate::{KeyError, KeyRingError, azure::AzureError};

/// The value of one version is no key. Says nothing of what it is.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "version {version} of {place} holds no key: {reason}; store base64 of 16, 24 or 32 random \
     bytes (sealane keys rotate does), or disable this version"
)]
#[non_exhaustive]
pub struct BadValue {
    /// The version.
    pub version: String,
    /// Name of the secret, and its vault.
    pub place: String,
    /// What is wrong with the value.
    pub reason: KeyError,
}

/// Why the key of a version cannot be had.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultKeyError {
    /// The vault does not give it.
    #[error(transparent)]
    Azure(#[from] AzureError),

    /// It is no key, and will not become one: values of versions do not change.
    #[error(transparent)]
    Value(#[from] BadValue),
}

/// Why keys were not loaded. Each is one line that names the thing and what helps.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Azure refused, or was out of reach.
    #[error(transparent)]
    Azure(#[from] AzureError),

    /// There is no such secret. The vault answers with an empty list.
    #[error(
        "{place} does not exist; check KEYVAULT_URL and KEYVAULT_SECRET_NAME, or make it with \
         sealane keys rotate"
    )]
    NoVersion {
        /// Name of the secret, and its vault.
        place: String,
    },

    /// Nothing may be used.
    #[error(
        "{place} has {versions} versions and all are disabled; enable the one that was active last"
    )]
    AllDisabled {
        /// Name of the secret, and its vault.
        place: String,
        /// How many there are.
        versions: usize,
    },

    /// The version that should encrypt is unusable. No older one takes its place: other processes
    /// may already have moved on.
    #[error(transparent)]
    Value(#[from] BadValue),

    /// The keys do not make a ring.
    #[error(transparent)]
    Ring(#[from] KeyRingError),

    /// Listing and fetching together took too long.
    #[error("{place} was not read within {limit:?}")]
    TimedOut {
        /// Name of the secret, and its vault.
        place: String,
        /// How long it may take.
        limit: std::time::Duration,
    },
}

impl From<VaultKeyError> for LoadError {
    fn from(error: VaultKeyError) -> Self {
        match error {
            VaultKeyError::Azure(error) => Self::Azure(error),
            VaultKeyError::Value(error) => Self::Value(error),
        }
    }
}

impl LoadError {
    /// The kind of error as a label of a metric.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Azure(error) => error.reason(),
            Self::NoVersion { .. } => "no_version",
            Self::AllDisabled { .. } => "all_disabled",
            Self::Value(_) => "key_value",
            Self::Ring(_) => "key_ring",
            Self::TimedOut { .. } => "timeout",
        }
    }

    /// Whether Azure knows what is asked for, and does not let this identity have it.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Azure(error) if error.is_refusal())
    }

    /// Whether nobody gave a usable answer. What is neither this nor a refusal is for the settings,
    /// or the secret, to put right.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Azure(error) => error.is_unreachable(),
            Self::TimedOut { .. } => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    const DOCUMENT: &str = include_str!("../../../docs/troubleshooting-keys.md");

    #[test]
    fn the_document_has_every_reason() {
        let (_, reasons) = include_str!("error.rs").split_once("fn reason(").unwrap();
        let (reasons, _) = reasons.split_once("\n    }\n").unwrap();
        let reasons = reasons.lines().filter_map(|line| line.split('"').nth(1));
        let reasons: Vec<_> = reasons.collect();

        assert!(reasons.len() > 4, "they were not found: {reasons:?}");
        for reason in reasons {
            assert!(DOCUMENT.contains(&format!("`{reason}`")), "{reason}");
        }
    }
}
