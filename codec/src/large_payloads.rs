//! Payloads that are too large for Temporal, kept in Azure Blob Storage.
//!
//! What is stored is ciphertext: a payload is encrypted first, as any other, and if the result is
//! larger than a threshold its bytes become a blob, and a small [reference](reference) goes to
//! Temporal. On the way back the blob is fetched, its SHA-256 compared with the one in the
//! reference, and only then decrypted.
//!
//! A blob's name is the namespace and that SHA-256. So repeating an upload changes nothing, and
//! nobody can put other bytes behind a reference unnoticed. It saves no space: each encryption has a
//! nonce of its own, so the same value encrypted twice makes two blobs.

mod container;
mod error;
mod name;
mod recent;
mod reference;
mod status;
#[cfg(test)]
mod tests;
mod transfer;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::future::try_join_all;
use prost::Message;
use temporalio_common::protos::temporal::api::common::v1::Payload;
use url::Url;

use self::{
    container::{BlobStore, Container, Got},
    name::BlobName,
    recent::Recent,
    reference::Reference,
    status::Counts,
    transfer::{Lane, persistently},
};
use crate::{
    azure::{Azure, AzureError, Cause, Operation, Role},
    metadata::{KEY_ID, is_encrypted},
};

pub use self::{
    error::{FetchError, StoreError, is_outage},
    reference::{LONGEST_URL, is_external_reference, is_stored},
    status::Status,
};

/// Bytes of blobs that stay in memory, the least recently used of which make room for new ones. A
/// workflow's thread waits for what it fetches, and replays ask for the same again.
const REMEMBERED: usize = 64 << 20;

/// Which payloads are stored, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargePayloadOptions {
    /// URL of the container, such as `https://my-account.blob.core.windows.net/payloads`.
    pub container: Url,
    /// Temporal namespace of this process. Blobs of others are not read.
    pub namespace: String,
    /// Whether anything is stored; otherwise what others have stored is read.
    pub stores: bool,
    /// Encrypted payloads of more serialised bytes are stored.
    pub threshold: usize,
    /// Encrypted payloads of more serialised bytes are not stored, so that Temporal's own limit stands in
    /// their way, and larger blobs are not read.
    pub max: usize,
}

/// Stores and fetches large payloads. Clones share connections, memory and counts.
#[derive(Clone)]
pub struct LargePayloads(Arc<Inner>);

struct Inner {
    store: Box<dyn BlobStore>,
    options: LargePayloadOptions,
    /// Two, so that a workflow does not wait for what others store.
    stores: Lane,
    fetches: Lane,
    recent: Mutex<Recent>,
    counts: Counts,
}

impl LargePayloads {
    /// Uses a container under the identity of `azure`. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`Cause::Address`](crate::azure::Cause::Address) if the URL cannot be that of a container.
    pub fn new(azure: &Azure, options: LargePayloadOptions) -> Result<Self, AzureError> {
        let container = Container::new(azure, &options.container, options.stores)?;
        Ok(Self::with(Box::new(container), options))
    }

    fn with(store: Box<dyn BlobStore>, options: LargePayloadOptions) -> Self {
        let url = &options.container;
        let busy = |what: &str| {
            let doing = format!("{what} {url} yet, which is slow");
            Lane::new(Operation::new(doing, Role::None))
        };
        Self(Arc::new(Inner {
            store,
            stores: busy("store another blob in"),
            fetches: busy("read another blob from"),
            options,
            recent: Mutex::new(Recent::of(REMEMBERED)),
            counts: Counts::default(),
        }))
    }

    /// What it was made with.
    #[must_use]
    pub fn options(&self) -> &LargePayloadOptions {
        &self.0.options
    }

