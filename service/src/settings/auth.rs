//! Who may use the HTTP API and the codec server.

use std::path::PathBuf;

use url::Url;

use super::{
    definitions::definition,
    http::list,
    temporal::{has_credentials, is_loopback},
    values::{Noted, Values},
};

/// How callers prove who they are. Nobody has to if both are `None`, which is for loopback only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auth {
    /// File with the digests of static bearer tokens.
    pub tokens_file: Option<PathBuf>,
    /// Issuer of the tokens of people and other services.
    pub oidc: Option<Oidc>,
}

impl Auth {
    /// Returns whether nobody has to prove anything.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.tokens_file.is_none() && self.oidc.is_none()
    }
}

/// Whose JSON Web Tokens are accepted, and what they allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oidc {
    /// Exactly what the claim `iss` has to be.
    pub issuer: String,
    /// Where its keys are; found by discovery if `None`.
    pub jwks: Option<Url>,
    /// Values of the claim `aud` of which one has to be there.
    pub audiences: Vec<String>,
    /// Signature algorithms that are accepted, by their JOSE names; none is symmetric.
    pub algorithms: Vec<String>,
    /// Header that carries the token.
    pub token_header: TokenHeader,
    /// File that says which claims give which role in which namespaces.
    pub grants_file: Option<PathBuf>,
    /// Claim with permissions as Temporal's own authorizer reads them.
    pub permissions_claim: Option<String>,
    /// Certificate authority to trust beside the system's, for the issuer.
    pub ca_file: Option<PathBuf>,
}

/// Header that carries a JSON Web Token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenHeader {
    /// `Authorization`, where the Web UI puts the access token.
    Authorization,
    /// `Authorization-Extras`, where the Web UI puts the ID token.
    AuthorizationExtras,
}

/// Asymmetric algorithms of [RFC 7518](https://www.rfc-editor.org/rfc/rfc7518#section-3.1) and
/// [RFC 8037](https://www.rfc-editor.org/rfc/rfc8037#section-3.1) that the verifier knows.
const ALGORITHMS: [&str; 9] = [
    "ES256", "ES384", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512",
];

/// Issuer, keys and audience of Temporal Cloud's own logins, as
/// [its CLI](https://github.com/temporalio/cli) asks for them.
const CLOUD_ISSUER: &str = "https://login.tmprl.cloud/";
const CLOUD_KEYS: &str = "https://login.tmprl.cloud/.well-known/jwks.json";
const CLOUD_AUDIENCE: &str = "https://saas-api.tmprl.cloud";

/// Issuer of version 2 tokens of one Entra tenant, before and after its id
/// ([access tokens](https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference)).
const ENTRA_ISSUER: (&str, &str) = ("https://login.microsoftonline.com/", "/v2.0");

/// What `SEALANE_AUTH` turns on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Tokens,
    Issuer(Issuer),
}

/// Whose tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Issuer {
    Any,
    EntraId,
    TemporalCloud,
}

pub(super) fn read(values: &mut Values) -> Result<Auth, Noted> {
    let methods = values.parse("SEALANE_AUTH", methods);
    let tokens_file = values.optional("SEALANE_AUTH_TOKENS_FILE", path);
    let parts = Parts::read(values);
    let (methods, tokens_file, parts) = (methods?, tokens_file?, parts?);
    check_used(values, &methods)?;
    let mut auth = Auth::default();
    for method in methods {
        match method {
            Method::Tokens => {
                let file = tokens_file.clone();
                let file = file.ok_or_else(|| needed(values, "SEALANE_AUTH_TOKENS_FILE", "tokens"));
                auth.tokens_file = Some(file?);
            }
            Method::Issuer(issuer) => auth.oidc = Some(parts.clone().of(values, issuer)?),
        }
    }
    Ok(auth)
}

/// Settings that say how tokens of an issuer are read, whoever it is.
const OF_ISSUERS: [&str; 6] = [
    "SEALANE_AUTH_AUDIENCE",
    "SEALANE_AUTH_ALGORITHMS",
    "SEALANE_AUTH_TOKEN_HEADER",
    "SEALANE_AUTH_GRANTS_FILE",
    "SEALANE_AUTH_PERMISSIONS_CLAIM",
    "SEALANE_AUTH_CA_FILE",
];

/// Whoever sets these believes that callers are asked for tokens, and may be the only one who does.
fn check_used(values: &mut Values, methods: &[Method]) -> Result<(), Noted> {
    let has_issuer = methods.iter().any(|it| *it != Method::Tokens);
    let has = |method| methods.contains(&method);
    let own = [
        ("SEALANE_AUTH_TOKENS_FILE", has(Method::Tokens), "tokens"),
        (
            "SEALANE_AUTH_ISSUER",
            has(Method::Issuer(Issuer::Any)),
            "oidc",
        ),
    ];
    let shared = OF_ISSUERS.map(|name| (name, has_issuer, "oidc, entra-id or temporal-cloud"));
    let mut checked = Ok(());
    for (name, is_used, method) in own.into_iter().chain(shared) {
        if values.is_set(name) && !is_used {
            let expected = format!("no value, or SEALANE_AUTH with {method}");
            checked = Err(values.reject_as(name, expected));
        }
    }
    checked
}

