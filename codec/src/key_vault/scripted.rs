//! A vault for tests, which does what it is told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;

use super::{BadValue, VaultKeyError, listing::Listing, loader::Vault};
use crate::{
    Key,
    azure::{AzureError, Cause, Operation, Role},
    rotation::Version,
};

/// A vault with the secret `k`. Clones are the same vault.
#[derive(Clone, Default)]
pub(super) struct Script(Arc<Mutex<State>>);

#[derive(Default)]
pub(super) struct State {
    versions: Vec<Version>,
    values: BTreeMap<String, String>,
    /// Why lists fail.
    pub(super) list: Option<Cause>,
    /// Lists that still fail, if not all.
    pub(super) failing_lists: Option<u32>,
    /// Why getting these versions fails.
    pub(super) key: BTreeMap<&'static str, Cause>,
    /// Whether lists never return.
    pub(super) hangs: bool,
    /// Lists so far.
    pub(super) lists: u32,
    /// Versions that were asked for, in order.
    pub(super) gets: Vec<String>,
}

impl Script {
    /// Adds a version made `age` ago whose key is 32 times `fill`.
    pub(super) fn with(self, version: &str, age: Duration, fill: u8) -> Self {
        self.add(version, SystemTime::now() - age, fill);
        self
    }

    pub(super) fn add(&self, version: &str, created: SystemTime, fill: u8) {
        let mut value = String::new();
        key(fill).write_base64(&mut value);
        self.add_value(version, created, &value);
    }

    pub(super) fn add_value(&self, version: &str, created: SystemTime, value: &str) {
        let mut state = self.state();
        state.values.insert(version.to_owned(), value.to_owned());
        state.versions.push(Version {
            version: version.to_owned(),
            id: format!("k/{version}").parse().unwrap(),
            created,
            updated: created,
            not_before: None,
            expires: None,
            enabled: true,
        });
    }

    pub(super) fn disable(&self, version: &str, now: SystemTime) {
        let mut state = self.state();
        for known in state.versions.iter_mut().filter(|v| v.version == version) {
            known.enabled = false;
            known.updated = now;
        }
    }

    /// Changes the tag of a version.
    pub(super) fn rename(&self, version: &str, id: &str) {
        let mut state = self.state();
        for known in state.versions.iter_mut().filter(|v| v.version == version) {
            known.id = id.parse().unwrap();
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

pub(super) fn key(fill: u8) -> Key {
    Key::from_bytes(&[fill; 32]).unwrap()
}

fn failure(cause: Cause) -> AzureError {
    let operation = Operation::new("read".to_owned(), Role::SecretsUser);
    AzureError::of(&operation, cause, String::new())
}

#[async_trait]
impl Vault for Script {
    fn place(&self) -> String {
        "secret k in https://unit.vault.azure.net/".to_owned()
    }

    async fn list(&self) -> Result<Listing, AzureError> {
        let hangs = self.state().hangs;
        if hangs {
            std::future::pending::<()>().await;
        }
        let mut state = self.state();
        state.lists += 1;
        match (state.list, &mut state.failing_lists) {
            (Some(cause), None) => return Err(failure(cause)),
            (Some(cause), Some(left @ 1..)) => {
                *left -= 1;
                return Err(failure(cause));
            }
            _ => {}
        }
        Ok(Listing {
            name: "k".to_owned(),
            versions: state.versions.clone(),
            oddities: Vec::new(),
        })
    }

    async fn key(&self, version: &Version) -> Result<Key, VaultKeyError> {
        let mut state = self.state();
        let version = &version.version;
        state.gets.push(version.clone());
        if let Some(cause) = state.key.get(version.as_str()) {
            return Err(failure(*cause).into());
        }
        Key::from_base64(&state.values[version]).map_err(|reason| {
            let (version, place) = (version.clone(), self.place());
            BadValue {
                version,
                place,
                reason,
            }
            .into()
        })
    }
}
