//! One look at the vault: list, plan, fetch, and make a ring of it.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use tokio::time::timeout;
use tracing::warn;

use super::{LoadError, SharedStatus, VaultKeyError, ids::Ids, keys::Keys, listing::Listing};
use crate::{
    Key, KeyRing,
    azure::AzureError,
    rotation::{Plan, Policy, Stage, Version, plan},
};

/// Longest look. Enough for hundreds of versions at start; later looks fetch what is new.
const LOOK_LIMIT: Duration = Duration::from_secs(60);

/// What a look needs of a vault.
#[async_trait]
pub(super) trait Vault: Send + Sync {
    /// Name of the secret, and its vault.
    fn place(&self) -> String;

    /// All versions.
    async fn list(&self) -> Result<Listing, AzureError>;

    /// The key of one.
    async fn key(&self, version: &Version) -> Result<Key, VaultKeyError>;
}

/// What one look led to. Both may be there: some keys came, others did not.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// The ring as it should be now.
    pub(super) ring: Option<KeyRing>,
    /// What went wrong.
    pub(super) failure: Option<LoadError>,
}

/// Remembers from one look to the next.
pub(super) struct Loader {
    vault: Box<dyn Vault>,
    policy: Policy,
    ids: Ids,
    keys: Keys,
    /// The version this process seals under.
    active: Option<Version>,
    /// Oddities that were logged.
    told: BTreeSet<String>,
    status: SharedStatus,
}

impl Loader {
    pub(super) fn new(vault: Box<dyn Vault>, policy: Policy) -> Self {
        Self {
            vault,
            policy,
            ids: Ids::default(),
            keys: Keys::default(),
            active: None,
            told: BTreeSet::new(),
            status: SharedStatus::default(),
        }
    }

    pub(super) fn place(&self) -> String {
        self.vault.place()
    }

    pub(super) fn status(&self) -> &SharedStatus {
        &self.status
    }

    /// Looks once, within a limit. Failures are counted.
    pub(super) async fn look(&mut self, now: SystemTime) -> Look {
        let look = match timeout(LOOK_LIMIT, self.look_for_long(now)).await {
            Ok(Ok(look)) => look,
            Ok(Err(failure)) => Look::failed(failure),
            Err(_) => Look::failed(LoadError::TimedOut {
                place: self.place(),
                limit: LOOK_LIMIT,
            }),
        };
        match &look.failure {
            Some(failure) => self.status.failed(failure),
            None => self.status.succeeded(now),
        }
        look
    }

    async fn look_for_long(&mut self, now: SystemTime) -> Result<Look, LoadError> {
        let listing = self.ids.settle(self.vault.list().await?);
        for oddity in listing.oddities {
            self.tell(&oddity);
        }
        let plan = plan(&listing.versions, now, self.policy);
        let Some(wanted) = plan.active() else {
            self.publish(&plan, now);
            return Err(self.nothing_usable(listing.versions.len()));
        };
        let fetched = self.keys.fetch(&*self.vault, &plan).await;
        self.tell_of(&plan);
        if self.keys.holds(&wanted.version) {
            self.active = Some(wanted.clone());
        }
        let bad = self.keys.bad(&wanted.version).cloned();
        let failure = fetched.err().map(LoadError::Azure);
        let failure = failure.or(bad.map(LoadError::Value));
        let ring = self.ring(&plan)?;
        self.publish(&plan, now);
        Ok(Look { ring, failure })
    }

    fn publish(&self, plan: &Plan, now: SystemTime) {
        let holds = |version: &str| self.keys.holds(version);
        self.status.planned(plan, self.active.as_ref(), now, holds);
    }

    /// The ring for `plan`. While the version that should be active is not to be had, the one that
    /// was active stays so, even if it has been disabled.
    fn ring(&mut self, plan: &Plan) -> Result<Option<KeyRing>, LoadError> {
        let Some(active) = &self.active else {
            return Ok(None);
        };
        self.keys.keep(plan, active);
        self.keys.ring(plan, active).map(Some)
    }

    fn nothing_usable(&self, versions: usize) -> LoadError {
        let place = self.place();
        match versions {
            0 => LoadError::NoVersion { place },
            versions => LoadError::AllDisabled { place, versions },
        }
    }

    fn tell_of(&mut self, plan: &Plan) {
        for (version, stage) in &plan.stages {
            if let Some(bad) = self.keys.bad(&version.version) {
                self.tell(&bad.to_string());
            }
            if let Stage::Active { expired: true, .. } = stage {
                let (version, place) = (&version.version, self.place());
                self.tell(&format!(
                    "version {version} of {place} has expired and still encrypts, because there is \
                     no other: make a new one with sealane keys rotate"
                ));
            }
        }
    }

    /// Warns, but only once of the same.
    fn tell(&mut self, oddity: &str) {
        if self.told.insert(oddity.to_owned()) {
            warn!("{oddity}");
        }
    }
}

impl Look {
    fn failed(failure: LoadError) -> Self {
        Self {
            ring: None,
            failure: Some(failure),
        }
    }
}
