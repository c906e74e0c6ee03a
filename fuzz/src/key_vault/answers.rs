//! A vault that answers what it is told to.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use azure_core::{
    Error,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{
        AsyncRawResponse, HttpClient, Request, StatusCode,
        headers::{HeaderName, Headers},
    },
    time::{Duration, OffsetDateTime},
};
use sealane_codec::azure::Azure;

/// Host of the one vault.
pub(crate) const HOST: &str = "unit.vault.azure.net";

/// One answer: the status, one header that goes with it, and the body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) header: String,
    pub(crate) body: Vec<u8>,
}

/// Gives an answer to each request, by its address; none means a broken connection.
pub(crate) type Answering = dyn Fn(&str) -> Option<Answer> + Send + Sync;

struct Vault(Box<Answering>);

/// Returns what talks to a vault of those answers.
pub(crate) fn azure(answering: Box<Answering>) -> Azure {
    Azure::through(Arc::new(Token), Arc::new(Vault(answering)))
}

/// Returns what talks to a vault that gives `answers`, one after the other, and then breaks connections.
pub(crate) fn in_turn(answers: Vec<Answer>) -> Azure {
    let answers = Mutex::new(VecDeque::from(answers));
    azure(Box::new(move |_| {
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.pop_front()
    }))
}

#[async_trait]
impl HttpClient for Vault {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = request.url();
        let is_home =
            url.scheme() == "https" && url.host_str() == Some(HOST) && url.port().is_none();
        assert!(is_home, "the vault is left for {url}, perhaps with a token");
        let answer = (self.0)(url.path());
        let broken = || Error::with_message(ErrorKind::Connection, "connection reset");
        let answer = answer.ok_or_else(broken)?;
        let mut headers = Headers::new();
        headers.insert("content-type", "application/json");
        if let Some(name) = header_of(answer.status) {
            headers.insert(name, answer.header);
        }
        let status = StatusCode::from(answer.status);
        Ok(AsyncRawResponse::from_bytes(status, headers, answer.body))
    }
}

/// The header that matters with a status.
fn header_of(status: u16) -> Option<HeaderName> {
    match status {
        401 => Some("www-authenticate".into()),
        429 | 503 => Some("retry-after".into()),
        300..=399 => Some("location".into()),
        400..=599 => Some("x-ms-error-code".into()),
        _ => None,
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

/// A credential that always has a token.
#[derive(Debug)]
struct Token;

#[async_trait]
impl TokenCredential for Token {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let until = OffsetDateTime::now_utc() + Duration::hours(1);
        Ok(AccessToken::new("token", until))
    }
}
