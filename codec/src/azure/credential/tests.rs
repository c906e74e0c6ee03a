//! What the credential makes of sources that give no token.

use std::{future::pending, sync::Arc};

use azure_core::{
    Error,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::StatusCode,
};

use super::Credential;
use crate::azure::{AzureError, Cause, CredentialKind, Operation, Role};

/// What gives no token.
#[derive(Debug)]
enum Source {
    Says(&'static str),
    Answers(StatusCode),
    IsSilent,
}

#[async_trait::async_trait]
impl TokenCredential for Source {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        match *self {
            Self::Says(text) => Err(Error::with_message(ErrorKind::Credential, text)),
            Self::Answers(status) => {
                let answer = Error::from(ErrorKind::HttpResponse {
                    status,
                    error_code: None,
                    raw_response: None,
                });
                Err(Error::with_error(ErrorKind::Credential, answer, "no"))
            }
            Self::IsSilent => pending().await,
        }
    }
}

async fn refused(kind: CredentialKind, source: Source) -> AzureError {
    let credential = Credential {
        kind,
        source: Arc::new(source),
        place: "az or azd".to_owned(),
    };
    let error = credential.get_token(&["scope"], None).await.unwrap_err();
    let operation = Operation::new("list versions".to_owned(), Role::SecretsUser);
    AzureError::new(&operation, &error)
}

#[tokio::test]
async fn nobody_signed_in_is_one_line_that_says_how_to() {
    let source = Source::Says("Multiple errors:\n  az not found\n  azd not found");

    let error = refused(CredentialKind::Developer, source).await;

    assert_eq!(
        error.to_string(),
        "cannot list versions: no token from az or azd: nobody is signed in \
         (Multiple errors: az not found azd not found); sign in with az login or azd auth login"
    );
}

#[tokio::test]
async fn a_machine_without_an_identity_is_told_apart() {
    for source in [
        Source::Says("not assigned"),
        Source::Answers(StatusCode::BadRequest),
    ] {
        let error = refused(CredentialKind::Managed, source).await;

        assert_eq!(error.cause(), Cause::ManagedIdentity);
        assert!(error.is_refusal());
    }
}

#[tokio::test]
async fn a_machine_that_cannot_tell_now_is_asked_again() {
    for status in [
        StatusCode::TooManyRequests,
        StatusCode::InternalServerError,
        StatusCode::ServiceUnavailable,
    ] {
        let error = refused(CredentialKind::Managed, Source::Answers(status)).await;

        assert!(error.is_transient(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_never_ends_is_a_timeout_of_the_exchange() {
    let error = refused(CredentialKind::Workload, Source::IsSilent).await;

    assert_eq!(error.cause(), Cause::Timeout);
    assert!(error.to_string().contains("no token from"), "{error}");
}
