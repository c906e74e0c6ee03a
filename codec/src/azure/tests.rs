//! What becomes of the SDK's errors.

use std::sync::Arc;

use azure_core::{
    Error,
    error::ErrorKind,
    http::{RawResponse, StatusCode, headers::Headers},
};
use reqwest::dns::{Name, Resolve, Resolving};

use super::{AzureError, Cause, Operation, Role, http_client};

fn operation() -> Operation {
    let doing = "list the versions of secret k in https://unit.vault.azure.net/".to_owned();
    Operation::new(doing, Role::SecretsUser)
}

fn answer(status: u16, body: &str) -> AzureError {
    let status = StatusCode::from(status);
    let raw = RawResponse::from_bytes(status, Headers::new(), body.to_owned());
    let kind = ErrorKind::HttpResponse {
        status,
        error_code: None,
        raw_response: Some(Box::new(raw)),
    };
    let error = Error::with_message(kind, body.to_owned());
    AzureError::new(&operation(), &error.with_context("outer"))
}

fn refused(inner: &str) -> AzureError {
    let message = r"Caller is not authorized to perform action on resource.\r\nCaller: appid=1;oid=2\r\nAction: 'secrets/readMetadata'";
    answer(
        403,
        &format!(
            r#"{{"error":{{"code":"Forbidden","message":"{message}","innererror":{{"code":"{inner}"}}}}}}"#
        ),
    )
}

#[test]
fn the_reason_of_a_403_is_told_by_the_inner_code() {
    for (inner, cause) in [
        ("ForbiddenByRbac", Cause::ForbiddenByRbac),
        ("ForbiddenByFirewall", Cause::ForbiddenByFirewall),
        ("SecretDisabled", Cause::SecretDisabled),
        ("KeyDisabled", Cause::KeyDisabled),
        ("SomethingNew", Cause::Forbidden),
    ] {
        assert_eq!(refused(inner).cause(), cause);
    }
}

#[test]
fn a_missing_role_is_one_line_with_the_caller_and_the_role() {
    let text = refused("ForbiddenByRbac").to_string();

    assert_eq!(
        text,
        "cannot list the versions of secret k in https://unit.vault.azure.net/: \
         the identity has no role for it (ForbiddenByRbac) \
         (Caller: appid=1;oid=2, Action: 'secrets/readMetadata'); \
         assign \"Key Vault Secrets User\" (4633458b-17de-408a-b874-0445c86b69e6) to the identity \
         at the secret, which takes some minutes to work"
    );
}

#[test]
fn other_statuses_are_told_apart_and_their_bodies_are_not_repeated() {
    for (status, cause, is_transient) in [
        (400, Cause::Rejected { status: 400 }, false),
        (401, Cause::Unauthorized, false),
        (404, Cause::NotFound, false),
        (409, Cause::Conflict, false),
        (429, Cause::Throttled, true),
        (500, Cause::Unavailable { status: 500 }, true),
        (504, Cause::Unavailable { status: 504 }, true),
    ] {
        let error = answer(status, r#"{"value":"hunter2"}"#);

        assert_eq!(error.cause(), cause);
        assert_eq!(error.is_transient(), is_transient, "{status}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn an_answer_that_is_not_json_is_malformed_and_not_repeated() {
    let bad = serde_json::from_str::<u8>("\"hunter2\"").unwrap_err();

    let error = AzureError::new(&operation(), &Error::from(bad));

    assert_eq!(error.cause(), Cause::Malformed);
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn the_wrong_host_behind_a_name_is_noticed_by_its_challenge() {
    let text = "challenge resource 'x' doesn't match the requested domain 'y'";
    let error = Error::with_message(ErrorKind::Other, text);

    let error = AzureError::new(&operation(), &error);

    assert_eq!(error.cause(), Cause::Challenge);
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = reqwest::Client::builder()
        .no_proxy()
        .resolve("challenge.vault.azure.net", address)
        .build();
    // The name must not be taken for the text of an error.
    let url = format!("https://challenge.vault.azure.net:{}/", address.port());
    let error = client.unwrap().get(url).send().await;
    let error = Error::with_error(ErrorKind::Connection, error.unwrap_err(), "failed");

    let error = AzureError::new(&operation(), &error);

    assert_eq!(error.cause(), Cause::Unreachable);
    assert!(error.is_transient() && error.is_unreachable());
    assert!(error.to_string().contains("Connection refused"), "{error}");
}

/// A resolver that answers like the system's.
struct Resolver(&'static str);

impl Resolve for Resolver {
    fn resolve(&self, _: Name) -> Resolving {
        let error = std::io::Error::other(self.0);
        Box::pin(std::future::ready(Err(error.into())))
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_differs_from_a_resolver_that_is_not_ready() {
    for (text, cause) in [
        (
            "failed to lookup address information: Name or service not known",
            Cause::UnknownHost,
        ),
        (
            "failed to lookup address information: Temporary failure in name resolution",
            Cause::Unreachable,
        ),
    ] {
        let client = reqwest::Client::builder()
            .no_proxy()
            .dns_resolver(Arc::new(Resolver(text)));
        let client = client.build().unwrap();
        let error = client
            .get("https://untit.vault.azure.net/")
            .send()
            .await
            .unwrap_err();
        let error = Error::with_error(ErrorKind::Connection, error, "failed");

        let error = AzureError::new(&operation(), &error);

        assert_eq!(error.cause(), cause);
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn a_file_without_a_certificate_is_refused() {
    let error = http_client(Some(b"hello")).unwrap_err();

    assert_eq!(error.cause(), Cause::Certificates);
    assert!(error.to_string().contains("KEYVAULT_CA_FILE"), "{error}");
}

/// What a storage account answers: a body in XML, and its code in a header.
fn of_storage(status: u16, code: &str) -> AzureError {
    let body = "<?xml version=\"1.0\"?><Error><Code>x</Code><Message>hunter2</Message></Error>";
    let status = StatusCode::from(status);
    let raw = RawResponse::from_bytes(status, Headers::new(), body.to_owned());
    let kind = ErrorKind::HttpResponse {
        status,
        error_code: Some(code.to_owned()),
        raw_response: Some(Box::new(raw)),
    };
    let doing = "store blob b in https://unit.blob.core.windows.net/payloads".to_owned();
    let operation = Operation::new(doing, Role::BlobContributor);
    AzureError::new(&operation, &Error::with_message(kind, "hunter2"))
}

/// The codes are those of
/// <https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes>.
#[test]
fn a_storage_account_tells_its_reasons_by_code() {
    for (status, code, cause, remedy) in [
        (
            403,
            "AuthorizationPermissionMismatch",
            Cause::ForbiddenByRbac,
            "Storage Blob Data Contributor",
        ),
        (
            403,
            "AuthorizationFailure",
            Cause::ForbiddenByFirewall,
            "storage account's firewall",
        ),
        (
            401,
            "InvalidAuthenticationInfo",
            Cause::Unauthorized,
            "tenant of the storage account",
        ),
        (
            404,
            "ContainerNotFound",
            Cause::NotFound,
            "create the container",
        ),
        (409, "ContainerBeingDeleted", Cause::Conflict, "deletion"),
        (503, "ServerBusy", Cause::Unavailable { status: 503 }, ""),
    ] {
        let error = of_storage(status, code);

        assert_eq!(error.cause(), cause, "{code}");
        let text = error.to_string();
        assert!(text.contains(remedy), "{code}: {text}");
        assert!(
            !text.contains("hunter2") && !text.contains("KEYVAULT"),
            "{text}"
        );
        assert_eq!(text.contains(code), matches!(status, 401 | 403), "{text}");
    }
}
