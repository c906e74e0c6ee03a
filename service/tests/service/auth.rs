//! Callers, told apart with the help of a fake issuer.

mod files;
mod keys;
mod router;
mod tls;
mod tokens;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};

use axum::http::{HeaderMap, HeaderName};
use sealane_service::{
    auth::{Authenticator, Denied, Principal},
    probes::Metrics,
    settings::{Auth, Oidc, TokenHeader},
};
use serde_json::json;
use tempfile::TempDir;

use crate::issuer::{self, Issuer};

const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// An authenticator and what it says of itself.
struct Authority {
    authenticator: Authenticator,
    metrics: Metrics,
    _folder: TempDir,
}

/// Returns settings that trust `issuer` and the grants in `folder`: reader in `orders` for Ada.
fn oidc(issuer: &Issuer, folder: &Path) -> Oidc {
    let grants = folder.join("grants.json");
    let rule = json!({
        "claim": "email", "value": "ada@example.com", "namespaces": ["orders"], "role": "reader",
    });
    std::fs::write(&grants, json!({ "grants": [rule] }).to_string()).unwrap();
    Oidc {
        issuer: issuer.url().to_owned(),
        jwks: None,
        audiences: vec!["other".to_owned(), issuer::AUDIENCE.to_owned()],
        algorithms: vec!["RS256".to_owned(), "ES256".to_owned()],
        token_header: TokenHeader::Authorization,
        grants_file: Some(grants),
        permissions_claim: Some("permissions".to_owned()),
        ca_file: None,
    }
}

impl Authority {
    /// Trusts `issuer`.
    async fn over(issuer: &Issuer) -> Self {
        Self::with(issuer, |_| {}).await
    }

    /// Trusts `issuer` on conditions that `change` sets.
    async fn with(issuer: &Issuer, change: impl FnOnce(&mut Oidc)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut oidc = oidc(issuer, folder.path());
        change(&mut oidc);
        let settings = Auth {
            tokens_file: None,
            oidc: Some(oidc),
        };
        Self::start(&settings, folder).await
    }

    async fn start(settings: &Auth, folder: TempDir) -> Self {
        let metrics = Metrics::new();
        let authenticator = Authenticator::start(settings, LOOPBACK, &metrics).await;
        Self {
            authenticator: authenticator.unwrap(),
            metrics,
            _folder: folder,
        }
    }

    /// Shows `token` as a bearer token.
    async fn sees(&self, token: &str) -> Result<Principal, Denied> {
        self.sees_headers(&[("authorization", &format!("Bearer {token}"))])
            .await
    }

    async fn sees_headers(&self, headers: &[(&str, &str)]) -> Result<Principal, Denied> {
        self.sees_from(PEER, headers).await
    }

    async fn sees_from(&self, peer: IpAddr, headers: &[(&str, &str)]) -> Result<Principal, Denied> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            map.append(name, value.parse().unwrap());
        }
        self.authenticator.authenticate(&map, peer).await
    }

    /// Returns how often callers were refused for `reason`.
    async fn refused(&self, reason: &str) -> u64 {
        self.counter(&format!(
            "sealane_auth_failures_total{{reason=\"{reason}\"}}"
        ))
        .await
    }

    async fn counter(&self, name: &str) -> u64 {
        let page = self.metrics.render().await;
        let value = page.lines().find_map(|line| line.strip_prefix(name));
        let value = value.unwrap_or_else(|| panic!("{name} in\n{page}"));
        value.trim().parse().unwrap()
    }

    /// Asserts that `token` is refused, and counted under `reason`.
    async fn refuses(&self, token: &str, reason: &str) {
        let before = self.refused(reason).await;
        let denied = self.sees(token).await.unwrap_err();
        assert_eq!(denied, Denied::Unauthenticated, "{reason}");
        assert_eq!(self.refused(reason).await, before + 1, "{reason}");
    }
}

#[tokio::test]
async fn without_authentication_only_this_machine_may_ask() {
    let off = Auth::default();
    for address in [
        "0.0.0.0:80",
        "[::]:80",
        "10.0.0.1:80",
        "[::ffff:10.0.0.1]:80",
    ] {
        let started = Authenticator::start(&off, address.parse().unwrap(), &Metrics::new()).await;
        let error = started.unwrap_err();
        assert_eq!(sealane_service::exit::ExitStatus::exit_code(&error), 78);
        assert!(error.to_string().contains("SEALANE_AUTH"), "{error}");
    }
    for address in ["127.0.0.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        let started = Authenticator::start(&off, address.parse().unwrap(), &Metrics::new()).await;
        let anybody = started.unwrap();
        let nobody = anybody.authenticate(&HeaderMap::new(), PEER).await.unwrap();
        assert_eq!(nobody.name(), "anonymous");
    }
}
