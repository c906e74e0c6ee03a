//! Reading what Entra refuses.

use azure_core::{
    Error,
    error::ErrorKind,
    http::{AsyncRawResponse, HttpClient, Request, Transport},
};
use serde::Deserialize;

/// A transport that turns a refusal into [`Refusal`].
///
/// The SDK's own reading fails for a description with an escaped character in it, and Entra's
/// descriptions have line breaks: neither code nor text would be left.
#[derive(Debug)]
pub(super) struct EntraTransport {
    inner: Transport,
}

/// What Entra answered instead of a token.
#[derive(Debug, thiserror::Error)]
#[error("token endpoint answered with status {status}")]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The first code that Entra gives.
    pub(super) aadsts: Option<u32>,
    pub(super) description: Option<String>,
}

impl EntraTransport {
    pub(super) fn new(inner: Transport) -> Self {
        Self { inner }
    }
}

#[async_trait::async_trait]
impl HttpClient for EntraTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let context = azure_core::http::Context::new();
        let response = self.inner.send(&context, &mut request.clone()).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let response = response.try_into_raw_response().await?;
        let refusal = Refusal::new(u16::from(response.status()), response.body());
        Err(Error::new(ErrorKind::Credential, refusal))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    error_codes: Vec<u32>,
    error_description: Option<String>,
}

impl Refusal {
    fn new(status: u16, body: &[u8]) -> Self {
        let answer: Answer = serde_json::from_slice(body).unwrap_or_default();
        let described = answer.error_description.as_deref().and_then(code);
        Self {
            status,
            aadsts: answer.error_codes.first().copied().or(described),
            description: answer.error_description,
        }
    }
}

/// The number behind `AADSTS` at the start of a description.
fn code(description: &str) -> Option<u32> {
    let rest = description.strip_prefix("AADSTS")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit());
    rest[..digits.unwrap_or(rest.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn a_description_with_escapes_keeps_its_code_and_text() {
        let body = br#"{"error":"invalid_client","error_codes":[700213],
            "error_description":"AADSTS700213: subject \u0027a:b\u0027\r\nTrace ID: 1"}"#;

        let refusal = Refusal::new(400, body);

        assert_eq!(refusal.aadsts, Some(700_213));
        let text = refusal.description.unwrap();
        assert!(text.starts_with("AADSTS700213: subject 'a:b'"), "{text}");
    }

    #[test]
    fn the_code_is_found_in_the_description_if_it_stands_nowhere_else() {
        let refusal = Refusal::new(400, br#"{"error_description":"AADSTS700016: no"}"#);

        assert_eq!(refusal.aadsts, Some(700_016));
    }

    #[test]
    fn a_page_of_a_gateway_is_a_refusal_without_a_code() {
        let refusal = Refusal::new(502, b"<html>Bad gateway</html>");

        assert_eq!((refusal.status, refusal.aadsts), (502, None));
        assert!(refusal.description.is_none());
    }
}
