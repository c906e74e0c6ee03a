//! Why a secret gives no text.

use std::time::Duration;

use crate::azure::{AzureError, Cause};

/// Why a text was not loaded. Each is one line that names the thing and what helps.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Azure refused, or was out of reach.
    #[error(transparent)]
    Azure(#[from] AzureError),

    /// There is no such secret. The vault answers with an empty list.
    #[error("{place} does not exist; check its name and KEYVAULT_URL, or make it")]
    NoVersion {
        /// Name of the secret, and its vault.
        place: String,
    },

    /// Nothing may be used now.
    #[error(
        "{place} has {versions} versions, and each is disabled, expired or not valid yet; add a \
         version, or enable one"
    )]
    NoneValid {
        /// Name of the secret, and its vault.
        place: String,
        /// How many there are.
        versions: usize,
    },

    /// The newest version is unusable. No older one takes its place: it may be revoked.
    #[error("version {version} of {place} {problem}; add a version that holds nothing but the key")]
    Value {
        /// The version.
        version: String,
        /// Name of the secret, and its vault.
        place: String,
        /// What is wrong with the value.
        problem: TextProblem,
    },

    /// Listing and fetching together took too long.
    #[error("{place} was not read within {limit:?}")]
    TimedOut {
        /// Name of the secret, and its vault.
        place: String,
        /// How long it may take.
        limit: Duration,
    },
}

/// What is wrong with a text. Says nothing of what it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TextProblem {
    /// There is nothing.
    #[error("is empty")]
    Empty,
    /// It cannot be sent.
    #[error("holds white space or other odd characters")]
    Characters,
}

impl TextError {
    /// The kind of error as a label of a metric.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Azure(error) => error.reason(),
            Self::NoVersion { .. } => "no_version",
            Self::NoneValid { .. } => "none_valid",
            Self::Value { .. } => "value",
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

    /// How long a start waits for this to pass, where it waits up to `limit` for what may.
    pub(super) fn patience(&self, limit: Duration) -> Duration {
        match self {
            Self::TimedOut { .. } => limit,
            // Disabled between list and get; the next list does not offer it any more.
            Self::Azure(error) if error.cause() == Cause::SecretDisabled => limit,
            Self::Azure(error) => error.patience(limit),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{TextError, TextProblem};

    const DOCUMENT: &str = include_str!("../../../docs/troubleshooting-keys.md");

    #[test]
    fn the_document_has_every_reason() {
        let (_, reasons) = include_str!("text_error.rs")
            .split_once("fn reason(")
            .unwrap();
        let (reasons, _) = reasons.split_once("\n    }\n").unwrap();
        let reasons = reasons.lines().filter_map(|line| line.split('"').nth(1));
        let reasons: Vec<_> = reasons.collect();

        assert!(reasons.len() > 3, "they were not found: {reasons:?}");
        for reason in reasons {
            assert!(DOCUMENT.contains(&format!("`{reason}`")), "{reason}");
        }
    }

    #[test]
    fn a_start_waits_for_an_answer_and_not_for_another_value() {
        let limit = Duration::from_secs(60);
        let place = || "secret k in https://unit.vault.azure.net/".to_owned();
        let slow = TextError::TimedOut {
            place: place(),
            limit,
        };
        let bad = TextError::Value {
            version: "v".to_owned(),
            place: place(),
            problem: TextProblem::Empty,
        };

        assert_eq!(slow.patience(limit), limit);
        assert_eq!(bad.patience(limit), Duration::ZERO);
    }
}
