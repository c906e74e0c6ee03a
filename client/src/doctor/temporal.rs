//! The Temporal server: name, connection, TLS, credentials, namespace, pollers.

use std::io;

use sealane_service::{
    exit::{self, ExitStatus},
    settings::{ApiKey, Secret, Temporal},
};
use temporalio_client::{Client, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeNamespaceRequest;
use tokio::net::{TcpStream, lookup_host};
use tonic::{Code, IntoRequest};

use super::{Examined, Finding, LIMIT, api_key, pollers, remedy, subject::Subject, within};
use crate::{
    call::CallError,
    connection::{self, ConnectError, Extras},
};

pub(super) const TCP: &str = "temporal-tcp";
pub(super) const TLS: &str = "temporal-tls";
pub(super) const AUTH: &str = "temporal-auth";
pub(super) const NAMESPACE: &str = "temporal-namespace";

/// Everything after settings, in order. An API key that is in a vault comes with `api_key`, or does
/// not.
pub(super) async fn examine(
    subject: &Subject,
    api_key: impl Future<Output = Option<Secret>>,
) -> Examined {
    let mut examined = Examined::default();
    let Some(settings) = &subject.parts.temporal else {
        let names = [
            TCP,
            TLS,
            AUTH,
            NAMESPACE,
            pollers::WORKFLOW,
            pollers::ACTIVITY,
        ];
        let skipped = names.map(|name| Finding::needs(name, "settings"));
        examined.findings.extend(skipped);
        return examined;
    };
    let tcp = tcp(settings).await;
    let tls = if tcp.allows() {
        tls(settings).await
    } else {
        Finding::needs(TLS, TCP)
    };
    let (auth, client) = match [&tcp, &tls].map(|it| it.code) {
        [exit::OK, exit::OK] => match with_api_key(settings, api_key).await {
            Some(complete) => auth(settings, &complete).await,
            None => (Finding::needs(AUTH, api_key::CHECK), None),
        },
        [exit::OK, _] => (Finding::needs(AUTH, TLS), None),
        _ => (Finding::needs(AUTH, TCP), None),
    };
    let (auth, namespace) = match &client {
        Some(client) => namespace(settings, client, auth).await,
        None => (auth, Finding::needs(NAMESPACE, AUTH)),
    };
    let client = client.filter(|_| namespace.allows());
    examined.findings.extend([tcp, tls, auth, namespace]);
    pollers::examine(settings, client, &mut examined).await;
    examined
}

/// The settings with the API key in them that the vault holds, if they want one.
async fn with_api_key(
    settings: &Temporal,
    api_key: impl Future<Output = Option<Secret>>,
) -> Option<Temporal> {
    let mut complete = settings.clone();
    if let ApiKey::KeyVault(_) = settings.api_key {
        complete.api_key = ApiKey::Value(api_key.await?);
    }
    Some(complete)
}

async fn tcp(settings: &Temporal) -> Finding {
    let address = &settings.address;
    let fail = |what: String, remedy: String| Finding::fail(TCP, exit::UNAVAILABLE, what, remedy);
    let addresses = match within(lookup_host(address)).await {
        Some(Ok(addresses)) => addresses,
        Some(Err(error)) => {
            let detail = format!("DNS does not resolve {address}: {error}");
            return fail(detail, remedy::temporal_dns());
        }
        None => {
            let detail = format!("DNS gives no answer for {address} within {LIMIT:?}");
            return fail(detail, remedy::temporal_dns());
        }
    };
    let addresses: Vec<_> = addresses.collect();
    match within(TcpStream::connect(&*addresses)).await {
        Some(Ok(_)) => Finding::pass(TCP, format!("{address} accepts connections")),
        Some(Err(error)) => fail(
            no_connection(address, &error),
            remedy::temporal_tcp(address),
        ),
        None => {
            let detail = format!("no TCP connection to {address} within {LIMIT:?}");
            fail(detail, remedy::temporal_tcp(address))
        }
    }
}

fn no_connection(address: &str, error: &io::Error) -> String {
    format!("no TCP connection to {address}: {error}")
}

async fn tls(settings: &Temporal) -> Finding {
    if settings.tls.is_none() {
        return Finding::skipped(TLS, "TLS is off: nothing in the settings asks for it");
    }
    let address = &settings.address;
    let detail = match within(connection::reach(settings)).await {
        Some(Ok(())) => return Finding::pass(TLS, format!("{address} is trusted")),
        Some(Err(ConnectError::Unreachable { reason, .. })) => {
            format!("TLS with {address} fails after TCP connected: {reason}")
        }
        Some(Err(other)) => other.to_string(),
        None => format!("TLS with {address} is not agreed on within {LIMIT:?}"),
    };
    let remedy = remedy::temporal_tls(settings);
    Finding::fail(TLS, exit::UNAVAILABLE, detail, remedy)
}

/// Says hello with the credentials of `complete`, which the settings name. No payload is sent or read with this client, so
/// it needs no codec.
async fn auth(settings: &Temporal, complete: &Temporal) -> (Finding, Option<Client>) {
    let hello = Box::pin(connection::connect(complete, None, Extras::default()));
    let error = match within(hello).await {
        Some(Ok(client)) => {
            let detail = format!("the server accepts {}", credentials(settings));
            return (Finding::pass(AUTH, detail), Some(client));
        }
        Some(Err(error)) => error,
        None => {
            let detail = format!("the server does not answer within {LIMIT:?}");
            let failed = Finding::fail(AUTH, exit::UNAVAILABLE, detail, remedy::TEMPORAL_SILENT);
            return (failed, None);
        }
    };
    let code = error.exit_code();
    let failed = match error {
        ConnectError::Refused { reason, .. } => refused(settings, &reason),
        ConnectError::Unreachable { reason, .. } => {
            let detail = format!("the server is there, but does not answer as Temporal: {reason}");
            // With TLS 1.3 a server looks at the client's certificate after it has agreed, and the
            // SDK does not pass on what it says then.
            let remedy = match settings.tls {
                Some(_) => remedy::TEMPORAL_HUNG_UP,
                None => remedy::TEMPORAL_SILENT,
            };
            Finding::fail(AUTH, code, detail, remedy)
        }
        other => Finding::fail(AUTH, code, other.to_string(), ""),
    };
    (failed, None)
}

fn refused(settings: &Temporal, reason: &str) -> Finding {
    let detail = format!("the server refuses {}: {reason}", credentials(settings));
    Finding::fail(AUTH, exit::REFUSED, detail, remedy::TEMPORAL_AUTH)
}

/// What is shown to the server, in words.
fn credentials(settings: &Temporal) -> &'static str {
    let certificate = settings
        .tls
        .as_ref()
        .is_some_and(|tls| tls.client_cert.is_some());
    match (&settings.api_key, certificate) {
        (ApiKey::None, false) => "us without credentials",
        (ApiKey::None, true) => "the client certificate",
        (ApiKey::Value(_), false) => "TEMPORAL_API_KEY",
        (ApiKey::File(_), false) => "the key in TEMPORAL_API_KEY_FILE",
        (ApiKey::KeyVault(_), false) => "the key in KEYVAULT_API_KEY_SECRET_NAME",
        (_, true) => "the API key and the client certificate",
    }
}

