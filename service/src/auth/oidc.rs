//! JSON Web Tokens of an OIDC issuer.

mod algorithm;
mod cache;
mod fetch;
mod key_set;
mod token;

use std::{fs, sync::Arc};

use self::{
    algorithm::allowed,
    cache::KeyCache,
    fetch::Source,
    token::{Header, Rules as TokenRules},
};
use super::{
    denied::Reason,
    error::AuthError,
    files::Followed,
    grants::{self, Claims},
    metrics,
    principal::{Grants, Principal},
};
use crate::{
    probes::{Health, Metrics},
    settings::Oidc,
};

/// Verifies tokens, and says what they give.
#[derive(Debug)]
pub(super) struct Verifier {
    rules: TokenRules,
    keys: Arc<KeyCache>,
    grants: Option<Followed<grants::Rules>>,
    permissions_claim: Option<String>,
}

impl Verifier {
    /// Looks for the issuer's keys once, and goes on looking in the background.
    pub(super) async fn start(oidc: &Oidc, metrics: &Metrics) -> Result<Self, AuthError> {
        let grants = match &oidc.grants_file {
            Some(path) => Some(
                Followed::start(path, grants::parse)
                    .await
                    .map_err(AuthError::Grants)?,
            ),
            None => None,
        };
        if grants.is_none() && oidc.permissions_claim.is_none() {
            tracing::warn!(
                "no token of the issuer allows anything: set SEALANE_AUTH_GRANTS_FILE or SEALANE_AUTH_PERMISSIONS_CLAIM"
            );
        }
        let source = Source::new(oidc, certificates(oidc)?).map_err(AuthError::Client)?;
        let keys = KeyCache::start(source, metrics::key_failures(metrics)).await;
        let shown = Arc::downgrade(&keys);
        metrics.add_source(move || {
            let age = shown.upgrade().and_then(|keys| keys.age());
            std::future::ready(metrics::key_age(age.map(|age| age.as_secs_f64())))
        });
        Ok(Self {
            rules: TokenRules::new(oidc, allowed(&oidc.algorithms)),
            keys,
            grants,
            permissions_claim: oidc.permissions_claim.clone(),
        })
    }

    /// Keeps `condition` of `health` equal to whether there are keys.
    pub(super) fn expose(&self, condition: &'static str, health: &Health) {
        cache::expose(&self.keys, condition, health);
    }

    /// Returns whose token this is.
    ///
    /// What needs no key is looked at first, so that nonsense makes nobody ask the issuer.
    pub(super) async fn verify(&self, token: &str) -> Result<Principal, Reason> {
        let header = Header::read(token)?;
        let algorithm = self.rules.algorithm(&header)?;
        let id = header.key_id()?;
        let keys = self.keys.with(id).await?;
        let key = keys.find(id, algorithm)?;
        let claims = self.rules.verify(token, key, algorithm)?;
        self.principal(&claims)
    }

    fn principal(&self, claims: &Claims) -> Result<Principal, Reason> {
        let (claim, subject) = token::subject(claims)?;
        let mut given = Grants::default();
        if let Some(rules) = &self.grants {
            rules.current().apply(claims, &mut given);
        }
        if let Some(claim) = &self.permissions_claim {
            grants::permissions(claims, claim, &mut given);
        }
        let issuer = self.rules.issuer();
        Ok(Principal::subject(issuer, claim, subject, given))
    }
}

/// Reads the certificate authority to trust beside the system's.
fn certificates(oidc: &Oidc) -> Result<Vec<reqwest::Certificate>, AuthError> {
    let Some(path) = &oidc.ca_file else {
        return Ok(Vec::new());
    };
    let unusable = |reason: String| AuthError::CaFile {
        path: path.clone(),
        reason,
    };
    let pem = fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let certificates = reqwest::Certificate::from_pem_bundle(&pem);
    let certificates = certificates.map_err(|_| unusable("no PEM".to_owned()))?;
    if certificates.is_empty() {
        return Err(unusable("no certificate".to_owned()));
    }
    Ok(certificates)
}
