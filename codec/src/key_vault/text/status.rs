//! How a source of texts is doing, for metrics.

use std::{collections::BTreeMap, time::SystemTime};

use tokio::sync::watch;

/// How a source is doing. Says nothing of values.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TextStatus {
    /// When the last look at the vault without a failure began.
    pub last_success: Option<SystemTime>,

    /// Failed looks since start by [`TextError::reason`](crate::key_vault::TextError::reason).
    pub failures: BTreeMap<&'static str, u64>,
}

/// A handle to the status of a source; clones see the same.
#[derive(Clone, Debug, Default)]
pub struct SharedTextStatus(watch::Sender<TextStatus>);

impl SharedTextStatus {
    /// The status as it is now.
    #[must_use]
    pub fn current(&self) -> TextStatus {
        self.0.borrow().clone()
    }

    pub(super) fn succeeded(&self, now: SystemTime) {
        self.0.send_modify(|status| status.last_success = Some(now));
    }

    pub(super) fn failed(&self, reason: &'static str) {
        self.0
            .send_modify(|status| *status.failures.entry(reason).or_default() += 1);
    }
}
