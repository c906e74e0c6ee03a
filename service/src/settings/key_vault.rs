//! Where keys come from in Azure, and as whom this process asks for them.

use std::{fs, io::Read, path::PathBuf, time::Duration};

use url::Url;

use super::{
    definitions::definition,
    temporal::has_credentials,
    values::{Noted, Values},
    worker::duration,
};

/// A secret whose versions are the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyVault {
    /// The vault.
    pub url: Url,
    /// Name of the secret.
    pub secret: String,
    /// How often its versions are listed, at least.
    pub refresh: Duration,
    /// How old a version must be before it encrypts, at least twice [`refresh`](Self::refresh).
    pub activation_delay: Duration,
    /// How long refreshes may fail before the process says that it is not ready, at least twice
    /// [`refresh`](Self::refresh).
    pub stale_after: Duration,
}

/// A secret whose newest version is the API key of the Temporal service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeySecret {
    /// The vault.
    pub url: Url,
    /// Name of the secret.
    pub secret: String,
    /// How often its versions are listed, at least.
    pub refresh: Duration,
    /// As whom.
    pub azure: Azure,
}

/// RSA keys in Key Vault that wrap data keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// URIs of the keys: the first one wraps, all unwrap.
    pub key_uris: Vec<String>,
    /// Whether payloads are encrypted under data keys; otherwise such payloads are only read.
    pub encrypts: bool,
    /// How long one data key encrypts.
    pub max_age: Duration,
    /// How many payloads one data key encrypts.
    pub max_seals: u64,
}

/// How this process reaches Azure, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Azure {
    /// Who to be.
    pub identity: AzureIdentity,
    /// Root certificate to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// How long a start waits for a refusal or an outage to pass.
    pub start_limit: Duration,
}

/// Who to be towards Azure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AzureIdentity {
    /// The workload identity of the pod's service account.
    Workload {
        /// Entra tenant.
        tenant_id: String,
        /// Client id of the identity.
        client_id: String,
        /// File with the service account token, replaced while the process runs.
        token_file: PathBuf,
        /// Where tokens are exchanged.
        authority_host: Url,
    },
    /// The managed identity of the machine.
    Managed {
        /// Client id, if it is a user-assigned one.
        client_id: Option<String>,
    },
    /// Whoever is logged in with `az` or `azd`.
    Developer,
}

/// Its value is the name of a secret in the vault, not the key.
pub(super) const API_KEY: &str = "KEYVAULT_API_KEY_SECRET_NAME";

const REFRESH: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(1));
const DELAY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_hours(24 * 7));
const STALE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_hours(24 * 30));
const START: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(10));

/// Longest name of a secret or key
/// ([Key Vault naming](https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates)).
const LONGEST_NAME: usize = 127;

/// What to look at where the workload identity webhook has not done its work.
const NOT_INJECTED: &str = "as the workload identity webhook sets it: is the pod labelled \
    azure.workload.identity/use: \"true\", its service account annotated with \
    azure.workload.identity/client-id, and the webhook running?";

/// Reads the secret that holds the keys, if one is configured.
pub(super) fn key_vault(values: &mut Values) -> Result<Option<KeyVault>, Noted> {
    let paired = if values.is_set(API_KEY) && !values.is_set("KEYVAULT_SECRET_NAME") {
        // The vault holds something else.
        Ok(())
    } else {
        values.pair("KEYVAULT_URL", "KEYVAULT_SECRET_NAME")
    };
    let url = values.optional("KEYVAULT_URL", vault_url);
    let secret = values.optional("KEYVAULT_SECRET_NAME", object_name);
    let refresh = refresh(values);
    let activation_delay =
        values.parse("SEALANE_KEY_ACTIVATION_DELAY", |text| duration(text, DELAY));
    let stale_after = values.parse("SEALANE_KEY_STALE_AFTER", |text| duration(text, STALE));
    paired?;
    let refresh = refresh?;
    let mut twice = |name, value, why| at_least_twice(values, name, value, refresh, why);
    let activation_delay = twice(
        "SEALANE_KEY_ACTIVATION_DELAY",
        activation_delay?,
        "so that all processes hold a key before one encrypts under it",
    );
    let stale_after = twice(
        "SEALANE_KEY_STALE_AFTER",
        stale_after?,
        "so that keys are not called stale between two refreshes",
    );
    let (activation_delay, stale_after) = (activation_delay?, stale_after?);
    Ok(url?.zip(secret?).map(|(url, secret)| KeyVault {
        url,
        secret,
        refresh,
        activation_delay,
        stale_after,
    }))
}

