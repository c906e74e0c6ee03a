//! One token: its form, its signature, its claims.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode,
    errors::{Error, ErrorKind},
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{denied::Reason, grants::Claims},
    algorithm::asymmetric,
};
use crate::settings::Oidc;

/// By how many seconds clocks may differ.
const LEEWAY: u64 = 60;

/// Longest key id that is looked up, in bytes. Digests in hex or base64, as issuers use them, are shorter.
const MAX_KEY_ID: usize = 512;

/// What stands before the claims, not yet to be believed.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood ([RFC 7515](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11)). None is.
    crit: Option<Value>,
}

impl Header {
    /// Reads the header of `token`, which has to have three parts.
    pub(super) fn read(token: &str) -> Result<Self, Reason> {
        let parts: Vec<_> = token.splitn(4, '.').collect();
        let [header, _, _] = parts[..] else {
            return Err(Reason::Malformed);
        };
        let header = BASE64_URL_SAFE_NO_PAD.decode(header);
        let header = header.map_err(|_| Reason::Malformed)?;
        let header: Self = serde_json::from_slice(&header).map_err(|_| Reason::Malformed)?;
        if header.crit.is_some() {
            return Err(Reason::Malformed);
        }
        Ok(header)
    }

    /// Returns which key is said to have signed. Without it any of them might have, so none has.
    pub(super) fn key_id(&self) -> Result<&str, Reason> {
        let id = self.kid.as_deref().filter(|id| id.len() <= MAX_KEY_ID);
        id.ok_or(Reason::Key)
    }
}

/// What a good token is like.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    issuer: String,
    audiences: Vec<String>,
    algorithms: Vec<Algorithm>,
}

impl Rules {
    pub(super) fn new(oidc: &Oidc, algorithms: Vec<Algorithm>) -> Self {
        Self {
            issuer: oidc.issuer.clone(),
            audiences: oidc.audiences.clone(),
            algorithms,
        }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the algorithm of the header, if it is allowed.
    pub(super) fn algorithm(&self, header: &Header) -> Result<Algorithm, Reason> {
        let named = asymmetric(&header.alg);
        let allowed = named.filter(|named| self.algorithms.contains(named));
        allowed.ok_or(Reason::Algorithm)
    }

    /// Returns the claims of `token`, if `key` has signed it by `algorithm` and they are as they should be.
    ///
    /// The library verifies the signature before it reads a claim, so what is said of a claim is said of the issuer's own.
    pub(super) fn verify(
        &self,
        token: &str,
        key: &DecodingKey,
        algorithm: Algorithm,
    ) -> Result<Claims, Reason> {
        let mut rules = Validation::new(algorithm);
        rules.set_required_spec_claims(&["exp", "iss", "aud"]);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&self.audiences);
        rules.leeway = LEEWAY;
        rules.validate_nbf = true;
        let verified = decode::<Claims>(token, key, &rules);
        let claims = verified.map_err(|error| reason(&error))?.claims;
        // The library also takes a list, in which ours may be one among others.
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(Reason::Issuer);
        }
        check_issued(&claims)?;
        Ok(claims)
    }
}

/// A token from the future is one whose issuer's clock cannot be trusted with `exp` either.
fn check_issued(claims: &Claims) -> Result<(), Reason> {
    let Some(issued) = claims.get("iat") else {
        return Ok(());
    };
    let issued = issued.as_f64().ok_or(Reason::Claims)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let latest = now.unwrap_or_default().as_secs_f64()
        + std::time::Duration::from_secs(LEEWAY).as_secs_f64();
    if issued > latest {
        return Err(Reason::NotYetValid);
    }
    Ok(())
}

/// Claims that say who somebody is, the best first. Tokens of programs may name the client alone: as `client_id`
/// ([RFC 9068](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)), as `azp`, or as `appid` in Entra's version 1.
const SUBJECTS: [&str; 4] = ["sub", "client_id", "azp", "appid"];

