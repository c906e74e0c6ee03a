//! Keeping the requests of a client with the service it was made for.

use std::sync::Arc;

use azure_core::{
    Error,
    error::ErrorKind,
    http::{AsyncRawResponse, HttpClient, Request, Url},
};

/// A transport that goes nowhere but to one service.
///
/// The SDK follows the `nextLink` of a list wherever it leads, and has the token with it.
#[derive(Debug)]
pub(super) struct AtHome {
    home: Url,
    inner: Arc<dyn HttpClient>,
}

impl AtHome {
    /// Lets pass what has scheme, host and port of `home`.
    pub(super) fn new(home: Url, inner: Arc<dyn HttpClient>) -> Self {
        Self { home, inner }
    }
}

#[async_trait::async_trait]
impl HttpClient for AtHome {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        if request.url().origin() != self.home.origin() {
            // As an answer that makes no sense, which it is.
            let kind = ErrorKind::DataConversion;
            return Err(Error::with_message(kind, "the answer leads elsewhere"));
        }
        self.inner.execute_request(request).await
    }
}

#[cfg(test)]
mod tests {
    use azure_core::http::{Method, headers::Headers};

    use super::{Arc, AsyncRawResponse, AtHome, HttpClient, Request, Url};

    #[derive(Debug)]
    struct Everywhere;

    #[async_trait::async_trait]
    impl HttpClient for Everywhere {
        async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
            Ok(AsyncRawResponse::from_bytes(200.into(), Headers::new(), ""))
        }
    }

    async fn passes(url: &str) -> bool {
        let home: Url = "https://unit.vault.azure.net/".parse().unwrap();
        let transport = AtHome::new(home, Arc::new(Everywhere));
        let request = Request::new(url.parse().unwrap(), Method::Get);
        transport.execute_request(&request).await.is_ok()
    }

    #[tokio::test]
    async fn only_the_service_itself_is_asked() {
        assert!(passes("https://unit.vault.azure.net/secrets/k/versions?$skiptoken=1").await);
        assert!(passes("https://unit.vault.azure.net:443/").await);
        for elsewhere in [
            "http://unit.vault.azure.net/",
            "https://unit.vault.azure.net:8443/",
            "https://unit.vault.azure.net.example/",
            "https://elsewhere.example/secrets/k/versions",
        ] {
            assert!(!passes(elsewhere).await, "{elsewhere}");
        }
    }
}
