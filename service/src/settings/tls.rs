//! Whether and how the connection to the Temporal service is secured.

use std::fs;

use super::{
    definitions::definition,
    key_vault,
    secret::Secret,
    temporal::Scheme,
    values::{Noted, Values},
};

/// How a connection is secured. The system's certificate authorities apply unless one is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Client certificate chain for mutual TLS, as PEM. Set exactly when the key is.
    pub client_cert: Option<Vec<u8>>,
    /// Private key of the client certificate, as PEM.
    pub client_key: Option<Secret>,
    /// Certificate authority to trust instead of the system's, as PEM.
    pub server_ca: Option<Vec<u8>>,
    /// Name expected in the server's certificate, if it is not the host of the address.
    pub server_name: Option<String>,
}

pub(super) fn read(values: &mut Values, scheme: Option<Scheme>) -> Result<Option<Tls>, Noted> {
    let explicit = values.optional("TEMPORAL_TLS", parse_bool);
    let tls = material(values);
    let on = is_on(values, explicit?, scheme);
    let tls = tls?;
    Ok(on?.then_some(tls))
}

fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Settings that make no sense without TLS, so that each of them turns it on.
const IMPLY_TLS: [&str; 9] = [
    "TEMPORAL_API_KEY",
    "TEMPORAL_API_KEY_FILE",
    key_vault::API_KEY,
    "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_CERT_DATA",
    "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    "TEMPORAL_TLS_SERVER_CA_CERT_DATA",
    "TEMPORAL_TLS_SERVER_NAME",
    "TEMPORAL_TLS",
];

/// Decides by what was said, never by what the host name looks like.
fn is_on(
    values: &mut Values,
    explicit: Option<bool>,
    scheme: Option<Scheme>,
) -> Result<bool, Noted> {
    let implied = IMPLY_TLS.into_iter().find(|name| values.is_set(name));
    match (explicit, scheme, implied) {
        (Some(false), Some(Scheme::Https), _) => Err(values.reject_as(
            "TEMPORAL_TLS",
            "true because TEMPORAL_ADDRESS starts with https://",
        )),
        (Some(false), _, _) => Ok(false),
        (_, Some(Scheme::Http), Some(name)) => Err(values.reject_as(
            "TEMPORAL_ADDRESS",
            format!("no http:// because {name} turns TLS on, or TEMPORAL_TLS=false"),
        )),
        (explicit, scheme, implied) => {
            Ok(explicit == Some(true) || scheme == Some(Scheme::Https) || implied.is_some())
        }
    }
}

fn material(values: &mut Values) -> Result<Tls, Noted> {
    let client_cert = pem(
        values,
        "TEMPORAL_TLS_CLIENT_CERT_PATH",
        "TEMPORAL_TLS_CLIENT_CERT_DATA",
    );
    let client_key = pem(
        values,
        "TEMPORAL_TLS_CLIENT_KEY_PATH",
        "TEMPORAL_TLS_CLIENT_KEY_DATA",
    );
    let paired = certificate_with_key(values);
    let server_ca = pem(
        values,
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
        "TEMPORAL_TLS_SERVER_CA_CERT_DATA",
    );
    let server_name = values.optional("TEMPORAL_TLS_SERVER_NAME", |text| {
        url::Host::parse(text).is_ok().then(|| text.to_owned())
    });
    paired?;
    Ok(Tls {
        client_cert: client_cert?.map(String::into_bytes),
        client_key: client_key?.map(Secret::new),
        server_ca: server_ca?.map(String::into_bytes),
        server_name: server_name?,
    })
}

fn certificate_with_key(values: &mut Values) -> Result<(), Noted> {
    let is_set = |kind: [&str; 2]| kind.into_iter().any(|name| values.is_set(name));
    let cert = is_set([
        "TEMPORAL_TLS_CLIENT_CERT_PATH",
        "TEMPORAL_TLS_CLIENT_CERT_DATA",
    ]);
    let key = is_set([
        "TEMPORAL_TLS_CLIENT_KEY_PATH",
        "TEMPORAL_TLS_CLIENT_KEY_DATA",
    ]);
    match (cert, key) {
        (true, false) => Err(values.miss(
            "TEMPORAL_TLS_CLIENT_KEY_PATH",
            "the path of the private key because a client certificate is set",
        )),
        (false, true) => Err(values.miss(
            "TEMPORAL_TLS_CLIENT_CERT_PATH",
            "the path of the certificate because a client key is set",
        )),
        _ => Ok(()),
    }
}

/// Reads PEM text from the file that `path` names, or else from the value of `data`.
fn pem(
    values: &mut Values,
    path: &'static str,
    data: &'static str,
) -> Result<Option<String>, Noted> {
    let exclusive = values.exclude(path, data);
    let from_file = values.optional_or(path, |file| {
        let domain = definition(path).domain;
        let text = fs::read_to_string(file).map_err(|error| format!("{domain}: {error}"))?;
        if is_pem(&text) {
            Ok(text)
        } else {
            Err(domain.to_owned())
        }
    });
    let inline = values.optional(data, |text| is_pem(text).then(|| text.to_owned()));
    exclusive?;
    Ok(from_file?.or(inline?))
}

fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN ")
}
