//! An issuer whose certificate is of an authority of its own.

use std::{io, net::SocketAddr};

use axum::{Json, Router, http::Uri, serve::Listener};
use sealane_service::auth::Denied;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::Authority;
use crate::{
    issuer::{DISCOVERY, Issuer, JWKS},
    tls,
};

/// Speaks TLS on every connection that gets as far.
struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Publishes `jwks` over TLS, and returns the issuer's address.
async fn publish(jwks: Value, authority: &tls::Authority) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let issuer = format!("https://localhost:{port}");
    let description = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}{JWKS}") });
    let routes = Router::new().fallback(async move |uri: Uri| match uri.path() {
        DISCOVERY => Json(description),
        _ => Json(jwks),
    });
    let acceptor = authority.http_server(&["localhost"]).unwrap();
    let door = Tls { listener, acceptor };
    tokio::spawn(async move { axum::serve(door, routes).await });
    issuer
}

#[tokio::test]
async fn an_authority_of_its_own_has_to_be_named() {
    let root = tls::Authority::new().unwrap();
    let keys = Issuer::start().await.unwrap();
    let url = publish(keys.jwks(), &root).await;
    let token = keys.token(&json!({ "iss": url }));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, root.pem()).unwrap();

    let stranger = Authority::with(&keys, |oidc| oidc.issuer.clone_from(&url)).await;
    let denied = stranger.sees(&token).await.unwrap_err();
    assert_eq!(denied, Denied::IssuerUnavailable);

    let trusting = Authority::with(&keys, |oidc| {
        oidc.issuer.clone_from(&url);
        oidc.ca_file = Some(file);
    });
    assert_eq!(trusting.await.sees(&token).await.unwrap().name(), "ada");
}
