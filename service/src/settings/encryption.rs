//! Whether and how payloads are encrypted.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    definitions::definition,
    temporal::name,
    values::{Noted, Values},
};

/// Whether and how payloads are encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// Whether payloads are encrypted at all.
    pub mode: EncryptionMode,
    /// Key ring file or directory; always there if encryption is required.
    pub key_file: Option<PathBuf>,
    /// Key for payloads in the old format without a key id.
    pub legacy_key_id: Option<String>,
    /// What happens to payloads that arrive unencrypted.
    pub decode: Decode,
    /// What happens to payloads before they are encrypted.
    pub compression: Compression,
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
    let key_file = values.optional_or("SEALANE_KEY_FILE", |text| key_file(Path::new(text)));
    let needed = key_file_if_required(values, mode.as_ref().ok().copied());
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
    needed?;
    Ok(Encryption {
        mode: mode?,
        key_file: key_file?,
        legacy_key_id: legacy_key_id?,
        decode: decode?,
        compression: compression?,
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

fn key_file_if_required(values: &mut Values, mode: Option<EncryptionMode>) -> Result<(), Noted> {
    if mode == Some(EncryptionMode::Required) && !values.is_set("SEALANE_KEY_FILE") {
        return Err(values.miss(
            "SEALANE_KEY_FILE",
            "a key ring made by `sealane keys generate`, or SEALANE_ENCRYPTION=off to send payloads in plaintext",
        ));
    }
    Ok(())
}