fn needed(values: &mut Values, name: &'static str, because: &str) -> Noted {
    let domain = definition(name).domain;
    values.miss(
        name,
        format!("{domain} because SEALANE_AUTH has {because:?}"),
    )
}

/// What is known about tokens before it is known whose they are.
#[derive(Clone)]
struct Parts {
    issuer: Option<String>,
    audiences: Option<Vec<String>>,
    tenant: Option<String>,
    oidc: Oidc,
}

impl Parts {
    fn read(values: &mut Values) -> Result<Self, Noted> {
        let issuer = values.optional("SEALANE_AUTH_ISSUER", issuer);
        let audiences = values.optional("SEALANE_AUTH_AUDIENCE", |text| {
            list(text).map(word).collect::<Option<Vec<_>>>()
        });
        let algorithms = values.parse("SEALANE_AUTH_ALGORITHMS", algorithms);
        let token_header = values.parse("SEALANE_AUTH_TOKEN_HEADER", |text| match text {
            "authorization" => Some(TokenHeader::Authorization),
            "authorization-extras" => Some(TokenHeader::AuthorizationExtras),
            _ => None,
        });
        let grants_file = values.optional("SEALANE_AUTH_GRANTS_FILE", path);
        let permissions_claim = values.optional("SEALANE_AUTH_PERMISSIONS_CLAIM", word);
        let ca_file = values.optional("SEALANE_AUTH_CA_FILE", path);
        let tenant = values.get("AZURE_TENANT_ID").map(|(id, _)| id.to_owned());
        let oidc = Oidc {
            issuer: String::new(),
            jwks: None,
            audiences: Vec::new(),
            algorithms: algorithms?,
            token_header: token_header?,
            grants_file: grants_file?,
            permissions_claim: permissions_claim?,
            ca_file: ca_file?,
        };
        Ok(Self {
            issuer: issuer?,
            audiences: audiences?,
            tenant,
            oidc,
        })
    }

    fn of(self, values: &mut Values, issuer: Issuer) -> Result<Oidc, Noted> {
        match issuer {
            Issuer::Any => self.of_any(values),
            Issuer::EntraId => self.of_entra_id(values),
            Issuer::TemporalCloud => Ok(self.of_temporal_cloud()),
        }
    }

    fn of_any(self, values: &mut Values) -> Result<Oidc, Noted> {
        let issuer = self.issuer;
        let issuer = issuer.ok_or_else(|| needed(values, "SEALANE_AUTH_ISSUER", "oidc"));
        let audiences = self.audiences;
        let audiences = audiences.ok_or_else(|| needed(values, "SEALANE_AUTH_AUDIENCE", "oidc"));
        Ok(Oidc {
            issuer: issuer?,
            audiences: audiences?,
            ..self.oidc
        })
    }

    fn of_entra_id(self, values: &mut Values) -> Result<Oidc, Noted> {
        let tenant = self.tenant;
        let tenant = tenant.ok_or_else(|| needed(values, "AZURE_TENANT_ID", "entra-id"));
        let audiences = self.audiences;
        let audiences =
            audiences.ok_or_else(|| needed(values, "SEALANE_AUTH_AUDIENCE", "entra-id"));
        Ok(Oidc {
            issuer: format!("{}{}{}", ENTRA_ISSUER.0, tenant?, ENTRA_ISSUER.1),
            audiences: audiences?,
            ..self.oidc
        })
    }

    fn of_temporal_cloud(self) -> Oidc {
        let audiences = self.audiences;
        Oidc {
            issuer: CLOUD_ISSUER.to_owned(),
            jwks: Some(Url::parse(CLOUD_KEYS).expect("a constant URL")),
            audiences: audiences.unwrap_or_else(|| vec![CLOUD_AUDIENCE.to_owned()]),
            ..self.oidc
        }
    }
}

/// Two issuers at once would leave open whose audience and grants are meant.
fn methods(text: &str) -> Option<Vec<Method>> {
    if text == "off" {
        return Some(Vec::new());
    }
    let methods = list(text).map(|name| match name {
        "tokens" => Some(Method::Tokens),
        "oidc" => Some(Method::Issuer(Issuer::Any)),
        "entra-id" => Some(Method::Issuer(Issuer::EntraId)),
        "temporal-cloud" => Some(Method::Issuer(Issuer::TemporalCloud)),
        _ => None,
    });
    let methods = methods.collect::<Option<Vec<_>>>()?;
    let issuers = methods.iter().filter(|it| **it != Method::Tokens).count();
    (issuers <= 1 && methods.len() - issuers <= 1).then_some(methods)
}

/// Kept as written, because `iss` has to be exactly this. Plain http is for an issuer on this machine.
fn issuer(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && !has_credentials(&url);
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        _ => false,
    };
    (is_plain && is_safe && url.has_host()).then(|| text.to_owned())
}

fn algorithms(text: &str) -> Option<Vec<String>> {
    let known = |name: &str| ALGORITHMS.contains(&name).then(|| name.to_owned());
    list(text).map(known).collect()
}

/// Files are read by the processes that need them; the others share the same settings without them.
fn path(text: &str) -> Option<PathBuf> {
    (!text.chars().any(char::is_control)).then(|| text.into())
}

fn word(text: &str) -> Option<String> {
    let is_word = !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    is_word.then(|| text.to_owned())
}
