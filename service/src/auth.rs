//! Who asks over HTTP, and what they may do.
//!
//! Callers bring a bearer token: a static one, whose digest stands in a file, or a JSON Web Token of an OIDC
//! issuer. Either gives roles in namespaces, and nothing gives any by default. Without either everybody may do
//! everything, which is for processes that only this machine can reach.
//!
//! An answer never says why a token is not accepted: `sealane_auth_failures_total` and the log at level `debug` do.

mod bearer;
mod denied;
#[cfg(test)]
mod document_tests;
mod error;
mod files;
mod grants;
mod guard;
mod limiter;
mod metrics;
mod oidc;
mod principal;
mod tokens;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use axum::http::HeaderMap;

pub use self::{
    denied::Denied,
    error::{AuthError, Fault, FileError},
    guard::protect,
    principal::{Grants, Principal, Role},
    tokens::{GenerateError, IssuedToken, NameError, PREFIX as STATIC_PREFIX},
};

use self::{
    bearer::Credential, denied::Reason, files::Followed, limiter::Limiter, metrics::Counters,
    oidc::Verifier, tokens::Tokens,
};
use crate::{
    probes::{Health, Metrics},
    settings::{Auth, TokenHeader},
};

/// The condition of `/readyz` that says whether tokens of the issuer can be verified.
const CONDITION: &str = "issuer";

/// Tells callers apart. Clones share what is loaded; background tasks end with the last clone.
#[derive(Clone, Debug)]
pub struct Authenticator(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    tokens: Option<Followed<Tokens>>,
    verifier: Option<Verifier>,
    header: TokenHeader,
    limiter: Limiter,
    counters: Counters,
}

impl Authenticator {
    /// Loads what `settings` name and keeps it up to date, for a process that listens on `listens_on`.
    ///
    /// An issuer that cannot be reached is no error: its tokens are answered with 503 until it can. Metrics are
    /// registered in `metrics`, which therefore take one authenticator only.
    ///
    /// # Errors
    ///
    /// [`AuthError::Exposed`] if nobody has to prove anything and others than this machine could ask,
    /// [`AuthError::Tokens`] and [`AuthError::Grants`] if a file cannot be used, [`AuthError::CaFile`] and
    /// [`AuthError::Client`] if the issuer could not be asked at all.
    ///
    /// # Panics
    ///
    /// If `metrics` have an authenticator already.
    pub async fn start(
        settings: &Auth,
        listens_on: SocketAddr,
        metrics: &Metrics,
    ) -> Result<Self, AuthError> {
        if settings.is_off() && !listens_on.ip().to_canonical().is_loopback() {
            return Err(AuthError::Exposed { listens_on });
        }
        let counters = Counters::register(metrics);
        let tokens = match &settings.tokens_file {
            Some(path) => Some(
                Followed::start(path, tokens::parse)
                    .await
                    .map_err(AuthError::Tokens)?,
            ),
            None => None,
        };
        let verifier = match &settings.oidc {
            Some(oidc) => Some(Verifier::start(oidc, metrics).await?),
            None => None,
        };
        Ok(Self(Arc::new(Parts {
            tokens,
            verifier,
            header: settings
                .oidc
                .as_ref()
                .map_or(TokenHeader::Authorization, |oidc| oidc.token_header),
            limiter: Limiter::default(),
            counters,
        })))
    }

    /// Makes readiness depend on the keys of the issuer, under the name `issuer`, if nothing but its tokens is accepted.
    ///
    /// Keys that are loaded serve through an outage of a day; a process without any cannot do its job.
    pub fn expose(&self, health: &Health) {
        if let (Some(verifier), None) = (&self.0.verifier, &self.0.tokens) {
            verifier.expose(CONDITION, health);
        }
    }

    /// Returns who asks, by the token in `headers`.
    ///
    /// # Errors
    ///
    /// [`Denied::TooManyFailures`] if `peer` has failed too often of late or tries too much at once, whatever it brings now,
    /// [`Denied::IssuerUnavailable`] if the token may be good and the keys to tell cannot be had, and
    /// [`Denied::Unauthenticated`] in every other case.
    pub async fn authenticate(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
    ) -> Result<Principal, Denied> {
        if self.0.is_off() {
            return Ok(Principal::anonymous());
        }
        let attempt = self.0.limiter.attempt(peer, Instant::now());
        let attempt = attempt.map_err(|retry_after| {
            self.refused(Reason::RateLimited, peer);
            Denied::TooManyFailures { retry_after }
        })?;
        let identified = self.0.identify(headers).await;
        if !identified.as_ref().is_err_and(|reason| reason.is_a_guess()) {
            attempt.forgive();
        }
        identified.map_err(|reason| {
            self.refused(reason, peer);
            reason.denied()
        })
    }

    /// Returns whether `principal` may act as `role` in `namespace`.
    ///
    /// # Errors
    ///
    /// [`Denied::Forbidden`] if not, which is counted.
    pub fn authorize(
        &self,
        principal: &Principal,
        namespace: &str,
        role: Role,
    ) -> Result<(), Denied> {
        if principal.may(namespace, role) {
            return Ok(());
        }
        tracing::debug!(auth.principal = principal.name(), auth.namespace = namespace, auth.role = ?role, "not allowed");
        self.0.counters.count(Reason::Forbidden);
        Err(Denied::Forbidden)
    }

    fn refused(&self, reason: Reason, peer: IpAddr) {
        tracing::debug!(auth.reason = reason.label(), client.address = %peer, "credentials are not accepted");
        self.0.counters.count(reason);
    }
}

impl Parts {
    fn is_off(&self) -> bool {
        self.tokens.is_none() && self.verifier.is_none()
    }

    async fn identify(&self, headers: &HeaderMap) -> Result<Principal, Reason> {
        match self.credential(headers)? {
            Credential::Static(token) => {
                let tokens = self.tokens.as_ref().ok_or(Reason::UnknownToken)?.current();
                tokens.find(token).ok_or(Reason::UnknownToken)
            }
            Credential::Jwt(token) => {
                let verifier = self.verifier.as_ref().ok_or(Reason::UnknownToken)?;
                verifier.verify(token).await
            }
        }
    }

    /// With both methods on, the prefix of a token tells which one it is for.
    fn credential<'a>(&self, headers: &'a HeaderMap) -> Result<Credential<'a>, Reason> {
        if self.verifier.is_none() {
            return bearer::authorization(headers).map(Credential::Static);
        }
        if self.tokens.is_some()
            && let Ok(token) = bearer::authorization(headers)
            && token.starts_with(tokens::PREFIX)
        {
            return Ok(Credential::Static(token));
        }
        match self.header {
            TokenHeader::Authorization => bearer::authorization(headers),
            TokenHeader::AuthorizationExtras => bearer::extras(headers),
        }
        .map(Credential::Jwt)
    }
}