    /// What was transferred so far.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.counts.status()
    }

    /// Whether `sealed` is too large to be sent as it is, and not too large to be stored.
    #[must_use]
    pub fn takes(&self, sealed: &Payload) -> bool {
        let options = &self.0.options;
        let size = sealed.encoded_len();
        options.stores && size > options.threshold && size <= options.max
    }

    /// Stores what is too large of `sealed`, which must be encrypted, and returns references in its
    /// place.
    ///
    /// # Errors
    ///
    /// [`StoreError`], whichever comes first. What was stored by then stays, unused.
    pub async fn store_all(&self, sealed: Vec<Payload>) -> Result<Vec<Payload>, StoreError> {
        try_join_all(sealed.into_iter().map(|payload| self.store(payload))).await
    }

    /// Stores `sealed` if it is too large, and returns what to send in its place.
    ///
    /// # Errors
    ///
    /// As the variants of [`StoreError`] say. `sealed` must not be sent then.
    pub async fn store(&self, sealed: Payload) -> Result<Payload, StoreError> {
        if !self.takes(&sealed) {
            return Ok(sealed);
        }
        let stored = self.put(&sealed).await;
        stored.inspect_err(|_| self.0.counts.store_failed())
    }

    async fn put(&self, sealed: &Payload) -> Result<Payload, StoreError> {
        if !is_encrypted(sealed) {
            return Err(StoreError::Plain);
        }
        let seat = self.0.stores.seat().await;
        let _seat = seat.map_err(|error| StoreError::of(&error))?;
        let blob = Blob::of(&self.0.options.namespace, sealed);
        let put = || self.0.store.put(&blob.key, blob.bytes.clone());
        let outcome = persistently(put).await;
        outcome.map_err(|error| StoreError::of(&error))?;
        let size = blob.bytes.len();
        self.0.counts.stored(size);
        let reference = Reference::new(&self.0.options.container, &blob.name, size);
        self.remember(blob.key, blob.bytes);
        Ok(reference.payload(&sealed.metadata))
    }

    /// Fetches the encrypted payload behind `reference`, if it is of this process's namespace.
    ///
    /// # Errors
    ///
    /// As the variants of [`FetchError`] say.
    pub async fn fetch(&self, reference: &Payload) -> Result<Payload, FetchError> {
        let own = std::slice::from_ref(&self.0.options.namespace);
        self.fetch_of(own, usize::MAX, reference).await
    }

    /// Fetches the encrypted payload behind `reference`, if it is of one of `namespaces` and has at most
    /// `max` bytes.
    ///
    /// # Errors
    ///
    /// As the variants of [`FetchError`] say.
    pub async fn fetch_of(
        &self,
        namespaces: &[String],
        max: usize,
        reference: &Payload,
    ) -> Result<Payload, FetchError> {
        let max = max.min(self.0.options.max);
        let fetched = self.get(namespaces, max, reference).await;
        fetched.inspect_err(|_| self.0.counts.fetch_failed())
    }

    async fn get(
        &self,
        namespaces: &[String],
        max: usize,
        referring: &Payload,
    ) -> Result<Payload, FetchError> {
        let reference = Reference::of(referring).ok_or(FetchError::Malformed)?;
        let key = reference.name.to_string();
        if !namespaces.iter().any(|it| reference.name.is_of(it)) {
            return Err(FetchError::OtherNamespace { blob: key });
        }
        let limit = reference.size.unwrap_or(max);
        if limit > max {
            let (blob, size) = (key, limit);
            return Err(FetchError::TooLarge { blob, size, max });
        }
        let bytes = match self.recall(&key) {
            Some(bytes) => bytes,
            None => self.download(&key, &reference, limit).await?,
        };
        // Of what is in memory too: whoever reserved room reserved what the reference says.
        if reference.size.is_some_and(|size| size != bytes.len()) {
            let (blob, len) = (key, bytes.len());
            return Err(FetchError::Altered { blob, len });
        }
        if bytes.len() > max {
            let (blob, size) = (key, bytes.len());
            return Err(FetchError::TooLarge { blob, size, max });
        }
        let payload = Payload::decode(bytes)
            .ok()
            .filter(|it| matches(it, referring));
        payload.ok_or(FetchError::NotCiphertext { blob: key })
    }

    async fn download(
        &self,
        key: &str,
        reference: &Reference,
        limit: usize,
    ) -> Result<Bytes, FetchError> {
        let seat = self.0.fetches.seat().await;
        let _seat = seat.map_err(|error| FetchError::of(&error))?;
        let got = persistently(|| self.0.store.get(key, limit)).await;
        let blob = key.to_owned();
        let bytes = match got.map_err(|error| FetchError::of(&error))? {
            Got::Bytes(bytes) => Bytes::from(bytes),
            Got::Longer => return Err(FetchError::Longer { blob, limit }),
            Got::Missing => {
                return Err(FetchError::Missing {
                    blob,
                    container: self.0.options.container.to_string(),
                    written_to: reference.container.to_string(),
                });
            }
        };
        if !reference.name.fits(&bytes) {
            let len = bytes.len();
            return Err(FetchError::Altered { blob, len });
        }
        self.0.counts.fetched(bytes.len());
        self.remember(blob, bytes.clone());
        Ok(bytes)
    }

    fn recall(&self, key: &str) -> Option<Bytes> {
        let found = self.recent().get(key);
        self.0.counts.recalled(found.is_some());
        found
    }

    fn remember(&self, key: String, bytes: Bytes) {
        self.recent().insert(key, bytes);
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, Recent> {
        self.0.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds out whether the container can be used: stores a tiny blob and reads it, or, where
    /// nothing is stored, asks for one that is not there.
    ///
    /// # Errors
    ///
    /// What stands in the way.
    pub async fn probe(&self) -> Result<(), AzureError> {
        let bytes = Bytes::from_static(b"sealane doctor");
        let name = BlobName::of(&self.0.options.namespace, &bytes).to_string();
        if !self.0.options.stores {
            return self.0.store.get(&name, bytes.len()).await.map(drop);
        }
        self.0.store.put(&name, bytes.clone()).await?;
        let got = self.0.store.get(&name, bytes.len()).await?;
        if got == Got::Bytes(bytes.to_vec()) {
            return Ok(());
        }
        let doing = format!("read back the blob {name} just stored");
        let operation = Operation::new(doing, Role::BlobContributor);
        let said =
            "it is not what was stored; check SEALANE_BLOB_CONTAINER_URL and what is in between";
        Err(AzureError::of(
            &operation,
            Cause::Malformed,
            said.to_owned(),
        ))
    }
}

/// What is stored for a payload.
struct Blob {
    name: BlobName,
    key: String,
    bytes: Bytes,
}

impl Blob {
    fn of(namespace: &str, sealed: &Payload) -> Self {
        let bytes = Bytes::from(sealed.encode_to_vec());
        let name = BlobName::of(namespace, &bytes);
        Self {
            key: name.to_string(),
            name,
            bytes,
        }
    }
}

/// Whether a blob holds ciphertext under the key that its reference names.
fn matches(payload: &Payload, referring: &Payload) -> bool {
    is_encrypted(payload) && payload.metadata.get(KEY_ID) == referring.metadata.get(KEY_ID)
}

impl fmt::Debug for LargePayloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LargePayloads")
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}
