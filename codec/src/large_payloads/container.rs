//! A container of Azure Blob Storage.

use std::num::NonZero;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_storage_blob::{
    BlobContainerClient, BlobContainerClientOptions,
    models::{BlobClientDownloadOptions, BlockBlobClientUploadOptions},
};
use bytes::Bytes;
use futures_util::StreamExt;
use url::Url;

use crate::azure::{Azure, AzureError, Operation, Role};

use super::transfer;

/// Holds blobs by name: Azure, or memory in tests.
#[async_trait]
pub(super) trait BlobStore: Send + Sync {
    /// Stores `bytes` as `name`, unless there is such a blob already: then it is left as it is.
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), AzureError>;

    /// Fetches `name`, of which no more than `limit` bytes are read.
    async fn get(&self, name: &str, limit: usize) -> Result<Got, AzureError>;
}

/// What became of a request for a blob.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Got {
    /// All of it.
    Bytes(Vec<u8>),
    /// It is longer than it may be.
    Longer,
    /// There is none.
    Missing,
}

pub(super) struct Container {
    azure: Azure,
    client: BlobContainerClient,
    url: Url,
    role: Role,
}

impl Container {
    pub(super) fn new(azure: &Azure, url: &Url, writes: bool) -> Result<Self, AzureError> {
        let options = BlobContainerClientOptions {
            client_options: azure.client_options(url),
            ..BlobContainerClientOptions::default()
        };
        let role = match writes {
            true => Role::BlobContributor,
            false => Role::BlobReader,
        };
        let client = BlobContainerClient::new(url.clone(), Some(azure.credential()), Some(options));
        let unusable = Operation::new(format!("use the container {url}"), role);
        Ok(Self {
            azure: azure.clone(),
            client: client.map_err(|error| AzureError::new(&unusable, &error))?,
            url: url.clone(),
            role,
        })
    }

    fn operation(&self, what: &str, name: &str) -> Operation {
        Operation::new(format!("{what} blob {name} in {}", self.url), self.role)
    }

    async fn upload(&self, name: &str, bytes: Bytes) -> azure_core::Result<()> {
        let options = BlockBlobClientUploadOptions {
            if_none_match: Some("*".into()),
            // In one request, so that there is a whole blob or none.
            partition_size: Some(NonZero::<u64>::MAX),
            ..BlockBlobClientUploadOptions::default()
        };
        let blob = self.client.blob_client(name);
        match blob.upload(bytes.into(), Some(options)).await {
            Err(error) if code(&error) == Some("BlobAlreadyExists") => Ok(()),
            Err(error) if code(&error) == Some("ConditionNotMet") => Ok(()),
            uploaded => uploaded.map(drop),
        }
    }

    async fn download(&self, name: &str, limit: usize) -> azure_core::Result<Got> {
        // A byte more than there may be: that it is there says that the blob is too long.
        let options = BlobClientDownloadOptions {
            parallel: Some(NonZero::<usize>::MIN),
            partition_size: NonZero::new(limit.saturating_add(1)),
            range: Some((0..limit as u64 + 1).into()),
            ..BlobClientDownloadOptions::default()
        };
        let blob = self.client.blob_client(name);
        let mut body = match blob.download(Some(options)).await {
            Err(error) if code(&error) == Some("BlobNotFound") => return Ok(Got::Missing),
            download => download?.body,
        };
        let mut bytes = Vec::new();
        while let Some(part) = body.next().await {
            bytes.extend_from_slice(&part?);
            if bytes.len() > limit {
                return Ok(Got::Longer);
            }
        }
        // It may be kept, and is counted by its length.
        bytes.shrink_to_fit();
        Ok(Got::Bytes(bytes))
    }
}

/// The service's own word for what is wrong.
fn code(error: &azure_core::Error) -> Option<&str> {
    match error.kind() {
        ErrorKind::HttpResponse { error_code, .. } => error_code.as_deref(),
        _ => None,
    }
}

#[async_trait]
impl BlobStore for Container {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), AzureError> {
        let operation = self.operation("store", name);
        let azure = self
            .azure
            .clone()
            .with_call_limit(transfer::limit(bytes.len()));
        azure.call(&operation, self.upload(name, bytes)).await
    }

    async fn get(&self, name: &str, limit: usize) -> Result<Got, AzureError> {
        let operation = self.operation("read", name);
        let azure = self.azure.clone().with_call_limit(transfer::limit(limit));
        azure.call(&operation, self.download(name, limit)).await
    }
}
