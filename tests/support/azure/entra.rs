//! Entra's token endpoint, for workloads that show a federated token.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use super::{
    AUTHORITY_HOST, CLIENT_ID, RESOURCE, STORAGE, TENANT_ID,
    assertion::{AUDIENCE, Assertion, ISSUER, SUBJECT},
    random,
    reply::Reply,
    state::{Issued, State},
};

/// The only kind of assertion there is, RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Services accept tokens for this long after they expired, as Microsoft.IdentityModel does by default.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// How all refusals begin that have to do with the federated credential.
const UNMATCHED: &str = "No matching federated identity record found for presented assertion";
const DOCUMENTED: &str =
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation";

/// The code, and what follows it.
type Refusal = (u32, String);

/// The fields of a token request.
pub(super) type Form = HashMap<String, String>;

/// Reads the body of a token request.
pub(super) fn form(body: &[u8]) -> Form {
    url::form_urlencoded::parse(body).into_owned().collect()
}

/// Returns which federated token is shown.
pub(super) fn assertion_id(form: &Form) -> Option<String> {
    Some(Assertion::read(form.get("client_assertion")?)?.id)
}

/// Answers a token request.
pub(super) fn token(state: &mut State, tenant: &str, form: &Form) -> Reply {
    let now = state.now();
    let client_id = match check(state, tenant, form, now) {
        Ok(client_id) => client_id,
        Err((code, words)) => return refusal(code, &words, now),
    };
    let lifetime = state.token_lifetime;
    let token = match resource(form) {
        STORAGE => storage_token(now, lifetime),
        _ => format!(
            "fake.{}",
            BASE64_URL_SAFE_NO_PAD.encode(random::bytes::<96>())
        ),
    };
    let expires = now + lifetime;
    let issued = Issued { expires, client_id };
    state.tokens.insert(token.clone(), issued);
    Reply::json(
        200,
        &json!({
            "access_token": token,
            "expires_in": lifetime.as_secs(),
            "ext_expires_in": lifetime.as_secs(),
            "token_type": "Bearer",
        }),
    )
}

/// A token as a storage account wants it: Azurite reads it, other than our vault.
pub(super) fn storage_token(now: SystemTime, lifetime: Duration) -> String {
    let seconds = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let claims = json!({
        "aud": STORAGE,
        "iss": format!("https://sts.windows.net/{TENANT_ID}/"),
        "iat": seconds(now),
        "nbf": seconds(now),
        "exp": seconds(now + lifetime),
        "appid": CLIENT_ID,
        "tid": TENANT_ID,
        "uti": random::uuid(),
    });
    let part = |json: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let header = part(json!({"alg": "RS256", "typ": "JWT"}));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(random::bytes::<96>());
    format!("{header}.{}.{signature}", part(claims))
}

/// What the token is to be for, empty for what no client asks for.
fn resource(form: &Form) -> &str {
    // MSAL for Go adds the scopes of OpenID Connect behind the one it wants.
    let scope = form.get("scope").map_or("", String::as_str);
    let first = scope.split(' ').next().unwrap_or_default();
    first.strip_suffix("/.default").unwrap_or_default()
}

/// Returns the client id of the identity that the form is for.
fn check(state: &State, tenant: &str, form: &Form, now: SystemTime) -> Result<String, Refusal> {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    if tenant != TENANT_ID {
        let advice = "Check to make sure you have the correct tenant ID.";
        return refuse(90002, format!("Tenant '{tenant}' not found. {advice}"));
    }
    for (name, expected) in [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION_TYPE),
    ] {
        if field(name) != expected {
            let words = "The request body must contain the following parameter";
            return refuse(900_144, format!("{words}: '{name}'."));
        }
    }
    let (client, scope) = (field("client_id"), field("scope"));
    let Some(subject) = state.subject(client) else {
        let words = format!("Application with identifier '{client}' was not found");
        return refuse(700_016, format!("{words} in the directory 'Sealane'."));
    };
    if ![RESOURCE, STORAGE].contains(&resource(form)) {
        let words = format!("The resource principal named {scope} was not found");
        return refuse(500_011, format!("{words} in the tenant named Sealane."));
    }
    match Assertion::read(field("client_assertion")) {
        Some(assertion) => trusts(subject, &assertion, now)?,
        None => return refuse(50027, "JWT token is invalid or malformed.".to_owned()),
    }
    Ok(client.to_owned())
}

