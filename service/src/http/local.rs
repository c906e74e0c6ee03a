//! Without auth, whoever reaches the process may do everything: that must not be any page in a browser on the same
//! machine.
//!
//! A page of another site can send requests here, though not read the answers; a page whose name was made to lead to
//! this machine (DNS rebinding) can do both. So can what another program on this machine serves, from another port.
//! Browsers give all of them away, in headers that a page cannot change.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{
        HeaderMap,
        header::{HOST, ORIGIN},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Kind, Problem};

/// What a browser says about who sends a request
/// ([Fetch Metadata](https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header)).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Refuses requests that a page of another origin has sent. A layer for [`axum::middleware::from_fn`].
pub async fn only(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if is_for_this_machine(headers) && is_from_here(headers) {
        return next.run(request).await;
    }
    let detail =
        "without SEALANE_AUTH, requests are for localhost and not from pages of other origins";
    Problem::new(Kind::Forbidden, detail).into_response()
}

/// Returns whether the name that a request was sent to is one of this machine's own, whoever sent it.
pub fn is_for_this_machine(headers: &HeaderMap) -> bool {
    // An address has no Host in HTTP/1.0, which no browser speaks.
    !headers.contains_key(HOST) || text(headers, HOST.as_str()).is_some_and(is_loopback)
}

/// Whether no page sent it, or one that came from here. Another port of the same machine is the same site, and another
/// origin: `Sec-Fetch-Site` tells them apart, and `Origin` does in browsers that do not send that.
fn is_from_here(headers: &HeaderMap) -> bool {
    let site = !headers.contains_key(SEC_FETCH_SITE)
        || matches!(text(headers, SEC_FETCH_SITE), Some("same-origin" | "none"));
    let origin = text(headers, ORIGIN.as_str());
    let host = text(headers, HOST.as_str());
    let is_own = origin.and_then(|it| it.strip_prefix("http://")) == host;
    site && (!headers.contains_key(ORIGIN) || is_own)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_matches(['[', ']']);
    let address = name.parse::<IpAddr>();
    address.map_or_else(
        |_| name.eq_ignore_ascii_case("localhost"),
        |address| address.to_canonical().is_loopback(),
    )
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::{is_for_this_machine, is_from_here};

    fn local(host: &str, said: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("host", host.parse().unwrap());
        for (name, value) in said {
            headers.insert(*name, value.parse().unwrap());
        }
        is_for_this_machine(&headers) && is_from_here(&headers)
    }

    #[test]
    fn names_of_this_machine_are_local() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:8080",
            "127.1.2.3",
            "[::1]:8080",
        ] {
            assert!(local(host, &[]), "{host}");
            let own = format!("http://{host}");
            for said in [
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "none"),
                ("origin", own.as_str()),
            ] {
                assert!(local(host, &[said]), "{host} {said:?}");
            }
        }
    }

    #[test]
    fn other_names_are_not() {
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "10.0.0.1",
            "",
        ] {
            assert!(!local(host, &[]), "{host}");
        }
    }

    #[test]
    fn pages_of_other_origins_are_not() {
        for said in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", ""),
            ("origin", "http://localhost:27999"),
            ("origin", "http://localhost"),
            ("origin", "https://localhost:8080"),
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("origin", ""),
        ] {
            assert!(!local("localhost:8080", &[said]), "{said:?}");
        }
    }
}
