//! A vault in memory, with one key that has versions, and faults to order.

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::{
    Key,
    azure::{AzureError, Cause, Operation, Role},
    envelope::{KeyUri, wrapping::KeyEncryption},
};

pub(super) const KEK: &str = "azurekeyvault://unit.vault.azure.net/keys/kek";
/// The version that every vault begins with.
pub(super) const FIRST: &str = "00000000000000000000000000000001";

#[derive(Clone)]
pub(super) struct MemoryVault {
    memory: Arc<Mutex<Memory>>,
    open: watch::Sender<bool>,
}

#[derive(Default)]
struct Memory {
    /// Version and whether it is enabled, oldest first.
    versions: Vec<(String, bool)>,
    calls: Vec<String>,
    failure: Option<(&'static str, Cause)>,
}

impl MemoryVault {
    pub(super) fn new() -> Self {
        let vault = Self {
            memory: Arc::default(),
            open: watch::Sender::new(true),
        };
        vault.rotate();
        vault
    }

    /// Adds a version and returns its name.
    pub(super) fn rotate(&self) -> String {
        let versions = &mut self.memory().versions;
        let version = format!("{:032x}", versions.len() + 1);
        versions.push((version.clone(), true));
        version
    }

    pub(super) fn disable(&self, version: &str) {
        for (known, enabled) in &mut self.memory().versions {
            *enabled &= known != version;
        }
    }

    /// Makes requests of this kind fail; "" are all.
    pub(super) fn fail(&self, kind: &'static str, cause: Cause) {
        self.memory().failure = Some((kind, cause));
    }

    pub(super) fn recover(&self) {
        self.memory().failure = None;
    }

    /// Answers nothing until `answer(true)`.
    pub(super) fn answer(&self, open: bool) {
        self.open.send_replace(open);
    }

    /// How many requests of this kind there were, answered or not.
    pub(super) fn calls(&self, kind: &str) -> usize {
        let memory = self.memory();
        memory.calls.iter().filter(|call| *call == kind).count()
    }

    async fn call(&self, kind: &'static str) -> Result<(), AzureError> {
        self.memory().calls.push(kind.to_owned());
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
        match self.memory().failure {
            Some((failing, cause)) if kind.starts_with(failing) => Err(refusal(kind, cause)),
            _ => Ok(()),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    fn enabled(&self, version: &str) -> Result<Key, AzureError> {
        let memory = self.memory();
        let found = memory.versions.iter().find(|(known, _)| known == version);
        match found {
            Some((_, true)) => Ok(version_key(version)),
            Some((_, false)) => Err(refusal("use", Cause::KeyDisabled)),
            None => Err(refusal("use", Cause::NotFound)),
        }
    }
}

fn version_key(version: &str) -> Key {
    Key::from_bytes(version.as_bytes()).unwrap()
}

fn refusal(kind: &str, cause: Cause) -> AzureError {
    let operation = Operation::new(format!("{kind} {KEK}"), Role::CryptoUser);
    AzureError::of(&operation, cause, "as the test ordered".to_owned())
}

#[async_trait]
impl KeyEncryption for MemoryVault {
    async fn wrap(&self, uri: &KeyUri, key: &[u8]) -> Result<Vec<u8>, AzureError> {
        self.call("wrap").await?;
        let newest = self.memory().versions.last().unwrap().0.clone();
        let version = self.enabled(uri.version().unwrap_or(&newest))?;
        let mut wrapped = [&[0; 12], key].concat();
        let nonce = std::array::from_fn(|_| 7);
        version.seal(&nonce, &mut wrapped).unwrap();
        Ok(wrapped)
    }

    async fn unwrap(
        &self,
        _: &KeyUri,
        version: &str,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AzureError> {
        self.call("unwrap").await?;
        let version = self.enabled(version)?;
        let mut wrapped = wrapped.to_vec();
        match version.open(&mut wrapped) {
            Ok(key) => Ok(Zeroizing::new(key.to_vec())),
            Err(_) => Err(refusal("unwrap", Cause::Rejected { status: 400 })),
        }
    }

    async fn versions(&self, _: &KeyUri) -> Result<Vec<String>, AzureError> {
        self.call("list").await?;
        let memory = self.memory();
        let enabled = memory.versions.iter().filter(|(_, enabled)| *enabled);
        Ok(enabled.rev().map(|(version, _)| version.clone()).collect())
    }
}
