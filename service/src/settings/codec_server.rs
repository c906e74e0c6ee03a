//! Where the codec server listens, whom it serves, and how much at once.

use std::net::SocketAddr;

use url::Url;

use super::{
    http::{bytes, list},
    temporal,
    values::{Noted, Values},
};

/// What a codec server does for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodecServer {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Namespaces whose payloads its keys encrypt.
    pub namespaces: Vec<String>,
    /// Origins whose pages may call it from a browser, such as `https://cloud.temporal.io`.
    pub cors_origins: Vec<String>,
    /// Largest request body, in bytes.
    pub max_body: usize,
    /// Largest payload in it, in bytes of `data`.
    pub max_payload: usize,
}

/// Reads them; `own` is the namespace of the process, if it has a usable one.
pub(super) fn read(values: &mut Values, own: Option<&str>) -> Result<CodecServer, Noted> {
    let addr = values.parse("SEALANE_CODEC_ADDR", |text| text.parse().ok());
    let namespaces = values.optional("SEALANE_CODEC_NAMESPACES", |text| {
        list(text).map(namespace).collect()
    });
    let cors_origins = values.parse("SEALANE_CORS_ORIGINS", |text| {
        list(text).map(origin).collect()
    });
    let max_body = values.parse("SEALANE_CODEC_MAX_BODY", bytes);
    let max_payload = values.parse("SEALANE_CODEC_MAX_PAYLOAD", bytes);
    Ok(CodecServer {
        addr: addr?,
        namespaces: namespaces?.unwrap_or_else(|| own.map(str::to_owned).into_iter().collect()),
        cors_origins: cors_origins?,
        max_body: max_body?,
        max_payload: max_payload?,
    })
}

/// Accepts a namespace. There is no word for all: whoever writes a star would serve one of that name.
fn namespace(text: &str) -> Option<String> {
    temporal::namespace(text).filter(|name| name != "*")
}

/// Accepts what a browser sends as `Origin`: scheme, host, and a port unless it is the scheme's own.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    (is_web && url.origin().ascii_serialization() == text).then(|| text.to_owned())
}
