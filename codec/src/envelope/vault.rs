//! Wrapping and unwrapping in Key Vault.

use std::{cmp::Reverse, collections::BTreeMap};

use async_trait::async_trait;
use azure_core::http::RequestContent;
use azure_security_keyvault_keys::{
    KeyClient, KeyClientOptions, ResourceExt,
    models::{
        EncryptionAlgorithm, KeyClientWrapKeyOptions, KeyOperationParameters, KeyOperationResult,
        KeyProperties,
    },
};
use futures_util::TryStreamExt;
use zeroize::Zeroizing;

use super::{KeyUri, KeyUris, wrapping::KeyEncryption};
use crate::azure::{Azure, AzureError, Cause, Operation, Role};

/// The vaults of the wrapping keys, one client for each.
///
/// `wrapKey` and `unwrapKey` give the same bytes as the `encrypt` and `decrypt` that
/// temporal-proxy uses, and a role can grant them without the other two.
pub(super) struct Vaults {
    azure: Azure,
    clients: BTreeMap<String, KeyClient>,
}

impl Vaults {
    pub(super) fn new(azure: &Azure, uris: &KeyUris) -> Result<Self, AzureError> {
        let mut clients = BTreeMap::new();
        for uri in uris.iter() {
            let vault = uri.vault().as_str();
            if !clients.contains_key(vault) {
                clients.insert(vault.to_owned(), client(azure, uri)?);
            }
        }
        let azure = azure.clone();
        Ok(Self { azure, clients })
    }

    fn client(&self, uri: &KeyUri) -> Result<&KeyClient, AzureError> {
        let client = self.clients.get(uri.vault().as_str());
        client.ok_or_else(|| {
            // Nobody asks for one: candidates come from the same settings as the clients.
            let operation = operation("use", uri);
            AzureError::of(&operation, Cause::Other, "not in KEYVAULT_KEY_URI".into())
        })
    }
}

fn client(azure: &Azure, uri: &KeyUri) -> Result<KeyClient, AzureError> {
    let options = KeyClientOptions {
        client_options: azure.client_options(uri.vault()),
        ..KeyClientOptions::default()
    };
    KeyClient::new(uri.vault().as_str(), azure.credential(), Some(options))
        .map_err(|error| AzureError::new(&operation("use", uri), &error))
}

fn operation(what: &str, uri: &KeyUri) -> Operation {
    Operation::new(format!("{what} {uri}"), Role::CryptoUser)
}

fn parameters(value: Vec<u8>) -> azure_core::Result<RequestContent<KeyOperationParameters>> {
    RequestContent::try_from(KeyOperationParameters {
        algorithm: Some(EncryptionAlgorithm::RsaOaep256),
        value: Some(value),
        ..KeyOperationParameters::default()
    })
}

fn result(answer: KeyOperationResult) -> azure_core::Result<Vec<u8>> {
    answer.result.ok_or_else(|| {
        let kind = azure_core::error::ErrorKind::DataConversion;
        azure_core::Error::with_message(kind, "no value in the answer")
    })
}

#[async_trait]
impl KeyEncryption for Vaults {
    async fn wrap(&self, uri: &KeyUri, key: &[u8]) -> Result<Vec<u8>, AzureError> {
        let client = self.client(uri)?;
        let options = KeyClientWrapKeyOptions {
            key_version: uri.version().map(str::to_owned),
            ..KeyClientWrapKeyOptions::default()
        };
        let request = async {
            let parameters = parameters(key.to_vec())?;
            let answer = client.wrap_key(uri.name(), parameters, Some(options));
            result(answer.await?.into_model()?)
        };
        let operation = operation("wrap a data key with", uri);
        self.azure.call(&operation, request).await
    }

    async fn unwrap(
        &self,
        uri: &KeyUri,
        version: &str,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AzureError> {
        let client = self.client(uri)?;
        let request = async {
            let parameters = parameters(wrapped.to_vec())?;
            let answer = client.unwrap_key(uri.name(), version, parameters, None);
            result(answer.await?.into_model()?).map(Zeroizing::new)
        };
        let operation = operation("unwrap a data key with", uri);
        self.azure.call(&operation, request).await
    }

    async fn versions(&self, uri: &KeyUri) -> Result<Vec<String>, AzureError> {
        let client = self.client(uri)?;
        let request = async {
            let pages = client.list_key_properties_versions(uri.name(), None)?;
            pages.try_collect::<Vec<_>>().await
        };
        let operation = operation("list the versions of", uri);
        let listed = self.azure.call(&operation, request).await?;
        Ok(enabled_newest_first(listed))
    }
}

fn enabled_newest_first(mut listed: Vec<KeyProperties>) -> Vec<String> {
    let attributes = |key: &KeyProperties| key.attributes.clone().unwrap_or_default();
    listed.retain(|key| attributes(key).enabled.unwrap_or(true));
    listed.sort_by_key(|key| Reverse(attributes(key).created));
    let ids = listed.iter().filter_map(|key| key.resource_id().ok());
    ids.filter_map(|id| id.version).collect()
}
