//! Whether a host can be reached, and if not, which layer says so.

use std::{error::Error, time::SystemTime};

use sealane_codec::azure::http_client;
use sealane_service::exit;
use url::Url;

use super::{Finding, LIMIT, clock::Reading, within};

/// What a host answered to somebody without a token.
pub(super) struct Answer {
    pub(super) status: u16,
    /// The challenge, if it wants a token.
    pub(super) challenge: Option<String>,
    pub(super) reading: Option<Reading>,
}

/// What came of asking.
pub(super) type Asked = Result<Answer, Unreached>;

/// Why there was no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreached {
    pub(super) layer: Layer,
    /// The innermost cause, in the words of the system or the library.
    pub(super) reason: String,
}

/// How far a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// Nowhere: the certificates to trust cannot be used.
    Certificates,
    /// The name is not known, or the resolver does not answer.
    Dns,
    /// The proxy did not open a tunnel.
    Proxy,
    /// No connection.
    Tcp,
    /// A connection, on which TLS was not agreed on.
    Handshake,
    /// A connection that speaks TLS, but no trust.
    Tls,
    /// A trusted connection, but no answer.
    Http,
}

/// What TLS has to say of somebody who does not speak it, or hangs up before it is agreed on.
const HANDSHAKE: [&str; 4] = [
    "received corrupt message",
    "received unexpected message",
    "tls handshake eof",
    "(Connect): Connection reset",
];

/// Asks for `url` without a token, trusting `root` beside the system's certificates. Goes through
/// the proxy of the environment, as everything does that is said to Azure.
pub(super) async fn ask(root: Option<&[u8]>, url: &Url) -> Asked {
    let client = http_client(root).map_err(|error| Unreached {
        layer: Layer::Certificates,
        reason: error.story(),
    })?;
    let asked = SystemTime::now();
    let answer = match within(client.get(url.as_str()).send()).await {
        Some(answer) => answer.map_err(|error| Unreached::new(&error))?,
        None => {
            let reason = format!("no answer within {LIMIT:?}");
            let layer = Layer::Http;
            return Err(Unreached { layer, reason });
        }
    };
    let header = |name: &str| answer.headers().get(name)?.to_str().ok();
    let host = url.host_str().unwrap_or_default();
    let date = header("date");
    Ok(Answer {
        status: answer.status().as_u16(),
        challenge: header("www-authenticate").map(str::to_owned),
        reading: date.and_then(|date| Reading::of_header(host, date, asked, SystemTime::now())),
    })
}

/// Says of `check` that nothing came back.
pub(super) fn silent(check: &'static str) -> Finding {
    let detail = format!("no answer within {LIMIT:?}");
    let remedy = "check network policies, private endpoints and HTTPS_PROXY";
    Finding::fail(check, exit::UNAVAILABLE, detail, remedy)
}

/// Host of `url`, and its port unless that is the usual one.
pub(super) fn place(url: &Url) -> &str {
    &url[url::Position::BeforeHost..url::Position::AfterPort]
}

impl Unreached {
    /// The libraries have words for each layer, but no type. None of these can be in the name of a
    /// host, which errors quote.
    fn new(error: &dyn Error) -> Self {
        let texts = exit::with_causes(error);
        let any = |part: &str| texts.contains(part);
        let layer = if any("dns error") {
            Layer::Dns
        } else if any("tunnel error") || any("socks proxy") {
            Layer::Proxy
        } else if any("invalid peer certificate") || any("received fatal alert") {
            Layer::Tls
        } else if HANDSHAKE.into_iter().any(any) && !any("tcp connect error") {
            Layer::Handshake
        } else if any("tcp connect error") || any("(Connect)") {
            Layer::Tcp
        } else {
            Layer::Http
        };
        let mut innermost = error;
        while let Some(cause) = innermost.source() {
            innermost = cause;
        }
        let reason = innermost.to_string();
        Self { layer, reason }
    }

    /// Whether the resolver is sure that there is no such host, and not just out of reach.
    pub(super) fn is_unknown_host(&self) -> bool {
        self.layer == Layer::Dns && !self.reason.contains("Temporary failure")
    }

    /// What failed and what did not.
    pub(super) fn story(&self, host: &str) -> String {
        let Self { layer, reason } = self;
        match layer {
            Layer::Certificates => reason.clone(),
            Layer::Dns => format!("DNS does not resolve {host}: {reason}"),
            Layer::Proxy => format!("the proxy opens no tunnel to {host}: {reason}"),
            Layer::Tcp => format!("no TCP connection to {host}: {reason}"),
            Layer::Handshake => {
                format!("{host} accepts TCP, but does not agree on TLS: {reason}")
            }
            Layer::Tls => format!("TLS with {host} fails after TCP connected: {reason}"),
            Layer::Http => format!("{host} gives no answer: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::{Layer, Unreached};

    #[test]
    fn the_name_of_a_host_says_nothing_of_a_layer() {
        for (text, layer) in [
            (
                "error sending request for url (https://temporal-proxy-kv.vault.azure.net/): \
                 client error (Connect): invalid peer certificate: certificate not valid for name \
                 \"temporal-proxy-kv.vault.azure.net\"",
                Layer::Tls,
            ),
            (
                "error sending request for url (https://temporal-proxy-kv.vault.azure.net/): \
                 client error (Connect): tcp connect error: Connection refused",
                Layer::Tcp,
            ),
            (
                "error sending request for url (https://kv.vault.azure.net/): client error \
                 (Connect): tunnel error: proxy authorization required",
                Layer::Proxy,
            ),
            (
                "error sending request for url (https://127.0.0.1:7233/): client error (Connect): \
                 received corrupt message of type InvalidContentType",
                Layer::Handshake,
            ),
            (
                "error sending request for url (https://kv.vault.azure.net/): client error \
                 (Connect): Connection reset by peer (os error 104)",
                Layer::Handshake,
            ),
            (
                "error sending request for url (https://kv.vault.azure.net/): client error \
                 (Connect): tcp connect error: Connection reset by peer (os error 104)",
                Layer::Tcp,
            ),
        ] {
            let error: Box<dyn Error> = text.into();

            assert_eq!(Unreached::new(&*error).layer, layer, "{text}");
        }
    }
}
