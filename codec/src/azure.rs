//! Azure: the identity of this process, and the calls it makes under it.
//!
//! Microsoft's SDK does the work; this module decides what it may do. Nothing is retried here: the
//! SDK would sleep as long as a `Retry-After` says, so whoever calls has a loop of its own. Every
//! call ends within a limit. A token is kept by the client that uses it, and by nobody else, so a
//! token that is refused is exchanged anew.

mod aadsts;
mod classify;
mod credential;
mod entra;
mod error;
mod home;
mod identity;
pub(crate) mod pace;
mod remedy;
mod start;

use std::{fmt, sync::Arc, time::Duration};

use azure_core::{
    credentials::TokenCredential,
    http::{ClientOptions, HttpClient, RetryOptions, Transport, Url},
};
use reqwest::Certificate;

pub use aadsts::is_no_match;
pub use error::{AzureError, Cause};
pub(crate) use error::{Operation, Role};
pub use identity::{CredentialKind, Identity, WorkloadIdentity};
pub use start::Start;

use self::home::AtHome;

/// Longest call, with a token exchange in it. Key Vault answers in some tens of milliseconds.
const CALL_LIMIT: Duration = Duration::from_secs(20);

/// Longest wait for a connection: DNS, TCP, a proxy and TLS.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// One identity and one HTTP client, shared by all that talk to Azure. Cloning is cheap.
#[derive(Clone)]
pub struct Azure {
    credential: Arc<dyn TokenCredential>,
    http: Arc<dyn HttpClient>,
    call_limit: Duration,
}

impl Azure {
    /// Calls Azure as `identity` through `http`, best one made by [`http_client`]. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`Cause::Identity`] if the identity cannot be one: a tenant that is no id, an authority
    /// without TLS, a kind of managed identity that this platform does not have.
    pub fn new(identity: Identity, http: reqwest::Client) -> Result<Self, AzureError> {
        let http: Arc<dyn HttpClient> = Arc::new(http);
        let credential = credential::new(identity, options(&http))?;
        Ok(Self::through(credential, http))
    }

    /// Calls Azure with the tokens of `credential` through `http`, which can be anything: tests put
    /// answers where the network would be. Sends nothing.
    #[must_use]
    pub fn through(credential: Arc<dyn TokenCredential>, http: Arc<dyn HttpClient>) -> Self {
        Self {
            credential,
            http,
            call_limit: CALL_LIMIT,
        }
    }

    /// Ends every call after `limit`, which is 20 s unless it is set.
    #[must_use]
    pub fn with_call_limit(mut self, limit: Duration) -> Self {
        self.call_limit = limit;
        self
    }

    /// Exchanges the identity for a token with `scope`, such as
    /// `https://vault.azure.net/.default`, and throws it away: for finding out whether it works.
    ///
    /// # Errors
    ///
    /// [`Cause::TokenFile`], [`Cause::Exchange`] and all that can go wrong on the way.
    pub async fn token(&self, scope: &str) -> Result<(), AzureError> {
        let operation = Operation::new(format!("get a token for {scope}"), Role::None);
        let scopes = [scope];
        self.call(&operation, self.credential.get_token(&scopes, None))
            .await
            .map(drop)
    }

    /// Waits for `call`, but not for ever, and puts what went wrong into words.
    pub(crate) async fn call<T>(
        &self,
        operation: &Operation,
        call: impl Future<Output = azure_core::Result<T>>,
    ) -> Result<T, AzureError> {
        match tokio::time::timeout(self.call_limit, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(AzureError::new(operation, &error)),
            Err(_) => Err(AzureError::timed_out(operation, self.call_limit)),
        }
    }

    /// What the SDK's clients authenticate with.
    pub(crate) fn credential(&self) -> Arc<dyn TokenCredential> {
        Arc::clone(&self.credential)
    }

    /// Options for one of the SDK's clients: our transport, no retries, and no request to another
    /// service than the one at `home`.
    pub(crate) fn client_options(&self, home: &Url) -> ClientOptions {
        let http = Arc::clone(&self.http);
        let http: Arc<dyn HttpClient> = Arc::new(AtHome::new(home.clone(), http));
        options(&http)
    }
}

fn options(http: &Arc<dyn HttpClient>) -> ClientOptions {
    ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(Transport::new(Arc::clone(http))),
        ..ClientOptions::default()
    }
}

impl fmt::Debug for Azure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Azure")
            .field("credential", &self.credential)
            .field("call_limit", &self.call_limit)
            .finish_non_exhaustive()
    }
}

/// Makes the HTTP client for [`Azure::new`]: it trusts the roots of the system and those in
/// `extra_root_pem`, and takes a proxy from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
///
/// # Errors
///
/// [`Cause::Certificates`] if `extra_root_pem` holds no certificate in PEM, or if there is not a
/// single root to trust.
pub fn http_client(extra_root_pem: Option<&[u8]>) -> Result<reqwest::Client, AzureError> {
    let pem = extra_root_pem.unwrap_or_default();
    let roots =
        Certificate::from_pem_bundle(pem).map_err(|error| certificates(innermost(&error)))?;
    if roots.is_empty() && extra_root_pem.is_some() {
        return Err(certificates("there is no certificate in it".to_owned()));
    }
    reqwest::Client::builder()
        .connect_timeout(CONNECT_LIMIT)
        // No API of Azure redirects, and a token must not follow where one leads.
        .redirect(reqwest::redirect::Policy::none())
        .tls_certs_merge(roots)
        .build()
        .map_err(|error| certificates(innermost(&error)))
}

fn certificates(reason: String) -> AzureError {
    let operation = Operation::new("load the root certificates".to_owned(), Role::None);
    AzureError::of(&operation, Cause::Certificates, reason)
}

/// The words of the last cause. Those of reqwest's own errors are just "builder error".
fn innermost(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

#[cfg(test)]
mod tests;