fn refresh(values: &mut Values) -> Result<Duration, Noted> {
    values.parse("SEALANE_KEY_REFRESH", |text| duration(text, REFRESH))
}

/// Reads the secret that holds the API key, if one is configured.
pub(super) fn api_key(values: &mut Values) -> Result<Option<ApiKeySecret>, Noted> {
    let Some(secret) = values.optional(API_KEY, object_name)? else {
        return Ok(None);
    };
    let url = values.optional("KEYVAULT_URL", vault_url);
    let refresh = refresh(values);
    let azure = azure(values, true);
    let url = match url? {
        Some(url) => url,
        // One line is enough.
        None if values.is_set("KEYVAULT_SECRET_NAME") => return Err(Noted),
        None => {
            let domain = definition("KEYVAULT_URL").domain;
            return Err(values.miss("KEYVAULT_URL", format!("{domain} because {API_KEY} is set")));
        }
    };
    let refresh = refresh?;
    Ok(azure?.map(|azure| ApiKeySecret {
        url,
        secret,
        refresh,
        azure,
    }))
}

fn at_least_twice(
    values: &mut Values,
    name: &'static str,
    value: Duration,
    refresh: Duration,
    why: &str,
) -> Result<Duration, Noted> {
    if value >= 2 * refresh {
        return Ok(value);
    }
    let least = humantime::format_duration(2 * refresh);
    let expected = format!("at least {least}, twice SEALANE_KEY_REFRESH, {why}");
    Err(values.reject_as(name, expected))
}

/// Reads what wraps data keys, if anything does.
pub(super) fn envelope(values: &mut Values) -> Result<Option<Envelope>, Noted> {
    let key_uris = values.optional("KEYVAULT_KEY_URI", key_uris);
    let encrypts = values.parse("SEALANE_KEY_MODE", |text| match text {
        "secret" => Some(false),
        "envelope" => Some(true),
        _ => None,
    });
    let max_age = values.parse("SEALANE_DATA_KEY_MAX_AGE", |text| duration(text, STALE));
    let max_seals = values.parse("SEALANE_DATA_KEY_MAX_SEALS", seals);
    let (key_uris, encrypts) = (key_uris?, encrypts?);
    if encrypts && key_uris.is_none() {
        let domain = definition("KEYVAULT_KEY_URI").domain;
        let expected = format!("{domain} because SEALANE_KEY_MODE is \"envelope\"");
        return Err(values.miss("KEYVAULT_KEY_URI", expected));
    }
    let (max_age, max_seals) = (max_age?, max_seals?);
    Ok(key_uris.map(|key_uris| Envelope {
        key_uris,
        encrypts,
        max_age,
        max_seals,
    }))
}

/// Reads as whom to ask for keys; `None` unless `needed`.
pub(super) fn azure(values: &mut Values, needed: bool) -> Result<Option<Azure>, Noted> {
    let ca_file = values.optional_or("KEYVAULT_CA_FILE", pem_file);
    let start_limit = values.parse("SEALANE_KEY_START_LIMIT", |text| duration(text, START));
    let identity = identity(values, needed);
    let (ca_file, start_limit) = (ca_file?, start_limit?);
    Ok(identity?.map(|identity| Azure {
        identity,
        ca_file,
        start_limit,
    }))
}

/// How the identity is chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Workload,
    Managed,
    Developer,
}

fn identity(values: &mut Values, needed: bool) -> Result<Option<AzureIdentity>, Noted> {
    let choice = values.optional("SEALANE_AZURE_CREDENTIAL", |text| match text {
        "workload" => Some(Choice::Workload),
        "managed" => Some(Choice::Managed),
        "developer" => Some(Choice::Developer),
        _ => None,
    });
    let tenant_id = values.optional("AZURE_TENANT_ID", entra_name);
    let client_id = values.optional("AZURE_CLIENT_ID", entra_name);
    let token_file = values.optional_or("AZURE_FEDERATED_TOKEN_FILE", token_file);
    let authority_host = values.parse("AZURE_AUTHORITY_HOST", https_url);
    let by_hand = choice?;
    if !needed {
        // Whatever is wrong with them is noted; nobody has to be known to Azure.
        return Ok(None);
    }
    let automatic = || {
        let injected = values.is_set("AZURE_FEDERATED_TOKEN_FILE") || values.in_pod();
        if injected {
            Choice::Workload
        } else {
            Choice::Developer
        }
    };
    Ok(Some(match by_hand.unwrap_or_else(automatic) {
        Choice::Workload => workload(values, tenant_id?, client_id?, token_file?, authority_host?)?,
        Choice::Managed => AzureIdentity::Managed {
            client_id: client_id?,
        },
        Choice::Developer => AzureIdentity::Developer,
    }))
}