/// Returns which claim says who it is, and what it says.
///
/// The first that is there decides. Nobody is taken for the client where their own name makes no sense, and without any of
/// them all would be one and the same caller.
pub(super) fn subject(claims: &Claims) -> Result<(&'static str, &str), Reason> {
    let claim = SUBJECTS.into_iter().find(|name| claims.contains_key(*name));
    let claim = claim.ok_or(Reason::Claims)?;
    match claims.get(claim).and_then(Value::as_str) {
        Some(subject) if !subject.is_empty() => Ok((claim, subject)),
        _ => Err(Reason::Claims),
    }
}

fn reason(error: &Error) -> Reason {
    match error.kind() {
        ErrorKind::ExpiredSignature => Reason::Expired,
        ErrorKind::ImmatureSignature => Reason::NotYetValid,
        ErrorKind::InvalidAudience => Reason::Audience,
        ErrorKind::InvalidIssuer => Reason::Issuer,
        ErrorKind::InvalidSignature => Reason::Signature,
        ErrorKind::InvalidAlgorithm => Reason::Algorithm,
        ErrorKind::MissingRequiredClaim(claim) => match claim.as_str() {
            "aud" => Reason::Audience,
            "iss" => Reason::Issuer,
            _ => Reason::Claims,
        },
        ErrorKind::InvalidClaimFormat(_) => Reason::Claims,
        _ => Reason::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

    use serde_json::json;

    use super::{Header, MAX_KEY_ID, Reason, subject};

    fn token(header: &str) -> String {
        format!("{}.e30.AA", BASE64_URL_SAFE_NO_PAD.encode(header))
    }

    #[test]
    fn tokens_have_three_parts_and_no_extensions() {
        let good = token(r#"{"alg":"RS256","kid":"a"}"#);
        assert_eq!(Header::read(&good).unwrap().key_id(), Ok("a"));
        for bad in [
            "",
            "..",
            "a.b.c",
            &good[..good.len() - 3],
            &format!("{good}.AA"),
            &format!("={good}"),
            &token(r#"{"alg":"RS256","kid":"a","crit":["b64"]}"#),
            &token(r#"{"alg":"RS256","kid":"a","crit":[]}"#),
            &token(r#"{"alg":"RS256","alg":"none","kid":"a"}"#),
            &token(r#"{"kid":"a"}"#),
            &token(r#"["RS256"]"#),
        ] {
            let read = Header::read(bad);
            assert_eq!(read.err(), Some(Reason::Malformed), "{bad}");
        }
    }

    #[test]
    fn programs_are_known_by_their_client_and_nobody_by_nothing() {
        for (claims, expected) in [
            (json!({ "sub": "ada", "azp": "ui" }), Ok(("sub", "ada"))),
            (
                json!({ "client_id": "ci", "azp": "ui" }),
                Ok(("client_id", "ci")),
            ),
            (json!({ "azp": "ui", "appid": "old" }), Ok(("azp", "ui"))),
            (json!({ "appid": "old" }), Ok(("appid", "old"))),
            (json!({}), Err(Reason::Claims)),
            (json!({ "sub": "" }), Err(Reason::Claims)),
            (json!({ "sub": null, "azp": "ui" }), Err(Reason::Claims)),
            (json!({ "sub": 7, "azp": "ui" }), Err(Reason::Claims)),
        ] {
            let found = subject(claims.as_object().unwrap());
            assert_eq!(found, expected, "{claims}");
        }
    }

    #[test]
    fn a_key_has_to_be_named() {
        let long = "a".repeat(MAX_KEY_ID + 1);
        for header in [
            r#"{"alg":"RS256"}"#.to_owned(),
            r#"{"alg":"RS256","kid":null}"#.to_owned(),
            format!(r#"{{"alg":"RS256","kid":"{long}"}}"#),
        ] {
            let header = Header::read(&token(&header)).unwrap();
            assert_eq!(header.key_id(), Err(Reason::Key));
        }
    }
}
