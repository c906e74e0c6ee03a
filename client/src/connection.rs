//! The connection to a Temporal server: plaintext, TLS, mTLS, API key.
//!
//! Every request goes through [`egress`], so a client made here cannot send plaintext even where
//! the SDK would.

mod api_key;
mod egress;
mod polls;
mod raw;
mod size;
mod trace;
mod transport;
mod wire;
mod work;

use std::{collections::HashMap, error::Error, sync::Arc};

use sealane_codec::EncryptionCodec;
use sealane_service::{
    api_key::ApiKeyError,
    exit::{self, ExitStatus},
    probes::Metrics,
    settings::Temporal,
};
use temporalio_client::{
    Client, ClientOptions, Connection, ConnectionOptions, RetryOptions, errors::ClientConnectError,
};
use temporalio_common::{
    data_converters::{DataConverter, DefaultFailureConverter, PayloadConverter},
    protos::temporal::api::workflowservice::v1::GetSystemInfoRequest,
    telemetry::metrics::TemporalMeter,
};
use tonic::{Code, IntoRequest, Status};
use url::Url;

pub use self::polls::{PollState, Polls};
pub(crate) use self::raw::Raw;
pub(crate) use self::size::REFUSAL;
pub use self::work::{Hold, Work};
use self::{egress::Egress, size::Sizes};

/// The oldest server whose workflow updates, which `OrderWorkflow` uses, are generally available
/// ([release notes of Temporal Server 1.25](https://github.com/temporalio/temporal/releases/tag/v1.25.0)).
const OLDEST_SERVER: (u64, u64) = (1, 25);

/// Why no usable connection came about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nothing answers at the address, or TLS could not be agreed on. Worth retrying.
    #[error(
        "no Temporal server answers at {address}: {reason}; is it running, and are TEMPORAL_ADDRESS and TEMPORAL_TLS right?"
    )]
    Unreachable {
        /// Host and port that were tried.
        address: String,
        /// The innermost cause, in the words of the operating system or TLS library.
        reason: String,
    },

    /// The server does not accept who we are. Retrying helps only after the credentials change.
    #[error(
        "the Temporal server at {address} refused us: {reason}; check the API key (TEMPORAL_API_KEY, TEMPORAL_API_KEY_FILE or KEYVAULT_API_KEY_SECRET_NAME), the client certificate and TEMPORAL_NAMESPACE"
    )]
    Refused {
        /// Host and port that refused.
        address: String,
        /// The server's own words.
        reason: String,
    },

    /// The server lacks something that Sealane needs.
    #[error("the Temporal server at {address} is version {version}, expected {}.{} or newer; upgrade the server", OLDEST_SERVER.0, OLDEST_SERVER.1)]
    TooOld {
        /// Host and port of the server.
        address: String,
        /// The version it reports.
        version: String,
    },

    /// The file that holds the API key cannot be used.
    #[error(
        "TEMPORAL_API_KEY_FILE is {path:?}: {reason}, expected a readable file that holds the key"
    )]
    ApiKeyFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The secret that holds the API key does not give it.
    #[error(transparent)]
    ApiKey(#[from] ApiKeyError),
}

impl ExitStatus for ConnectError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Unreachable { .. } | Self::TooOld { .. } => exit::UNAVAILABLE,
            Self::Refused { .. } => exit::REFUSED,
            Self::ApiKeyFile { .. } => exit::SETTINGS,
            Self::ApiKey(error) => error.exit_code(),
        }
    }
}

/// What a caller may add to the settings of a connection.
#[derive(Clone, Default)]
pub struct Extras {
    /// Records the SDK's client metrics.
    pub metrics: Option<TemporalMeter>,
    /// How this process is named in histories. Empty means `<pid>@<host>` for workers.
    pub identity: String,
    /// Told how the polls of a worker on this connection fare.
    pub polls: Polls,
    /// Told what a worker on this connection has in hand, if somebody wants to know.
    pub work: Option<Work>,
    /// Shows how many payloads are large, and how an API key is that comes from a vault.
    pub exposed: Option<Metrics>,
    /// Told what the connection waits for before there is one.
    pub waiting: Option<Arc<dyn Fn(String) + Send + Sync>>,
    /// How often a request is repeated that the server did not answer.
    pub retries: RetryOptions,
}

/// Names this process in histories, as `<program>:<pid>@<host>`.
pub fn identity(program: &str) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => "localhost",
        host => host,
    };
    format!("{program}:{}@{host}", std::process::id())
}

