//! How the source is doing, for metrics, readiness and `keys list`.

use std::{collections::BTreeMap, time::SystemTime};

use tokio::sync::watch;

use super::LoadError;
use crate::rotation::{Plan, Stage, Version};

/// How a source is doing. Says nothing of values.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Status {
    /// All versions of the last listing, newest first. Empty until one has succeeded.
    pub versions: Vec<VersionStatus>,

    /// The version that this process seals under. While the one that should be active cannot be
    /// used, it is not the one whose stage is active.
    pub active: Option<Version>,

    /// When this process began to seal under it.
    pub active_since: Option<SystemTime>,

    /// When the last look at the vault without a failure began.
    pub last_success: Option<SystemTime>,

    /// Failed looks since start by [`LoadError::reason`].
    pub failures: BTreeMap<&'static str, u64>,

    /// Why the last look failed, `None` if it did not.
    pub failing: Option<Failing>,
}

/// One version, as a process sees it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VersionStatus {
    /// What the vault says of it.
    pub version: Version,
    /// What it is used for.
    pub stage: Stage,
    /// Whether its key is in the ring.
    pub held: bool,
}

/// Why a look failed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Failing {
    /// [`LoadError::reason`].
    pub reason: &'static str,
    /// The error in one line.
    pub text: String,
}

/// A handle to the status of a source; clones see the same.
#[derive(Clone, Debug, Default)]
pub struct SharedStatus(watch::Sender<Status>);

impl SharedStatus {
    /// The status as it is now.
    #[must_use]
    pub fn current(&self) -> Status {
        self.0.borrow().clone()
    }

    /// Waits until the status is as `wanted` says, and returns it.
    pub async fn wait_for(&self, wanted: impl FnMut(&Status) -> bool) -> Status {
        let mut statuses = self.0.subscribe();
        let status = statuses.wait_for(wanted).await;
        let status = status.expect("this handle owns a sender, so the channel is open");
        status.clone()
    }

    pub(super) fn succeeded(&self, now: SystemTime) {
        self.0.send_modify(|status| {
            status.last_success = Some(now);
            status.failing = None;
        });
    }

    pub(super) fn failed(&self, failure: &LoadError) {
        let (reason, text) = (failure.reason(), failure.to_string());
        self.0.send_modify(|status| {
            *status.failures.entry(reason).or_default() += 1;
            status.failing = Some(Failing { reason, text });
        });
    }

    pub(super) fn planned(
        &self,
        plan: &Plan,
        active: Option<&Version>,
        now: SystemTime,
        holds: impl Fn(&str) -> bool,
    ) {
        let versions = plan.stages.iter().map(|(version, stage)| VersionStatus {
            held: holds(&version.version),
            version: version.clone(),
            stage: *stage,
        });
        let name = |version: &Version| version.version.clone();
        self.0.send_modify(|status| {
            status.versions = versions.collect();
            if status.active.as_ref().map(name) != active.map(name) {
                status.active_since = active.map(|_| now);
            }
            status.active = active.cloned();
        });
    }
}
