//! A name for each request, in its answer and in the log.

use std::{convert::Infallible, fmt::Write};

use aws_lc_rs::rand;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
};

/// The header that brings an id, and takes it back.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Enough for a UUID or a trace id with something around it.
const LONGEST: usize = 64;

/// What a request is called: by the client or a proxy, or else 32 random hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// Returns the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes the id from `headers` if it is short and plain; it goes into the log as it is.
    pub(super) fn find(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
        let given = given.filter(|id| is_plain(id)).map(str::to_owned);
        Self(given.unwrap_or_else(random))
    }

    /// Returns the id as a header, `None` never in practice.
    pub(super) fn to_header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get().cloned();
        Ok(known.unwrap_or_else(|| Self::find(&parts.headers)))
    }
}

fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=LONGEST).contains(&id.len()) && id.bytes().all(plain)
}

fn random() -> String {
    let mut bytes = [0; 16];
    // Without random bytes nothing can be encrypted either; a request id is the least of it.
    let _ = rand::fill(&mut bytes);
    bytes
        .iter()
        .fold(String::with_capacity(32), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::RequestId;

    fn find(given: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", given.parse().unwrap());
        RequestId::find(&headers).0
    }

    #[test]
    fn a_plain_id_is_kept() {
        for id in ["4bf92f3577b34da6a3ce929d0e0e4736", "a", "web-1_2.3"] {
            assert_eq!(find(id), id);
        }
    }

    #[test]
    fn any_other_is_replaced_by_a_random_one() {
        let long = "a".repeat(65);
        for id in ["", "two words", "a\tb", "{}", &long] {
            let found = find(id);
            assert_eq!(found.len(), 32, "{id}");
            assert!(found.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
        let fresh = || RequestId::find(&HeaderMap::new());
        assert_ne!(fresh(), fresh());
    }
}
