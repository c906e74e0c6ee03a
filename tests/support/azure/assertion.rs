//! Federated tokens, as Kubernetes projects them into a pod.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::random;

/// What Entra expects to find in a federated token, and what [`Assertion::default`] says.
pub const ISSUER: &str = "https://westeurope.oic.prod-aks.azure.com/72f988bf/0f1a2b3c/";
/// The service account that the identity trusts.
pub const SUBJECT: &str = "system:serviceaccount:sealane:sealane-worker";
/// The audience that the webhook asks for.
pub const AUDIENCE: &str = "api://AzureADTokenExchange";

/// As long as the webhook's tokens live by default.
const LIFETIME: Duration = Duration::from_secs(3600);

/// The claims of a federated token.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `aud`.
    pub audience: String,
    /// `exp`.
    pub expires: SystemTime,
    /// `jti`, different for every token.
    pub id: String,
}

impl Default for Assertion {
    fn default() -> Self {
        Self {
            issuer: ISSUER.to_owned(),
            subject: SUBJECT.to_owned(),
            audience: AUDIENCE.to_owned(),
            expires: SystemTime::now() + LIFETIME,
            id: random::hex(),
        }
    }
}

impl Assertion {
    /// Returns the token: a JWT whose signature nobody checks.
    pub fn token(&self) -> String {
        let header = json!({ "alg": "RS256", "kid": "fake" });
        let claims = json!({
            "aud": [self.audience],
            "exp": seconds(self.expires),
            "iat": seconds(self.expires - LIFETIME),
            "iss": self.issuer,
            "jti": self.id,
            "nbf": seconds(self.expires - LIFETIME),
            "sub": self.subject,
        });
        let signature = BASE64_URL_SAFE_NO_PAD.encode(random::bytes::<256>());
        format!("{}.{}.{signature}", part(&header), part(&claims))
    }

    /// Reads a token; none if it is not one.
    pub(super) fn read(token: &str) -> Option<Self> {
        let claims = token.trim().split('.').nth(1)?;
        let claims: Value =
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let text = |name: &str| claims[name].as_str().map(str::to_owned);
        Some(Self {
            issuer: text("iss")?,
            subject: text("sub")?,
            audience: text("aud").or_else(|| Some(claims["aud"][0].as_str()?.to_owned()))?,
            expires: UNIX_EPOCH + Duration::from_secs(claims["exp"].as_u64()?),
            id: text("jti").unwrap_or_default(),
        })
    }
}

fn part(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Azure counts whole seconds.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
