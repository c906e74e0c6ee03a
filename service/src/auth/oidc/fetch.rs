//! What the issuer publishes, over HTTP.

use std::time::Duration;

use reqwest::{Certificate, Client, redirect, retry};
use serde::Deserialize;
use tokio::time::timeout;
use url::Url;

use super::key_set::KeySet;
use crate::{
    exit::with_causes,
    settings::{Oidc, is_loopback},
};

/// Where an issuer describes itself
/// ([OIDC Discovery 1.0](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)).
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Time for everything that one look at the issuer takes. Requests may be waiting for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Longest document that is read, in bytes.
const MAX_LEN: usize = 1024 * 1024;

/// Where the keys of an issuer come from.
#[derive(Debug)]
pub(super) struct Source {
    client: Client,
    issuer: String,
    jwks: Option<Url>,
}

/// The part of an issuer's description that counts here.
#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

/// Why there are no new keys. Quotes nothing that the issuer said.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    Timeout,
    #[error("{url} cannot be read: {}", with_causes(reason))]
    Http { url: String, reason: reqwest::Error },
    #[error("{url} answers with status {status}")]
    Status { url: String, status: u16 },
    #[error("{url} answers with more than 1 MiB")]
    TooLong { url: String },
    #[error("{url} is not a description of the issuer")]
    NotADescription { url: String },
    #[error("{url} describes another issuer than SEALANE_AUTH_ISSUER")]
    AnotherIssuer { url: String },
    #[error("the issuer's jwks_uri is not an https URL")]
    Insecure,
    #[error("{url} is not a set of keys")]
    NotKeys { url: String },
    #[error("{url} has no key that could verify a token")]
    NoKeys { url: String },
}

impl Source {
    /// Returns the source that `oidc` names, which trusts `certificates` beside those of the system.
    pub(super) fn new(oidc: &Oidc, certificates: Vec<Certificate>) -> Result<Self, reqwest::Error> {
        let mut client = Client::builder()
            .tls_certs_merge(certificates)
            // Whoever may redirect could choose whose keys are trusted.
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .timeout(TIMEOUT)
            // Between two looks an hour passes, and the other side has closed.
            .pool_max_idle_per_host(0);
        if is_plain(&oidc.issuer) {
            // Settings accept plain HTTP on this machine only, where no proxy leads to.
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build()?,
            issuer: oidc.issuer.clone(),
            jwks: oidc.jwks.clone(),
        })
    }

    /// Asks the issuer for its keys.
    pub(super) async fn keys(&self) -> Result<KeySet, FetchError> {
        let keys = timeout(TIMEOUT, self.fetch()).await;
        keys.map_err(|_| FetchError::Timeout)?
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        let url = match &self.jwks {
            Some(url) => url.to_string(),
            None => self.discover().await?,
        };
        let document = self.get(&url).await?;
        let keys = KeySet::parse(&document);
        let keys = keys.ok_or_else(|| FetchError::NotKeys { url: url.clone() })?;
        if keys.is_empty() {
            return Err(FetchError::NoKeys { url });
        }
        Ok(keys)
    }

    async fn discover(&self) -> Result<String, FetchError> {
        let url = format!("{}{DISCOVERY}", self.issuer.trim_end_matches('/'));
        let document = self.get(&url).await?;
        let Ok(description) = serde_json::from_slice::<Description>(&document) else {
            return Err(FetchError::NotADescription { url });
        };
        if description.issuer != self.issuer {
            return Err(FetchError::AnotherIssuer { url });
        }
        if !self.may_ask(&description.jwks_uri) {
            return Err(FetchError::Insecure);
        }
        Ok(description.jwks_uri)
    }

    /// An issuer on this machine, which tests have, may publish its keys there as well. Others must not send us to
    /// services of ours.
    fn may_ask(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else {
            return false;
        };
        match url.scheme() {
            "https" => true,
            "http" => is_plain(&self.issuer) && is_loopback(&url),
            _ => false,
        }
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let unread = |reason: reqwest::Error| FetchError::Http {
            url: url.to_owned(),
            reason: reason.without_url(),
        };
        let mut response = self.client.get(url).send().await.map_err(unread)?;
        if response.status() != 200 {
            let (url, status) = (url.to_owned(), response.status().as_u16());
            return Err(FetchError::Status { url, status });
        }
        let mut document = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unread)? {
            if document.len() + chunk.len() > MAX_LEN {
                return Err(FetchError::TooLong {
                    url: url.to_owned(),
                });
            }
            document.extend_from_slice(&chunk);
        }
        Ok(document)
    }
}

fn is_plain(issuer: &str) -> bool {
    issuer.starts_with("http://")
}