/// Connects to the namespace of `settings`, encrypting with `codec`.
///
/// `None` for the codec is plaintext, and is for `SEALANE_ENCRYPTION=off` alone. With an API key
/// from a file or a vault, a background task hands changed keys to the connection for as long as the runtime lives.
///
/// # Errors
///
/// As the variants of [`ConnectError`] say. Nothing is retried here but an API key's vault.
pub async fn connect(
    settings: &Temporal,
    codec: Option<EncryptionCodec>,
    extras: Extras,
) -> Result<Client, ConnectError> {
    let api_key = api_key::current(&settings.api_key, &extras).await?;
    let channel = transport::connect(settings)
        .await
        .map_err(|error| unreachable(settings, &error))?;
    let egress = codec.clone().map(Egress::new);
    let options = ConnectionOptions::new(target(settings)?)
        .identity(extras.identity)
        .maybe_api_key(api_key.key.clone())
        .maybe_metrics_meter(extras.metrics)
        .retry_options(extras.retries)
        .headers(headers(settings))
        .dns_load_balancing(None)
        .service_override(transport::service(
            channel,
            settings.compression,
            egress,
            extras.polls,
            extras.work,
            Sizes::new(extras.exposed.as_ref()),
        ))
        .build();
    let connection = Connection::connect(options)
        .await
        .map_err(|error| from_sdk(settings, error))?;
    refuse_old_server(settings, &connection).await?;
    api_key.follow(connection.clone());
    let options = ClientOptions::new(settings.namespace.clone())
        .maybe_data_converter(codec.map(converter))
        .build();
    Client::new(connection, options).map_err(|error| from_sdk(settings, error.into()))
}

/// Makes a connection, with TLS if `settings` ask for it, says nothing, and drops it.
///
/// # Errors
///
/// [`ConnectError::Unreachable`].
pub(crate) async fn reach(settings: &Temporal) -> Result<(), ConnectError> {
    let channel = transport::connect(settings).await;
    channel
        .map(drop)
        .map_err(|error| unreachable(settings, &error))
}

/// Failure texts stay readable inside the process; [`egress`] encrypts them on the way out.
fn converter(codec: EncryptionCodec) -> DataConverter {
    let failures = DefaultFailureConverter::new(false);
    DataConverter::new(PayloadConverter::default(), failures, codec)
}

fn target(settings: &Temporal) -> Result<Url, ConnectError> {
    let scheme = if settings.tls.is_some() {
        "https"
    } else {
        "http"
    };
    Url::parse(&format!("{scheme}://{}", settings.address))
        .map_err(|error| unreachable(settings, &error))
}

fn headers(settings: &Temporal) -> HashMap<String, String> {
    settings
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.expose().to_owned()))
        .collect()
}

async fn refuse_old_server(
    settings: &Temporal,
    connection: &Connection,
) -> Result<(), ConnectError> {
    let answer = connection
        .workflow_service()
        .get_system_info(GetSystemInfoRequest::default().into_request())
        .await
        .map_err(|status| from_status(settings, &status))?;
    let version = answer.into_inner().server_version;
    match major_minor(&version) {
        Some(known) if known < OLDEST_SERVER => Err(ConnectError::TooOld {
            address: settings.address.clone(),
            version,
        }),
        _ => Ok(()),
    }
}

/// A version that is not two numbers first, as a private build may report, is given the benefit of
/// the doubt.
fn major_minor(version: &str) -> Option<(u64, u64)> {
    let mut numbers = version.split('.').map(str::parse);
    match (numbers.next()?, numbers.next()?) {
        (Ok(major), Ok(minor)) => Some((major, minor)),
        _ => None,
    }
}

fn from_sdk(settings: &Temporal, error: ClientConnectError) -> ConnectError {
    match error {
        ClientConnectError::SystemInfoCallError(status) => from_status(settings, &status),
        other => unreachable(settings, &other),
    }
}

fn from_status(settings: &Temporal, status: &Status) -> ConnectError {
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => ConnectError::Refused {
            address: settings.address.clone(),
            reason: status.message().to_owned(),
        },
        _ => unreachable(settings, status),
    }
}

fn unreachable(settings: &Temporal, error: &(dyn Error + 'static)) -> ConnectError {
    ConnectError::Unreachable {
        address: settings.address.clone(),
        reason: innermost(error),
    }
}

/// The outer errors of the transport only say that there is an inner one.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::major_minor;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(major_minor("1.9.2"), Some((1, 9)));
        assert!(major_minor("1.9.2") < major_minor("1.25.0"));
        assert_eq!(major_minor("dev build"), None);
    }
}
