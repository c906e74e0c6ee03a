//! What is known of the process under examination, be it little.

use std::{collections::BTreeMap, ffi::OsString, fs, path::Path, time::Duration};

use sealane_codec::azure::Azure;
use sealane_service::{
    encryption,
    settings::{ApiKey, AzureIdentity, Encryption, EncryptionMode, KeySource, Parts, report},
};
use url::Url;

use super::LIMIT;

/// Fewer characters than any credential has.
const LEAST_SECRET: usize = 8;

/// The usable parts of the settings, and the values of the others.
pub(super) struct Subject {
    pub(super) parts: Parts,
    values: BTreeMap<String, String>,
    /// Name of the pod, if this is one.
    pub(super) pod: Option<String>,
}

impl Subject {
    pub(super) fn new(config: Option<&Path>, env: &impl Fn(&str) -> Option<OsString>) -> Self {
        let rows = report(config, env).into_iter();
        let values = rows.filter_map(|row| Some((row.name, row.value?)));
        let in_pod = env("KUBERNETES_SERVICE_HOST").is_some();
        let pod = env("HOSTNAME").filter(|_| in_pod);
        Self {
            parts: Parts::read(config, env),
            values: values.collect(),
            pod: pod.and_then(|name| name.into_string().ok()),
        }
    }

    /// The value of a setting that is no secret, whether or not it can be used.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    pub(super) fn encryption(&self) -> Option<&Encryption> {
        self.parts.encryption.as_ref()
    }

    /// Whether payloads are sent in plaintext.
    pub(super) fn is_off(&self) -> bool {
        match self.encryption() {
            Some(encryption) => encryption.mode == EncryptionMode::Off,
            None => self.value("SEALANE_ENCRYPTION") == Some("off"),
        }
    }

    /// Whether data keys encrypt, and no key of the ring does.
    pub(super) fn has_data_keys(&self) -> bool {
        let envelope = self.parts.envelope.as_ref();
        envelope.is_some_and(|envelope| envelope.encrypts)
    }

    /// Whether keys are to come from a file and from a vault, so that nobody can say from where.
    pub(super) fn has_two_sources(&self) -> bool {
        let sources = ["SEALANE_KEY_FILE", self.vault_of_keys()];
        sources.iter().all(|name| self.value(name).is_some())
    }

    /// Whether the API key is to come from a vault.
    pub(super) fn has_api_key_secret(&self) -> bool {
        self.value("KEYVAULT_API_KEY_SECRET_NAME").is_some()
    }

    /// The setting that says that keys are in the vault, which may be there for the API key alone.
    fn vault_of_keys(&self) -> &'static str {
        if self.has_api_key_secret() {
            "KEYVAULT_SECRET_NAME"
        } else {
            "KEYVAULT_URL"
        }
    }

    /// Why nothing is asked of Azure, if nothing is.
    pub(super) fn without_azure(&self) -> Option<&'static str> {
        self.without_keys().filter(|_| !self.has_api_key_secret())
    }

    /// Why Azure is not asked for keys, if it is not.
    pub(super) fn without_keys(&self) -> Option<&'static str> {
        let asked = [self.vault_of_keys(), "KEYVAULT_KEY_URI"];
        if self.is_off() {
            Some("SEALANE_ENCRYPTION=off")
        } else if self.has_two_sources() {
            Some("cannot be checked before settings passes")
        } else if asked.iter().any(|name| self.value(name).is_some()) {
            None
        } else if self.value("SEALANE_KEY_FILE").is_some() {
            Some("keys come from SEALANE_KEY_FILE")
        } else if self.value("AZURE_FEDERATED_TOKEN_FILE").is_some() {
            None
        } else {
            Some("KEYVAULT_URL is not set")
        }
    }

    /// Why there is no token file to look at, if there is none by design.
    pub(super) fn without_token_file(&self) -> Option<&'static str> {
        let identity = self.parts.azure.as_ref().map(|azure| &azure.identity);
        self.without_azure().or(match identity {
            Some(AzureIdentity::Managed { .. }) => Some("the machine's managed identity is used"),
            Some(AzureIdentity::Developer) => Some("the login of az or azd is used"),
            Some(AzureIdentity::Workload { .. }) | None => None,
        })
    }

    /// Access to Azure with calls that end in time, or why there is none.
    pub(super) fn azure(&self) -> Result<Azure, String> {
        let settings = self.parts.azure.as_ref();
        let settings = settings.ok_or("cannot be checked before settings passes")?;
        let azure = encryption::azure(settings).map_err(|error| error.to_string())?;
        Ok(azure.with_call_limit(LIMIT))
    }

    /// The certificates that the process trusts beside the system's.
    pub(super) fn root(&self) -> Result<Option<Vec<u8>>, String> {
        let root = self.value("KEYVAULT_CA_FILE").map(fs::read);
        let root = root.transpose();
        root.map_err(|error| format!("KEYVAULT_CA_FILE cannot be read: {error}"))
    }

    /// Address of the vault, or of that of the first wrapping key.
    pub(super) fn vault(&self) -> Option<Url> {
        let first = self
            .value("KEYVAULT_KEY_URI")
            .and_then(|uris| uris.split(',').next());
        let first = first.map(|uri| uri.trim().replacen("azurekeyvault://", "https://", 1));
        let url = self.value("KEYVAULT_URL").map(str::to_owned).or(first)?;
        let url = Url::parse(&url)
            .ok()
            .filter(|url| url.scheme() == "https")?;
        url.join("/").ok()
    }

    /// How far clocks may differ before a rotation lets a process encrypt under a key that others
    /// do not have yet, if keys come from a vault.
    pub(super) fn room(&self) -> Option<Duration> {
        let vault = match self.encryption()?.source.as_ref()? {
            KeySource::KeyVault(vault) => vault,
            KeySource::File(_) => return None,
        };
        Some(vault.activation_delay.saturating_sub(vault.refresh))
    }

    /// What must not be in any finding, should a server quote it: the API key and all headers but
    /// those too short to be secret.
    pub(super) fn secrets(&self) -> Vec<String> {
        let Some(temporal) = &self.parts.temporal else {
            return Vec::new();
        };
        let key = match &temporal.api_key {
            ApiKey::Value(secret) => secret.expose().to_owned(),
            ApiKey::File(path) => fs::read_to_string(path).unwrap_or_default(),
            ApiKey::KeyVault(_) | ApiKey::None => String::new(),
        };
        let headers = temporal
            .headers
            .values()
            .map(|value| value.expose().to_owned());
        let secrets = headers.chain([key]).map(|secret| secret.trim().to_owned());
        secrets
            .filter(|secret| secret.len() >= LEAST_SECRET)
            .collect()
    }
}
