//! How to reach the Temporal service, and as what.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use url::{Host, Url};

use super::{
    definitions::definition,
    key_vault::{self, ApiKeySecret},
    secret::Secret,
    tls::{self, Tls},
    values::{Noted, Values},
};

/// How to reach the Temporal service, and as what.
#[derive(Clone, Debug)]
pub struct Temporal {
    /// `host:port` of the frontend, without a scheme; [`tls`](Self::tls) says which one applies.
    pub address: String,
    /// Namespace to work in.
    pub namespace: String,
    /// Task queue that workers poll and that starts go to.
    pub task_queue: String,
    /// Credential sent with every request.
    pub api_key: ApiKey,
    /// How to secure the connection; plaintext if `None`.
    pub tls: Option<Tls>,
    /// Worker Deployment version of this process; versioning is off if `None`.
    pub deployment: Option<Deployment>,
    /// Headers sent with every request, by lower-case name.
    pub headers: BTreeMap<String, Secret>,
    /// How requests and answers travel.
    pub compression: GrpcCompression,
}

/// Whether gRPC messages are compressed on their way, as [gRPC's compression] has it. Payloads in them were sealed before.
///
/// [gRPC's compression]: https://grpc.io/docs/guides/compression/
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrpcCompression {
    /// They are not.
    Off,
    /// With gzip, for as long as the server knows it.
    Gzip,
}

/// Where the API key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiKey {
    /// No API key is used.
    None,
    /// The key itself.
    Value(Secret),
    /// A file that holds the key, and may be replaced while the process runs.
    File(PathBuf),
    /// A secret that holds the key, and may get new versions while the process runs.
    KeyVault(Box<ApiKeySecret>),
}

/// The Worker Deployment version that a worker runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Name of the Worker Deployment.
    pub name: String,
    /// Build of the worker within it.
    pub build_id: String,
}

pub(super) fn read(values: &mut Values) -> Result<Temporal, Noted> {
    let connection = connection(values);
    let deployment = deployment(values);
    Ok(Temporal {
        deployment: deployment?,
        ..connection?
    })
}

/// Reads all but which version this process is: the service can be reached without that.
pub(super) fn connection(values: &mut Values) -> Result<Temporal, Noted> {
    let address = values.parse("TEMPORAL_ADDRESS", parse_address);
    let scheme = address.as_ref().ok().and_then(|(scheme, _)| *scheme);
    let namespace = values.parse("TEMPORAL_NAMESPACE", namespace);
    let task_queue = values.parse("TEMPORAL_TASK_QUEUE", |text| name(text, 1000));
    let api_key = api_key(values);
    let tls = tls::read(values, scheme);
    let here = address.as_ref().is_ok_and(|(_, it)| is_on_loopback(it));
    let compression = values.parse("SEALANE_GRPC_COMPRESSION", |text| compression(text, here));
    let headers = values.headers().iter();
    let headers = headers
        .map(|(name, (value, _))| (name.clone(), value.clone()))
        .collect();
    Ok(Temporal {
        address: address?.1,
        namespace: namespace?,
        task_queue: task_queue?,
        api_key: api_key?,
        tls: tls?,
        deployment: None,
        headers,
        compression: compression?,
    })
}

/// What the address itself says about TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

fn parse_address(text: &str) -> Option<(Option<Scheme>, String)> {
    let (scheme, rest) = match text.split_once("://") {
        Some(("http", rest)) => (Some(Scheme::Http), rest),
        Some(("https", rest)) => (Some(Scheme::Https), rest),
        Some(_) => return None,
        None => (None, text),
    };
    let address = rest.strip_suffix('/').unwrap_or(rest);
    let (_, port) = address.rsplit_once(':')?;
    port.parse().ok().filter(|port: &u16| *port > 0)?;
    let url = Url::parse(&format!("http://{address}")).ok()?;
    is_bare(&url).then(|| (scheme, address.to_owned()))
}

/// Whether a URL is nothing but scheme, host and port.
fn is_bare(url: &Url) -> bool {
    url.path() == "/" && url.query().is_none() && url.fragment().is_none() && !has_credentials(url)
}

