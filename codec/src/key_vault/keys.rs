//! The keys that were fetched so far.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{BadValue, LoadError, VaultKeyError, loader::Vault};
use crate::{
    Key, KeyRing,
    azure::AzureError,
    rotation::{Plan, Version},
};

/// Keys by version. Each value is fetched once: the vault does not let it change.
#[derive(Default)]
pub(super) struct Keys {
    fetched: BTreeMap<String, Arc<Key>>,
    bad: BTreeMap<String, BadValue>,
}

impl Keys {
    /// Fetches what `plan` wants and is not here, the active version first. Values that are no
    /// keys are noted and passed over.
    ///
    /// Returns the first error. What was fetched before it stays, and what comes after it is tried
    /// as well if the error concerns one version only.
    pub(super) async fn fetch(&mut self, vault: &dyn Vault, plan: &Plan) -> Result<(), AzureError> {
        let mut fetched = Ok(());
        for version in plan.active().into_iter().chain(plan.held()) {
            if !version.enabled || self.knows(&version.version) {
                continue;
            }
            match vault.key(version).await {
                Ok(key) => {
                    let key = Arc::new(key);
                    self.fetched.insert(version.version.clone(), key);
                }
                Err(VaultKeyError::Value(bad)) => {
                    self.bad.insert(version.version.clone(), bad);
                }
                Err(VaultKeyError::Azure(error)) => {
                    let is_general = error.is_refusal() || error.is_unreachable();
                    fetched = fetched.and(Err(error));
                    if is_general {
                        break;
                    }
                }
            }
        }
        fetched
    }

    fn knows(&self, version: &str) -> bool {
        self.holds(version) || self.bad.contains_key(version)
    }

    /// Whether the key of `version` is here.
    pub(super) fn holds(&self, version: &str) -> bool {
        self.fetched.contains_key(version)
    }

    /// What is wrong with the value of `version`, if something is.
    pub(super) fn bad(&self, version: &str) -> Option<&BadValue> {
        self.bad.get(version)
    }

    /// Forgets all keys but those of `plan` and of `active`.
    pub(super) fn keep(&mut self, plan: &Plan, active: &Version) {
        let held = plan.held().map(|version| version.version.as_str());
        let keep: BTreeSet<_> = held.chain([active.version.as_str()]).collect();
        self.fetched
            .retain(|version, _| keep.contains(version.as_str()));
        self.bad
            .retain(|version, _| keep.contains(version.as_str()));
    }

    /// The ring of all keys that `plan` holds and that are here, sealing under `active`.
    pub(super) fn ring(&self, plan: &Plan, active: &Version) -> Result<KeyRing, LoadError> {
        let versions: BTreeMap<_, _> = plan
            .held()
            .chain([active])
            .map(|version| (version.version.as_str(), version))
            .collect();
        let keys = versions.into_values().filter_map(|version| {
            let key = self.fetched.get(&version.version)?;
            Some((version.id.clone(), Arc::clone(key)))
        });
        Ok(KeyRing::new(active.id.clone(), keys)?)
    }
}
