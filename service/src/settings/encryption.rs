//! Whether and how payloads are encrypted.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    definitions::definition,
    key_vault::{self, Azure, Envelope, KeyVault},
    large_payloads::{self, LargePayloads},
    temporal::name,
    values::{Noted, Values},
};

/// Whether and how payloads are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// Whether payloads are encrypted at all.
    pub mode: EncryptionMode,
    /// Where keys come from; always there if encryption is required, unless data keys encrypt.
    pub source: Option<KeySource>,
    /// What wraps data keys, if anything does.
    pub envelope: Option<Envelope>,
    /// As whom to ask for keys and blobs; there whenever a vault or a container is involved.
    pub azure: Option<Azure>,
    /// How many payloads this process encrypts under one key.
    pub seal_limit: u64,
    /// What happens beyond that.
    pub exhausted: Exhausted,
    /// Key for payloads in the old format without a key id.
    pub legacy_key_id: Option<String>,
    /// What happens to payloads that arrive unencrypted.
    pub decode: Decode,
    /// What happens to payloads before they are encrypted.
    pub compression: Compression,
    /// What happens to those that are too large afterwards, if anything does.
    pub large_payloads: Option<LargePayloads>,
}

/// Where keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A key ring file or directory.
    File(PathBuf),
    /// The versions of a secret.
    KeyVault(KeyVault),
}

/// What happens once a key has encrypted as many payloads as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// Nothing more is encrypted under it.
    Refuse,
    /// A warning.
    Warn,
}

/// Whether payloads are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptionMode {
    /// Nothing is sent in plaintext.
    Required,
    /// Everything is sent in plaintext.
    Off,
}

/// What happens to payloads that arrive unencrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decode {
    /// They are accepted, as is needed while encryption is being introduced.
    Permissive,
    /// They are refused.
    Strict,
}

/// What happens to payloads before they are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Nothing.
    Off,
    /// They are compressed with zlib.
    Zlib,
}

/// Far longer than any id; keeps what is no id out of messages.
const LONGEST_KEY_ID: usize = 1000;

pub(super) fn read(values: &mut Values) -> Result<Encryption, Noted> {
    let mode = values.parse("SEALANE_ENCRYPTION", |text| match text {
        "required" => Some(EncryptionMode::Required),
        "off" => Some(EncryptionMode::Off),
        _ => None,
    });
    let exclusive = values.exclude("SEALANE_KEY_FILE", vault_of_keys(values));
    let key_file = values.optional_or("SEALANE_KEY_FILE", |text| key_file(Path::new(text)));
    let key_vault = key_vault::key_vault(values);
    let envelope = key_vault::envelope(values);
    let wanted = mode
        .as_ref()
        .is_ok_and(|mode| *mode == EncryptionMode::Required);
    let needed = source_if_required(values, wanted);
    let in_azure = values.is_set(vault_of_keys(values))
        || values.is_set("KEYVAULT_KEY_URI")
        || large_payloads::are_wanted(values);
    let azure = key_vault::azure(values, wanted && in_azure);
    let seal_limit = values.parse("SEALANE_KEY_SEAL_LIMIT", key_vault::seals);
    let exhausted = values.parse("SEALANE_KEY_EXHAUSTED", |text| match text {
        "refuse" => Some(Exhausted::Refuse),
        "warn" => Some(Exhausted::Warn),
        _ => None,
    });
    let legacy_key_id = values.optional("SEALANE_LEGACY_KEY_ID", |text| name(text, LONGEST_KEY_ID));
    let decode = values.parse("SEALANE_DECODE", |text| match text {
        "permissive" => Some(Decode::Permissive),
        "strict" => Some(Decode::Strict),
        _ => None,
    });
    let compression = values.parse("SEALANE_COMPRESSION", |text| match text {
        "off" => Some(Compression::Off),
        "zlib" => Some(Compression::Zlib),
        _ => None,
    });
    let large_payloads = large_payloads::read(values, wanted);
    exclusive?;
    needed?;
    let key_file = key_file?.map(KeySource::File);
    Ok(Encryption {
        mode: mode?,
        source: key_file.or(key_vault?.map(KeySource::KeyVault)),
        envelope: envelope?,
        azure: azure?,
        seal_limit: seal_limit?,
        exhausted: exhausted?,
        legacy_key_id: legacy_key_id?,
        decode: decode?,
        compression: compression?,
        large_payloads: large_payloads?,
    })
}

/// Checks that the keys can be opened; what they hold is for the key ring to judge.
fn key_file(path: &Path) -> Result<PathBuf, String> {
    let opened = match fs::metadata(path) {
        Ok(found) if found.is_dir() => fs::read_dir(path).map(drop),
        Ok(_) => fs::File::open(path).map(drop),
        Err(error) => Err(error),
    };
    match opened {
        Ok(()) => Ok(path.to_owned()),
        Err(error) => Err(format!(
            "{}: {error}",
            definition("SEALANE_KEY_FILE").domain
        )),
    }
}

/// The setting that makes the vault the source of keys: its address, unless that is there for the
/// API key.
fn vault_of_keys(values: &Values) -> &'static str {
    if values.is_set(key_vault::API_KEY) {
        "KEYVAULT_SECRET_NAME"
    } else {
        "KEYVAULT_URL"
    }
}

/// Something must hold keys: a file, a vault, or data keys alone.
fn source_if_required(values: &mut Values, required: bool) -> Result<(), Noted> {
    let data_keys = values.get("SEALANE_KEY_MODE");
    let data_keys = data_keys.is_some_and(|(mode, _)| mode == "envelope");
    let vault = values.is_set(vault_of_keys(values)) || values.is_set("KEYVAULT_SECRET_NAME");
    if required && !data_keys && !vault && !values.is_set("SEALANE_KEY_FILE") {
        return Err(values.miss(
            "SEALANE_KEY_FILE",
            "a key ring made by `sealane keys generate`, KEYVAULT_URL instead to take keys from Azure Key Vault, or SEALANE_ENCRYPTION=off to send payloads in plaintext",
        ));
    }
    Ok(())
}