/// Whether the identity trusts the token's issuer, and this subject of it.
fn trusts(trusted: &str, assertion: &Assertion, now: SystemTime) -> Result<(), Refusal> {
    let unmatched = |code: u32, claim: &str, value: &str| {
        refuse(code, format!("{UNMATCHED} {claim} '{value}'. {DOCUMENTED}"))
    };
    let subject = assertion.subject.as_str();
    if assertion.issuer != ISSUER {
        return unmatched(700_211, "issuer", &assertion.issuer);
    }
    if subject != trusted {
        let case_only = subject.eq_ignore_ascii_case(trusted);
        let code = if case_only { 7_002_138 } else { 700_213 };
        return unmatched(code, "subject", subject);
    }
    if assertion.audience != AUDIENCE {
        return unmatched(700_212, "audience", &assertion.audience);
    }
    if assertion.expires <= now {
        return refuse(700_024, outside_its_time(assertion.expires, now));
    }
    Ok(())
}

fn refuse<T>(code: u32, words: String) -> Result<T, Refusal> {
    Err((code, words))
}

fn outside_its_time(expires: SystemTime, now: SystemTime) -> String {
    format!(
        "Client assertion is not within its valid time range. Current time: {}, assertion valid \
         from {}, expiry time of assertion {}. Review the documentation at \
         https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        humantime::format_rfc3339_nanos(now),
        humantime::format_rfc3339_nanos(expires - Duration::from_secs(3600)),
        humantime::format_rfc3339_nanos(expires),
    )
}

/// A refusal on demand, whatever was asked.
pub(super) fn refused(code: u32, now: SystemTime) -> Reply {
    let words = match code {
        70021 => format!(
            "{UNMATCHED}. Assertion Issuer: '{ISSUER}'. Assertion Subject: '{SUBJECT}'. \
             Assertion Audience: '{AUDIENCE}'. {DOCUMENTED}"
        ),
        700_024 => outside_its_time(now - Duration::from_secs(60), now),
        _ => "The request was refused because a test wants it so.".to_owned(),
    };
    refusal(code, &words, now)
}

/// Status and `error` by code, as reported for each.
fn refusal(code: u32, words: &str, now: SystemTime) -> Reply {
    let (status, error) = match code {
        90002 | 900_144 => (400, "invalid_request"),
        700_016 => (400, "unauthorized_client"),
        500_011 => (400, "invalid_resource"),
        90033 => (503, "temporarily_unavailable"),
        _ => (401, "invalid_client"),
    };
    let timestamp = humantime::format_rfc3339_seconds(now)
        .to_string()
        .replace('T', " ");
    let (trace, correlation) = (random::uuid(), random::uuid());
    let description = format!(
        "AADSTS{code}: {words} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}"
    );
    Reply::json(
        status,
        &json!({
            "error": error,
            "error_description": description,
            "error_codes": [code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://{AUTHORITY_HOST}/error?code={code}"),
        }),
    )
}

/// What clients may ask before their first exchange.
pub(super) fn discovery(segments: &[&str]) -> Reply {
    let authority = format!("https://{AUTHORITY_HOST}/{TENANT_ID}");
    let configuration = format!("{authority}/v2.0/.well-known/openid-configuration");
    let body = match segments {
        ["common", "discovery", "instance"] => json!({
            "tenant_discovery_endpoint": configuration,
            "api-version": "1.1",
            "metadata": [{
                "preferred_network": AUTHORITY_HOST,
                "preferred_cache": AUTHORITY_HOST,
                "aliases": [AUTHORITY_HOST],
            }],
        }),
        _ => json!({
            "issuer": format!("{authority}/v2.0"),
            "token_endpoint": format!("{authority}/oauth2/v2.0/token"),
            "authorization_endpoint": format!("{authority}/oauth2/v2.0/authorize"),
            "jwks_uri": format!("{authority}/discovery/v2.0/keys"),
        }),
    };
    Reply::json(200, &body)
}

/// Returns the identity to which `token` was issued, if it was, and not too long ago.
pub(super) fn identity<'a>(state: &'a State, token: &str) -> Option<&'a str> {
    let issued = state.tokens.get(token)?;
    let is_valid = issued.expires + CLOCK_SKEW > state.now();
    is_valid.then_some(issued.client_id.as_str())
}