fn workload(
    values: &mut Values,
    tenant_id: Option<String>,
    client_id: Option<String>,
    token_file: Option<PathBuf>,
    authority_host: Url,
) -> Result<AzureIdentity, Noted> {
    if let (None, None, None) = (&tenant_id, &client_id, &token_file) {
        // One cause, one line.
        let expected = format!("together with AZURE_TENANT_ID and AZURE_CLIENT_ID, {NOT_INJECTED}");
        return Err(values.miss("AZURE_FEDERATED_TOKEN_FILE", expected));
    }
    let tenant_id = tenant_id.ok_or_else(|| values.miss("AZURE_TENANT_ID", NOT_INJECTED));
    let client_id = client_id.ok_or_else(|| values.miss("AZURE_CLIENT_ID", NOT_INJECTED));
    let token_file =
        token_file.ok_or_else(|| values.miss("AZURE_FEDERATED_TOKEN_FILE", NOT_INJECTED));
    Ok(AzureIdentity::Workload {
        tenant_id: tenant_id?,
        client_id: client_id?,
        token_file: token_file?,
        authority_host,
    })
}

/// Accepts nothing but scheme, host and port: a path would be a secret's or a key's.
fn vault_url(text: &str) -> Option<Url> {
    https_url(text).filter(|url| url.path() == "/")
}

pub(super) fn https_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && !has_credentials(&url);
    (url.scheme() == "https" && url.has_host() && is_plain).then_some(url)
}

fn object_name(text: &str) -> Option<String> {
    let fits = (1..=LONGEST_NAME).contains(&text.len());
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (fits && text.chars().all(is_name)).then(|| text.to_owned())
}

/// Checks that each could be a key's URI; which key it is, is for the codec to read.
fn key_uris(text: &str) -> Option<Vec<String>> {
    let uris = text.split(',').map(|uri| key_uri(uri.trim()));
    uris.collect()
}

fn key_uri(text: &str) -> Option<String> {
    let rest = text.strip_prefix("azurekeyvault://");
    let rest = rest.or_else(|| text.strip_prefix("https://"))?;
    // What a query may ask for is for the codec to say, too.
    let mut parts = rest
        .split_once('?')
        .map_or(rest, |(path, _)| path)
        .split('/');
    let host = parts.next().filter(|host| !host.is_empty())?;
    Url::parse(&format!("https://{host}")).ok()?;
    let is_key = parts.next() == Some("keys") && parts.next().and_then(object_name).is_some();
    let version = parts
        .next()
        .is_none_or(|version| object_name(version).is_some());
    (is_key && version && parts.next().is_none()).then(|| text.to_owned())
}

/// Tenant and client ids become part of a URL and a form, so nothing but their own characters.
fn entra_name(text: &str) -> Option<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    text.chars().all(is_name).then(|| text.to_owned())
}

fn token_file(path: &str) -> Result<PathBuf, String> {
    let mut first = [0];
    match fs::File::open(path).and_then(|mut file| file.read(&mut first)) {
        Ok(1) => Ok(path.into()),
        Ok(_) => Err("a file that holds a service account token; this one is empty".to_owned()),
        Err(error) => Err(format!(
            "{}: {error}",
            definition("AZURE_FEDERATED_TOKEN_FILE").domain
        )),
    }
}

fn pem_file(path: &str) -> Result<PathBuf, String> {
    let domain = definition("KEYVAULT_CA_FILE").domain;
    let text = fs::read(path).map_err(|error| format!("{domain}: {error}"))?;
    let marker = b"-----BEGIN CERTIFICATE-----";
    if text.windows(marker.len()).any(|window| window == marker) {
        Ok(path.into())
    } else {
        Err(format!("{domain} with a certificate in it"))
    }
}

pub(super) fn seals(text: &str) -> Option<u64> {
    let seals = text.parse().ok()?;
    (1..=1 << 32).contains(&seals).then_some(seals)
}
