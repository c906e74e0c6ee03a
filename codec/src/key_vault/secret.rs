//! One secret of one vault.

use std::{collections::HashMap, fmt, sync::Arc, time::SystemTime};

use async_trait::async_trait;
use azure_core::{http::RequestContent, time::OffsetDateTime};
use azure_security_keyvault_secrets::{
    SecretClient, SecretClientOptions,
    models::{SecretAttributes, SecretClientGetSecretOptions, SetSecretParameters},
};
use futures_util::TryStreamExt;
use url::Url;
use zeroize::Zeroizing;

use super::{
    BadValue, ID_TAG, VaultKeyError,
    ids::Ids,
    listing::{self, Listing, NotAVersion},
    loader::Vault,
};
use crate::{
    Key, KeyId,
    azure::{Azure, AzureError, Cause, Operation, Role},
    rotation::Version,
};

/// Told to whoever looks at the secret in the portal.
const CONTENT_TYPE: &str = "AES key in base64";

/// One secret of one vault. Clones share a client, and with it a token.
#[derive(Clone)]
pub struct VaultSecret(Arc<Inner>);

struct Inner {
    azure: Azure,
    client: SecretClient,
    name: String,
    vault: Url,
}

impl VaultSecret {
    /// The secret called `name` in the vault at `vault_url`. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`Cause::Address`] if no vault can have this address, or no secret this name.
    pub fn new(azure: &Azure, vault_url: &Url, name: &str) -> Result<Self, AzureError> {
        let operation = Operation::new(
            format!("use secret {name:?} in {vault_url}"),
            Role::SecretsUser,
        );
        let address = |reason: &str| AzureError::of(&operation, Cause::Address, reason.to_owned());
        if vault_url.scheme() != "https" || !vault_url.has_host() {
            return Err(address("the vault's address must start with https://"));
        }
        if !is_name(name) {
            return Err(address("a secret's name has letters, digits and dashes"));
        }
        let options = SecretClientOptions {
            client_options: azure.client_options(vault_url),
            ..SecretClientOptions::default()
        };
        let client = SecretClient::new(vault_url.as_str(), azure.credential(), Some(options))
            .map_err(|error| address(&error.to_string()))?;
        Ok(Self(Arc::new(Inner {
            azure: azure.clone(),
            client,
            name: name.to_owned(),
            vault: vault_url.clone(),
        })))
    }

    /// Name of the secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// All its versions but those whose key id an older one has, in any order. Values stay where
    /// they are. A secret that does not exist may have no versions instead of being an error.
    ///
    /// # Errors
    ///
    /// [`AzureError`], whatever its cause.
    pub async fn versions(&self) -> Result<Vec<Version>, AzureError> {
        let listing = self.list().await?;
        Ok(Ids::default().settle(listing).versions)
    }

    /// The key that is the value of `version`.
    ///
    /// # Errors
    ///
    /// [`VaultKeyError::Azure`] if the vault does not give it, with [`Cause::SecretDisabled`] if
    /// somebody has just disabled the version. [`VaultKeyError::Value`] if the value is no key.
    pub async fn key(&self, version: &Version) -> Result<Key, VaultKeyError> {
        let version = &version.version;
        let value = self.value(version).await?;
        Key::from_base64(&value).map_err(|reason| {
            let (version, place) = (version.clone(), self.to_string());
            BadValue {
                version,
                place,
                reason,
            }
            .into()
        })
    }

    /// The value of `version`, whatever it is.
    pub(super) async fn value(&self, version: &str) -> Result<Zeroizing<String>, AzureError> {
        let Inner {
            azure,
            client,
            name,
            ..
        } = &*self.0;
        let doing = format!("get version {version} of {self}");
        let options = SecretClientGetSecretOptions {
            secret_version: Some(version.to_owned()),
            ..SecretClientGetSecretOptions::default()
        };
        let get = async { client.get_secret(name, Some(options)).await?.into_model() };
        let operation = Operation::new(doing, Role::SecretsUser);
        let secret = azure.call(&operation, get).await?;
        // As a page would be that some proxy answers in the vault's place.
        let none = || AzureError::of(&operation, Cause::Malformed, "no value".to_owned());
        secret.value.map(Zeroizing::new).ok_or_else(none)
    }

    /// Makes `key` a new version, which is called `id` if that is given and starts its delay at
    /// `not_before` if that is given. The key travels over TLS and is left nowhere else.
    ///
    /// Not to be repeated blindly: after [`Cause::Timeout`] there may or may not be a version.
    ///
    /// # Errors
    ///
    /// [`AzureError`], with [`Cause::Conflict`] if a secret of that name was deleted and can still
    /// be recovered.
    pub async fn create(
        &self,
        key: &Key,
        id: Option<&KeyId>,
        not_before: Option<SystemTime>,
    ) -> Result<Version, AzureError> {
        let Inner {
            azure,
            client,
            name,
            ..
        } = &*self.0;
        let operation = Operation::new(format!("make a version of {self}"), Role::SecretsOfficer);
        let set = async {
            let content = content(key, id, not_before)?;
            client.set_secret(name, content, None).await?.into_model()
        };
        let mut secret = azure.call(&operation, set).await?;
        // The answer repeats the value.
        drop(secret.value.take().map(Zeroizing::new));
        listing::made(name, secret).map_err(|NotAVersion| not_a_version(&operation))
    }
}

#[async_trait]
impl Vault for VaultSecret {
    fn place(&self) -> String {
        self.to_string()
    }

    async fn list(&self) -> Result<Listing, AzureError> {
        let Inner {
            azure,
            client,
            name,
            ..
        } = &*self.0;
        let operation = Operation::new(format!("list the versions of {self}"), Role::SecretsUser);
        let list = async {
            let pages = client.list_secret_properties_versions(name, None)?;
            pages.try_collect::<Vec<_>>().await
        };
        let listed = azure.call(&operation, list).await?;
        Listing::new(name, listed).map_err(|NotAVersion| not_a_version(&operation))
    }

    async fn key(&self, version: &Version) -> Result<Key, VaultKeyError> {
        self.key(version).await
    }
}

fn not_a_version(operation: &Operation) -> AzureError {
    let said = "a version without its name or time of creation".to_owned();
    AzureError::of(operation, Cause::Malformed, said)
}

fn content<T>(
    key: &Key,
    id: Option<&KeyId>,
    not_before: Option<SystemTime>,
) -> azure_core::Result<RequestContent<T>>
where
    SetSecretParameters: TryInto<RequestContent<T>, Error = azure_core::Error>,
{
    let mut value = String::new();
    key.write_base64(&mut value);
    let parameters = SetSecretParameters {
        content_type: Some(CONTENT_TYPE.to_owned()),
        secret_attributes: Some(SecretAttributes {
            not_before: not_before.map(OffsetDateTime::from),
            ..SecretAttributes::default()
        }),
        tags: id.map(|id| HashMap::from([(ID_TAG.to_owned(), id.to_string())])),
        value: Some(value),
    };
    parameters.try_into()
}

/// Whether a secret may be called so, and no other path is made of it.
/// <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates>
fn is_name(name: &str) -> bool {
    (1..=127).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Name and vault, for messages.
impl fmt::Display for VaultSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret {} in {}", self.0.name, self.0.vault)
    }
}

impl fmt::Debug for VaultSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VaultSecret")
            .field(&self.to_string())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_that_would_lead_elsewhere_are_refused() {
        for name in ["", "a/b", "a?b", "..", "schlüssel", &"a".repeat(128)] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name("payload-key-2"));
    }
}
