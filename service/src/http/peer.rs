//! Where a request comes from.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, HeaderMap, request::Parts},
};
use ipnet::IpNet;

/// Address of the client. It is the other end of the connection, or what trusted proxies say in `X-Forwarded-For`.
///
/// `0.0.0.0` when there is no connection, as in a test that calls a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(pub IpAddr);

impl Peer {
    const NOBODY: Self = Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED));

    /// Reads the address from a request as the server hands it on.
    pub(super) fn find(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let connection = extensions.get::<ConnectInfo<SocketAddr>>();
        connection.map_or(Self::NOBODY, |ConnectInfo(address)| {
            Self(client(address.ip().to_canonical(), headers, trusted))
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self::NOBODY))
    }
}

/// Walks back from the connection over proxies that are trusted, to the first address that is not. What stands
/// further left, anybody may have written.
fn client(connection: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|range| range.contains(address));
    let mut client = connection;
    let mut hops = headers
        .get_all("x-forwarded-for")
        .into_iter()
        .rev()
        .flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    while is_trusted(&client) {
        let Some(hop) = hops.next().and_then(parse) else {
            break;
        };
        client = hop;
    }
    client
}

/// Reads an address with or without a port: Azure's Application Gateway adds one.
fn parse(hop: &[u8]) -> Option<IpAddr> {
    let hop = str::from_utf8(hop).ok()?.trim();
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok();
    let address = address.or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use axum::http::HeaderMap;

    use super::client;

    fn seen(connection: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<_> = trusted.iter().map(|range| range.parse().unwrap()).collect();
        let connection: IpAddr = connection.parse().unwrap();
        client(connection, &headers, &trusted).to_string()
    }

    #[test]
    fn nobody_is_believed_unless_trusted() {
        assert_eq!(seen("203.0.113.7", &["10.0.0.1"], &[]), "203.0.113.7");
        let trusted = ["10.0.0.0/8"];
        assert_eq!(seen("203.0.113.7", &["10.0.0.1"], &trusted), "203.0.113.7");
    }

    #[test]
    fn trusted_proxies_are_walked_over_from_the_right() {
        let trusted = ["10.0.0.0/8", "fd00::/8"];
        for (forwarded, expected) in [
            (&["198.51.100.4"][..], "198.51.100.4"),
            (&["6.6.6.6, 198.51.100.4"], "198.51.100.4"),
            (&["6.6.6.6", "198.51.100.4, 10.9.9.9"], "198.51.100.4"),
            (&["198.51.100.4:4711"], "198.51.100.4"),
            (&["[2001:db8::1]:4711, fd00::2"], "2001:db8::1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["::ffff:198.51.100.4"], "198.51.100.4"),
            (&["10.1.1.1"], "10.1.1.1"),
        ] {
            assert_eq!(seen("10.0.0.1", forwarded, &trusted), expected);
        }
    }

    #[test]
    fn what_cannot_be_read_ends_the_walk() {
        let trusted = ["10.0.0.0/8"];
        for forwarded in [&["6.6.6.6, unknown"][..], &["6.6.6.6,"], &[""], &[]] {
            assert_eq!(seen("10.0.0.1", forwarded, &trusted), "10.0.0.1");
        }
        assert_eq!(seen("10.0.0.1", &["x, 10.0.0.2"], &trusted), "10.0.0.2");
    }
}
