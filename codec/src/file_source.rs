//! Keys from the file system: a JSON key ring, or a directory with one file per key.
//!
//! In a directory the name of a file is the id of its key, its content the key in base64, and
//! the key whose name sorts last is active. Names starting with a dot are ignored, which leaves
//! out what Kubernetes keeps beside the links of a mounted Secret (`..data` and its target).

mod error;
mod watch;

use std::{
    fs::{self, DirEntry, File},
    io::{self, Read, Write},
    path::Path,
};

use zeroize::Zeroizing;

pub use error::FileSourceError;
pub use watch::watch;

use crate::{Key, KeyId, KeyRing};

/// Longest file that is read, in bytes: thousands of keys, and an end to `/dev/zero`.
const MAX_LEN: usize = 1024 * 1024;

/// Reads the key ring at `path`, a JSON file or a directory. Blocks on file I/O.
///
/// # Errors
///
/// [`FileSourceError::Read`] and [`FileSourceError::TooLong`] if a file cannot be read,
/// [`FileSourceError::Ring`] if the JSON is no key ring, and for directories
/// [`FileSourceError::Name`], [`FileSourceError::Key`] and [`FileSourceError::Empty`].
pub fn load(path: &Path) -> Result<KeyRing, FileSourceError> {
    let metadata = fs::metadata(path).map_err(|reason| FileSourceError::read(path, reason))?;
    if metadata.is_dir() {
        return load_directory(path);
    }
    let text = read(path)?;
    KeyRing::from_json(&text).map_err(|reason| FileSourceError::ring(path, reason))
}

/// Writes `ring` to a new file that only its owner may read. Blocks on file I/O.
///
/// The file appears whole or not at all.
///
/// # Errors
///
/// [`FileSourceError::Exists`] if there is something at `path`, which is left alone: it may be
/// the only copy of a key. [`FileSourceError::Write`] if the file cannot be written.
pub fn write_new(path: &Path, ring: &KeyRing) -> Result<(), FileSourceError> {
    let written = write_then_rename(path, ring.to_json().as_bytes());
    written.map_err(|reason| match reason.kind() {
        io::ErrorKind::AlreadyExists => FileSourceError::Exists { path: path.into() },
        _ => FileSourceError::write(path, reason),
    })
}

fn write_then_rename(path: &Path, json: &[u8]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Created with mode 0600, and removed on drop unless it is persisted.
    let mut file = tempfile::Builder::new()
        .prefix(".sealane-")
        .tempfile_in(directory)?;
    file.write_all(json)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

fn load_directory(path: &Path) -> Result<KeyRing, FileSourceError> {
    let entries = fs::read_dir(path).map_err(|reason| FileSourceError::read(path, reason))?;
    let mut keys = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|reason| FileSourceError::read(path, reason))?;
        keys.extend(load_entry(&entry)?);
    }
    let newest = keys.iter().map(|(id, _)| id).max().cloned();
    let newest = newest.ok_or_else(|| FileSourceError::Empty { path: path.into() })?;
    KeyRing::new(newest, keys).map_err(|reason| FileSourceError::ring(path, reason))
}

/// The key in one file of a directory, `None` if the entry is hidden or a directory itself.
fn load_entry(entry: &DirEntry) -> Result<Option<(KeyId, Key)>, FileSourceError> {
    let (path, name) = (entry.path(), entry.file_name());
    if name.as_encoded_bytes().starts_with(b".") {
        return Ok(None);
    }
    // Unlike `DirEntry::metadata`, this follows links.
    let metadata = fs::metadata(&path).map_err(|reason| FileSourceError::read(&path, reason))?;
    if metadata.is_dir() {
        return Ok(None);
    }
    let Some(Ok(id)) = name.to_str().map(KeyId::try_from) else {
        return Err(FileSourceError::Name { path });
    };
    match Key::from_base64(&read(&path)?) {
        Ok(key) => Ok(Some((id, key))),
        Err(reason) => Err(FileSourceError::Key { path, reason }),
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, FileSourceError> {
    let text = read_bounded(path).map_err(|reason| FileSourceError::read(path, reason))?;
    if text.len() > MAX_LEN {
        return Err(FileSourceError::TooLong { path: path.into() });
    }
    Ok(text)
}

/// Reads at most one byte more than is accepted.
fn read_bounded(path: &Path) -> io::Result<Zeroizing<String>> {
    let file = File::open(path)?;
    let expected = usize::try_from(file.metadata()?.len()).unwrap_or(MAX_LEN);
    // Growing would leave the keys read so far in freed memory.
    let mut text = Zeroizing::new(String::with_capacity(expected.min(MAX_LEN) + 1));
    let limit = MAX_LEN as u64 + 1;
    file.take(limit).read_to_string(&mut text)?;
    Ok(text)
}