/// Many servers greet anybody, and look at credentials only when a namespace is named.
async fn namespace(settings: &Temporal, client: &Client, auth: Finding) -> (Finding, Finding) {
    let name = &settings.namespace;
    let request = DescribeNamespaceRequest {
        namespace: name.clone(),
        ..DescribeNamespaceRequest::default()
    };
    let mut client = client.clone();
    let status = match within(client.describe_namespace(request.into_request())).await {
        Some(Ok(_)) => return (auth, Finding::pass(NAMESPACE, format!("{name:?} exists"))),
        Some(Err(status)) => status,
        None => {
            let detail = format!("the server does not answer within {LIMIT:?}");
            let code = exit::UNAVAILABLE;
            return (
                auth,
                Finding::fail(NAMESPACE, code, detail, remedy::TEMPORAL_SILENT),
            );
        }
    };
    if status.code() == Code::Unauthenticated {
        let refused = refused(settings, status.message());
        return (refused, Finding::needs(NAMESPACE, AUTH));
    }
    let error = CallError::from(status);
    let remedy = match &error {
        CallError::NamespaceNotFound { .. } => remedy::namespace(settings),
        CallError::Refused { .. } => remedy::forbidden_namespace(settings),
        _ => remedy::TEMPORAL_SILENT.to_owned(),
    };
    (
        auth,
        Finding::fail(NAMESPACE, error.exit_code(), error.to_string(), remedy),
    )
}
