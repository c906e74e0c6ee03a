//! Wrapping and unwrapping data keys, whichever version of a key it takes.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::Instant;

use super::{KeyUri, KeyUris, key_uris::Candidates};
use crate::{
    Key,
    azure::{AzureError, Cause},
};

/// Versions tried for a payload that names none. Each costs a request, and who rotates a key more
/// often than he forgets old workflows had better name versions.
const MAX_VERSIONS: usize = 16;

/// Time between two lists of one key of which the first showed nothing new. Anybody can make up
/// data keys that no version wrapped.
const DISTANCE: Duration = Duration::from_secs(5);

/// Bytes of a data key, for AES-256. temporal-proxy accepts no other length either.
const DATA_KEY_LEN: usize = 32;

/// What wraps and unwraps: Key Vault, or memory in tests.
#[async_trait]
pub(super) trait KeyEncryption: Send + Sync {
    /// Wraps `key` under the version that `uri` pins, else under the newest.
    async fn wrap(&self, uri: &KeyUri, key: &[u8]) -> Result<Vec<u8>, AzureError>;

    /// Unwraps with exactly `version` of the key. Wipe what you get.
    async fn unwrap(
        &self,
        uri: &KeyUri,
        version: &str,
        wrapped: &[u8],
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, AzureError>;

    /// The enabled versions of the key, newest first.
    async fn versions(&self, uri: &KeyUri) -> Result<Vec<String>, AzureError>;
}

/// The wrapping keys of this process.
pub(super) struct Wrapping {
    vault: Box<dyn KeyEncryption>,
    uris: KeyUris,
    /// The last list of each key.
    listed: Mutex<HashMap<String, Listed>>,
    /// Whoever is listing. The others wait, and use what was found.
    listing: tokio::sync::Mutex<()>,
}

/// What is known of the versions of one key.
#[derive(Clone)]
struct Listed {
    /// Newest first.
    versions: Arc<[String]>,
    /// They are listed again from then on.
    due: Instant,
}

/// Why a data key was not unwrapped.
#[derive(Clone, Debug)]
pub(super) enum Refusal {
    /// Not wrapped by any version that was tried, or altered since.
    NotWrapped,
    /// As [`NotWrapped`](Self::NotWrapped), but newer versions were not looked for: that was done in
    /// vain a moment ago.
    NotListed,
    /// Wrapped by us, but too short or too long for a data key.
    Length(usize),
    /// Key Vault said no, or nothing.
    Azure(AzureError),
}

impl Wrapping {
    pub(super) fn new(vault: Box<dyn KeyEncryption>, uris: KeyUris) -> Self {
        Self {
            vault,
            uris,
            listed: Mutex::default(),
            listing: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn uris(&self) -> &KeyUris {
        &self.uris
    }

    /// Wraps `key` under the first key of the settings.
    pub(super) async fn wrap(&self, key: &Key) -> Result<Vec<u8>, AzureError> {
        self.vault.wrap(self.uris.wrapping(), key.as_bytes()).await
    }

    /// Unwraps what `named` wrapped, a key of which some version has to be in the settings.
    pub(super) async fn unwrap(&self, named: &KeyUri, wrapped: &[u8]) -> Result<Key, Refusal> {
        match self.uris.candidates(named) {
            Some(Candidates::Pinned(versions)) => {
                let mut tried = BTreeSet::new();
                self.try_each(named, &versions, &mut tried, wrapped).await
            }
            Some(Candidates::Any) => self.search(named, wrapped).await,
            None => Err(Refusal::NotWrapped),
        }
    }

    /// Tries the versions of `uri` that are known, then those that a new listing adds.
    ///
    /// Key Vault would unwrap with the newest version alone, so without this nothing that names
    /// no version could be read once the key is rotated.
    async fn search(&self, uri: &KeyUri, wrapped: &[u8]) -> Result<Key, Refusal> {
        let mut tried = BTreeSet::new();
        let known = self.known(uri).map(|known| known.versions);
        if let Some(known) = &known {
            match self.try_each(uri, known, &mut tried, wrapped).await {
                Err(Refusal::NotWrapped) => {}
                // A version may have been disabled since.
                Err(Refusal::Azure(error)) if lasts(&error) => {}
                outcome => return outcome,
            }
        }
        let listed = self.list_after(uri, known.as_ref()).await?;
        self.try_each(uri, &listed, &mut tried, wrapped).await
    }

    /// The first of `versions` not yet `tried` that unwraps. That one is disabled or gone says nothing about the others.
    async fn try_each(
        &self,
        uri: &KeyUri,
        versions: &[String],
        tried: &mut BTreeSet<String>,
        wrapped: &[u8],
    ) -> Result<Key, Refusal> {
        let mut refusal = Refusal::NotWrapped;
        for version in versions {
            if !tried.insert(version.clone()) {
                continue;
            }
            match self.vault.unwrap(uri, version, wrapped).await {
                Ok(key) => return data_key(&key),
                // What Key Vault answers to bytes that another key wrapped.
                Err(error) if error.cause() == (Cause::Rejected { status: 400 }) => {}
                Err(error) if lasts(&error) => refusal = error.into(),
                Err(error) => return Err(error.into()),
            }
        }
        Err(refusal)
    }

    /// A later list of the versions of `uri` than `known`, which somebody else may have asked for.
    async fn list_after(
        &self,
        uri: &KeyUri,
        known: Option<&Arc<[String]>>,
    ) -> Result<Arc<[String]>, Refusal> {
        let _listing = self.listing.lock().await;
        if let (Some(known), Some(latest)) = (known, self.known(uri)) {
            if !Arc::ptr_eq(known, &latest.versions) {
                return Ok(latest.versions);
            }
            if Instant::now() < latest.due {
                return Err(Refusal::NotListed);
            }
        }
        self.list(uri, known).await
    }

    async fn list(
        &self,
        uri: &KeyUri,
        known: Option<&Arc<[String]>>,
    ) -> Result<Arc<[String]>, Refusal> {
        let mut versions = self.vault.versions(uri).await?;
        versions.truncate(MAX_VERSIONS);
        let in_vain = known.is_some_and(|known| **known == *versions);
        let now = Instant::now();
        let listed = Listed {
            versions: versions.into(),
            due: if in_vain { now + DISTANCE } else { now },
        };
        let versions = Arc::clone(&listed.versions);
        self.listed().insert(key_of(uri), listed);
        Ok(versions)
    }

    fn known(&self, uri: &KeyUri) -> Option<Listed> {
        self.listed().get(&key_of(uri)).cloned()
    }

    fn listed(&self) -> MutexGuard<'_, HashMap<String, Listed>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_of(uri: &KeyUri) -> String {
    format!("{}keys/{}", uri.vault(), uri.name())
}

fn data_key(bytes: &[u8]) -> Result<Key, Refusal> {
    let len = bytes.len();
    match Key::from_bytes(bytes) {
        Ok(key) if len == DATA_KEY_LEN => Ok(key),
        _ => Err(Refusal::Length(len)),
    }
}

impl Refusal {
    /// The cause as a label of a metric.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::NotWrapped | Self::NotListed => "not_wrapped",
            Self::Length(_) => "length",
            Self::Azure(error) => error.reason(),
        }
    }

    /// Whether asking again soon is pointless.
    pub(super) fn lasts(&self) -> bool {
        match self {
            Self::NotWrapped | Self::Length(_) => true,
            Self::NotListed => false,
            Self::Azure(error) => lasts(error),
        }
    }

    /// Whether somebody may have made up the data key.
    pub(super) fn is_suspect(&self) -> bool {
        self.lasts() || matches!(self, Self::NotListed)
    }
}

fn lasts(error: &AzureError) -> bool {
    matches!(
        error.cause(),
        Cause::Rejected { .. } | Cause::NotFound | Cause::KeyDisabled
    )
}

impl From<AzureError> for Refusal {
    fn from(error: AzureError) -> Self {
        Self::Azure(error)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotWrapped => f.write_str(
                "no enabled version of that key wrapped it, or it was altered \
                 (enable the version that did, if there is one)",
            ),
            Self::NotListed => f.write_str(
                "no version of that key that is known here wrapped it, and they were listed a \
                 moment ago (newer ones are looked for in a few seconds)",
            ),
            Self::Length(len) => write!(f, "it is {len} bytes long, expected {DATA_KEY_LEN}"),
            Self::Azure(error) => error.fmt(f),
        }
    }
}
