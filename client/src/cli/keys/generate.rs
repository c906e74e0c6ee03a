//! `sealane keys generate`.

use std::{
    env,
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::Args;
use sealane_codec::{
    Key, KeyId, KeyRing,
    file_source::{self, FileSourceError},
};
use sealane_service::exit;
use serde::Serialize;
use uuid::Uuid;

use crate::cli::{CliError, Globals, output};

/// Where the setting for the key ring points if nobody says otherwise.
const DEFAULT_FILE: &str = "sealane-keys.json";

/// Name of the setting that points to the key ring.
const KEY_FILE: &str = "SEALANE_KEY_FILE";

/// Bytes of randomness in a generated id, so that two keys of one day differ.
const ID_SUFFIX: usize = 4;

/// Writes a new key ring that only its owner may read. The key itself is never printed, and an
/// existing file is never overwritten: it may be the only copy of a key.
#[derive(Debug, Args)]
pub(in crate::cli) struct Generate {
    /// Id of the key; every payload carries it in plaintext. Default: `key-<date>-<random>`
    #[arg(long)]
    id: Option<String>,
    /// File to create. Default: `SEALANE_KEY_FILE` of the environment, else `sealane-keys.json`
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

/// What was written. Holds nothing of the key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Generated {
    key_id: String,
    file: String,
    next: String,
}

impl Generate {
    pub(in crate::cli) fn run(self, globals: &Globals) -> Result<(), CliError> {
        let id = self.id.unwrap_or_else(new_id);
        let id: KeyId = id
            .parse()
            .map_err(|error| CliError::usage(format!("--id: {error}")))?;
        let path = self.out.unwrap_or_else(default_file);
        if path == Path::new("-") {
            return Err(CliError::usage(
                "--out is \"-\", expected a file: a key is never printed",
            ));
        }
        file_source::write_new(&path, &ring(&id)?).map_err(|error| unwritten(&path, &error))?;
        let file = path.display().to_string();
        let generated = Generated {
            key_id: id.to_string(),
            next: format!("set {KEY_FILE}={file}"),
            file,
        };
        output::one(globals.output, &generated)
    }
}

fn ring(id: &KeyId) -> Result<KeyRing, CliError> {
    let key = Key::generate().map_err(|error| CliError::new(exit::INTERNAL, error.to_string()))?;
    KeyRing::new(id.clone(), [(id.clone(), key)])
        .map_err(|error| CliError::new(exit::INTERNAL, error.to_string()))
}

/// Sorts by day, so that in a directory of keys the newest one is active.
fn new_id() -> String {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let (day, _) = now.split_once('T').unwrap_or((&now, ""));
    let random = Uuid::new_v4().simple().to_string();
    format!("key-{day}-{}", &random[..2 * ID_SUFFIX])
}

fn default_file() -> PathBuf {
    env::var_os(KEY_FILE)
        .filter(|path| !path.is_empty())
        .unwrap_or(DEFAULT_FILE.into())
        .into()
}

fn unwritten(path: &Path, error: &FileSourceError) -> CliError {
    match error {
        FileSourceError::Exists { .. } => CliError::usage(format!(
            "{} exists and may be the only copy of a key, so it is not overwritten; choose another --out",
            path.display()
        )),
        error => CliError::usage(format!("--out: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::new_id;

    #[test]
    fn generated_ids_are_dated_and_differ() {
        let (first, second) = (new_id(), new_id());

        assert!(first.starts_with("key-20"), "{first}");
        assert_eq!(first.len(), "key-2026-11-21-00000000".len());
        assert_ne!(first, second);
    }
}