pub(super) fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Whether the host of `url` is this machine, whatever resolves its name.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_on_loopback(address: &str) -> bool {
    Url::parse(&format!("http://{address}")).is_ok_and(|url| is_loopback(&url))
}

/// On loopback there is nothing to be saved but processor time.
fn compression(text: &str, here: bool) -> Option<GrpcCompression> {
    match text {
        "auto" if here => Some(GrpcCompression::Off),
        "auto" | "gzip" => Some(GrpcCompression::Gzip),
        "off" => Some(GrpcCompression::Off),
        _ => None,
    }
}

/// Accepts what can be the name of a namespace.
pub(super) fn namespace(text: &str) -> Option<String> {
    name(text, 255).filter(|name| !name.is_empty() && !name.contains(char::is_whitespace))
}

/// Accepts a name that fits on one line.
pub(super) fn name(text: &str, longest: usize) -> Option<String> {
    let fits = text.chars().count() <= longest;
    (fits && !text.contains(char::is_control)).then(|| text.to_owned())
}

fn api_key(values: &mut Values) -> Result<ApiKey, Noted> {
    let sources = ["TEMPORAL_API_KEY", "TEMPORAL_API_KEY_FILE"];
    let exclusive = [
        values.exclude(sources[0], sources[1]),
        values.exclude(sources[0], key_vault::API_KEY),
        values.exclude(sources[1], key_vault::API_KEY),
    ];
    let value = values.optional("TEMPORAL_API_KEY", |text| {
        is_visible(text).then(|| ApiKey::Value(Secret::new(text)))
    });
    let file = values.optional_or("TEMPORAL_API_KEY_FILE", |text| key_file(Path::new(text)));
    let vault = key_vault::api_key(values);
    for exclusive in exclusive {
        exclusive?;
    }
    let vault = vault?.map(|secret| ApiKey::KeyVault(Box::new(secret)));
    Ok(value?.or(file?).or(vault).unwrap_or(ApiKey::None))
}

fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn key_file(path: &Path) -> Result<ApiKey, String> {
    let domain = definition("TEMPORAL_API_KEY_FILE").domain;
    let key = fs::read_to_string(path).map_err(|error| format!("{domain}: {error}"))?;
    if is_visible(Secret::new(key).expose().trim()) {
        Ok(ApiKey::File(path.to_owned()))
    } else {
        Err(format!("{domain}, one line of visible ASCII characters"))
    }
}

fn deployment(values: &mut Values) -> Result<Option<Deployment>, Noted> {
    let paired = values.pair("TEMPORAL_DEPLOYMENT_NAME", "TEMPORAL_WORKER_BUILD_ID");
    let deployment = values.optional("TEMPORAL_DEPLOYMENT_NAME", |text| name(text, 1000));
    let build_id = values.optional("TEMPORAL_WORKER_BUILD_ID", |text| name(text, 1000));
    paired?;
    let versioned = deployment?.zip(build_id?);
    Ok(versioned.map(|(name, build_id)| Deployment { name, build_id }))
}

#[cfg(test)]
mod tests {
    use super::{Scheme, parse_address};

    #[test]
    fn an_address_is_host_and_port_with_or_without_a_scheme() {
        let parsed = |text| parse_address(text).unwrap();

        assert_eq!(parsed("localhost:7233"), (None, "localhost:7233".into()));
        assert_eq!(parsed("[::1]:7233"), (None, "[::1]:7233".into()));
        assert_eq!(
            parsed("http://a.b:80"),
            (Some(Scheme::Http), "a.b:80".into())
        );
        assert_eq!(
            parsed("https://a.b:443/"),
            (Some(Scheme::Https), "a.b:443".into())
        );
    }

    #[test]
    fn anything_more_or_less_is_no_address() {
        for text in [
            "localhost",
            "localhost:",
            ":7233",
            "localhost:0",
            "localhost:70000",
            "grpc://a:1",
            "a b:1",
            "a:1/path",
            "http://user@a:1",
            "::1:7233",
            "a:1?x",
            "https://a",
        ] {
            assert_eq!(parse_address(text), None, "{text}");
        }
    }
}
