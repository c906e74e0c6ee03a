//! The settings of a process: read once, whole, into types that cannot hold a bad value.
//!
//! The environment wins over the configuration file, which wins over a Temporal profile, which
//! wins over the default. See `docs/configuration.md`.

use std::{ffi::OsString, net::SocketAddr, path::Path};

use url::Url;

pub use self::{
    auth::{Auth, Oidc, TokenHeader},
    codec_server::CodecServer,
    definitions::{DEFINITIONS, Definition},
    encryption::{Compression, Decode, Encryption, EncryptionMode, Exhausted, KeySource},
    http::Http,
    key_vault::{ApiKeySecret, Azure, AzureIdentity, Envelope, KeyVault},
    large_payloads::LargePayloads,
    log::{Log, LogFormat},
    parts::Parts,
    problem::{Problem, SettingsError, Source},
    report::{Row, report},
    secret::Secret,
    temporal::{ApiKey, Deployment, GrpcCompression, Temporal},
    tls::Tls,
    traces::Traces,
    worker::{Pollers, Worker},
};

pub(crate) use self::temporal::is_loopback;
use self::values::{Noted, Values};

mod auth;
mod codec_server;
mod config_file;
mod definitions;
mod encryption;
mod hint;
mod http;
mod key_vault;
mod large_payloads;
mod log;
mod parts;
mod problem;
mod profile;
mod report;
mod secret;
mod temporal;
#[cfg(test)]
mod tests;
mod tls;
mod traces;
mod values;
mod worker;

/// Everything a process can be told. Holding one means that every value is usable.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How to reach the Temporal service, and as what.
    pub temporal: Temporal,
    /// Whether and how payloads are encrypted.
    pub encryption: Encryption,
    /// How much a worker does at once, and how it stops.
    pub worker: Worker,
    /// Where the process listens for HTTP.
    pub http_addr: SocketAddr,
    /// How much it takes on over HTTP.
    pub http: Http,
    /// Who may use the HTTP API and the codec server.
    pub auth: Auth,
    /// What the codec server does for whom.
    pub codec_server: CodecServer,
    /// What is logged, and how.
    pub log: Log,
    /// Where traces go.
    pub traces: Traces,
    /// Gateway that the activities of the order workflow call.
    pub orders_gateway_url: Url,
}

impl Settings {
    /// Reads all settings: from `env`, then from the file `config`, or else `SEALANE_CONFIG`.
    ///
    /// A process passes `|name| std::env::var_os(name)`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the settings, not only the first problem. Holds no secret.
    pub fn load(
        config: Option<&Path>,
        env: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, SettingsError> {
        let mut values = Values::collect(config, &env);
        let settings = Self::read(&mut values);
        let problems = values.into_problems();
        match settings {
            Ok(settings) if problems.is_empty() => Ok(settings),
            _ => Err(SettingsError::new(problems)),
        }
    }

    fn read(values: &mut Values) -> Result<Self, Noted> {
        let temporal = temporal::read(values);
        let encryption = encryption::read(values);
        let worker = worker::read(values);
        let http_addr = values.parse("SEALANE_HTTP_ADDR", |text| text.parse().ok());
        let http = http::read(values);
        let auth = auth::read(values);
        let own = temporal.as_ref().ok().map(|it| it.namespace.as_str());
        let codec_server = codec_server::read(values, own);
        let log = log::read(values);
        let traces = traces::read(values);
        let orders_gateway_url = values.parse("ORDERS_GATEWAY_URL", parse_gateway);
        Ok(Self {
            temporal: temporal?,
            encryption: encryption?,
            worker: worker?,
            http_addr: http_addr?,
            http: http?,
            auth: auth?,
            codec_server: codec_server?,
            log: log?,
            traces: traces?,
            orders_gateway_url: orders_gateway_url?,
        })
    }
}

fn parse_gateway(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    let is_plain = url.query().is_none() && url.fragment().is_none();
    (is_web && is_plain && !temporal::has_credentials(&url)).then_some(url)
}
