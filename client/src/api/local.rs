//! Without auth, whoever reaches the process may do everything: that must not be any page in a browser on the same
//! machine.
//!
//! A page of another site can send requests here, though not read the answers; a page whose name was made to lead to
//! this machine (DNS rebinding) can do both. Browsers give both away, in headers that a page cannot change.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{HeaderMap, header::HOST},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sealane_service::http::{Kind, Problem};

/// What a browser says about who sends a request
/// ([Fetch Metadata](https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header)).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Refuses requests that a page of another site has sent.
pub(super) async fn only(request: Request, next: Next) -> Response {
    if is_local(request.headers()) {
        return next.run(request).await;
    }
    let detail =
        "without SEALANE_AUTH, requests are for localhost and not from pages of other sites";
    Problem::new(Kind::Forbidden, detail).into_response()
}

fn is_local(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // An address has no Host in HTTP/1.0, which no browser speaks.
    let is_here = !headers.contains_key(HOST) || text(HOST.as_str()).is_some_and(is_loopback);
    is_here && text(SEC_FETCH_SITE) != Some("cross-site")
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

    use super::is_local;

    fn local(host: &str, site: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("host", host.parse().unwrap());
        if let Some(site) = site {
            headers.insert("sec-fetch-site", site.parse().unwrap());
        }
        is_local(&headers)
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
            assert!(local(host, None), "{host}");
            assert!(local(host, Some("same-origin")), "{host}");
            assert!(local(host, Some("none")), "{host}");
        }
    }

    #[test]
    fn other_names_and_other_sites_are_not() {
        for host in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "10.0.0.1",
            "",
        ] {
            assert!(!local(host, None), "{host}");
        }
        assert!(!local("localhost:8080", Some("cross-site")));
    }
}
