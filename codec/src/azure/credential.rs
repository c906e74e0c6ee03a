//! Tokens for the SDK's clients, and words for what keeps us from getting one.

use std::{path::PathBuf, sync::Arc, time::Duration};

use azure_core::{
    Error,
    cloud::{CloudConfiguration, CustomConfiguration},
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{ClientMethodOptions, ClientOptions, Transport},
};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
    DeveloperToolsCredential, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId,
};
use tokio::time::timeout;

use super::{
    AzureError, Cause, CredentialKind, Identity, Operation, Role, WorkloadIdentity, classify,
    entra::EntraTransport,
};

/// Longest exchange. Shorter than a call, so that a slow exchange is called by its name.
const EXCHANGE_LIMIT: Duration = Duration::from_secs(10);

/// The credential of `identity`, which makes its requests with `options`.
pub(super) fn new(
    identity: Identity,
    options: ClientOptions,
) -> Result<Arc<dyn TokenCredential>, AzureError> {
    let kind = identity.kind();
    let (source, place): (Arc<dyn TokenCredential>, _) = match identity {
        Identity::Workload(workload) => {
            let place = workload.authority_host.to_string();
            (workload_credential(workload, options)?, place)
        }
        Identity::Managed { client_id } => (
            managed(client_id, options).map_err(unusable)?,
            "the machine's identity".to_owned(),
        ),
        Identity::Developer => (
            DeveloperToolsCredential::new(None).map_err(unusable)?,
            "az or azd".to_owned(),
        ),
    };
    Ok(Arc::new(Credential {
        kind,
        source,
        place,
    }))
}

fn workload_credential(
    identity: WorkloadIdentity,
    options: ClientOptions,
) -> Result<Arc<dyn TokenCredential>, AzureError> {
    let exchange = Exchange::new(identity, options);
    // For the checks it does; it is made anew for each exchange.
    exchange.credential().map_err(unusable)?;
    Ok(Arc::new(exchange))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
fn unusable(error: Error) -> AzureError {
    let operation = Operation::new("use the identity".to_owned(), Role::None);
    AzureError::of(&operation, Cause::Identity, error.to_string())
}

fn managed(
    client_id: Option<String>,
    client_options: ClientOptions,
) -> azure_core::Result<Arc<dyn TokenCredential>> {
    let user_assigned_id = client_id.map(UserAssignedId::ClientId);
    let options = ManagedIdentityCredentialOptions {
        user_assigned_id,
        client_options,
    };
    Ok(ManagedIdentityCredential::new(Some(options))?)
}

/// Hands out tokens within a limit, with errors that say it was the token that failed.
#[derive(Debug)]
struct Credential {
    kind: CredentialKind,
    source: Arc<dyn TokenCredential>,
    place: String,
}

/// Why there is no token, for whoever reads the SDK's error.
#[derive(Debug, thiserror::Error)]
#[error("no token from {place}")]
pub(super) struct NoToken {
    pub(super) place: String,
    pub(super) cause: Cause,
    pub(super) said: Option<String>,
}

#[async_trait::async_trait]
impl TokenCredential for Credential {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let token = self.source.get_token(scopes, options);
        let (cause, said) = match timeout(EXCHANGE_LIMIT, token).await {
            Ok(Ok(token)) => return Ok(token),
            Ok(Err(error)) => self.explain(&error),
            Err(_) => (Cause::Timeout, None),
        };
        let place = self.place.clone();
        let reason = NoToken { place, cause, said };
        Err(Error::new(ErrorKind::Credential, reason))
    }
}

impl Credential {
    fn explain(&self, error: &Error) -> (Cause, Option<String>) {
        let said = || Some(classify::one_line(&error.to_string()));
        match self.kind {
            CredentialKind::Workload => {
                let found = classify::classify(error);
                (found.cause, found.said)
            }
            CredentialKind::Managed => match classify::classify(error).cause {
                passing @ (Cause::Throttled | Cause::Unavailable { .. }) => (passing, said()),
                _ => (Cause::ManagedIdentity, said()),
            },
            CredentialKind::Developer => (Cause::DeveloperTools, said()),
        }
    }
}

/// Exchanges the pod's service account token for one of Entra.
///
/// The SDK's own workload identity credential reads the file every ten minutes at most, and keeps
/// tokens that were refused until they expire. This one does neither.
#[derive(Debug)]
struct Exchange {
    identity: WorkloadIdentity,
    options: ClientOptions,
}

impl Exchange {
    fn new(identity: WorkloadIdentity, mut options: ClientOptions) -> Self {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = identity.authority_host.to_string();
        options.cloud = Some(Arc::new(CloudConfiguration::from(cloud)));
        options.transport = options.transport.map(|transport| {
            let transport = EntraTransport::new(transport);
            Transport::new(Arc::new(transport))
        });
        Self { identity, options }
    }

    fn credential(&self) -> azure_core::Result<Arc<ClientAssertionCredential<TokenFile>>> {
        let assertion = TokenFile(self.identity.token_file.clone());
        let options = ClientAssertionCredentialOptions {
            client_options: self.options.clone(),
        };
        let (tenant, client) = (&self.identity.tenant_id, &self.identity.client_id);
        ClientAssertionCredential::new(tenant.clone(), client.clone(), assertion, Some(options))
    }
}

#[async_trait::async_trait]
impl TokenCredential for Exchange {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        self.credential()?.get_token(scopes, options).await
    }
}

/// The projected service account token.
#[derive(Debug)]
struct TokenFile(PathBuf);

/// Why the token file is of no use.
#[derive(Debug, thiserror::Error)]
#[error("token file {}: {reason}", path.display())]
pub(super) struct TokenFileError {
    path: PathBuf,
    reason: String,
}

#[async_trait::async_trait]
impl ClientAssertion for TokenFile {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let read = tokio::fs::read_to_string(&self.0).await;
        let reason = match read.map(|token| token.trim().to_owned()) {
            Ok(token) if !token.is_empty() => return Ok(token),
            Ok(_) => "is empty".to_owned(),
            Err(error) => error.to_string(),
        };
        let path = self.0.clone();
        let error = TokenFileError { path, reason };
        Err(Error::new(ErrorKind::Credential, error))
    }
}

#[cfg(test)]
mod tests;
