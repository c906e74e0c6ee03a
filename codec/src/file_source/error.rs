//! Why keys could not be read from the file system, or written to it.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{KeyError, KeyRingError};

/// Why a key file or directory is unusable. Names paths and ids, never contents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileSourceError {
    /// The file system refused. Check the path and its permissions.
    #[error("cannot read key file {}: {reason}", path.display())]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// The operating system's answer.
        reason: io::Error,
    },

    /// The file cannot be a key file.
    #[error("key file {} is longer than 1 MiB", path.display())]
    TooLong {
        /// What was to be read.
        path: PathBuf,
    },

    /// The keys in the file or directory do not make a key ring.
    #[error("key file {}: {reason}", path.display())]
    Ring {
        /// What was read.
        path: PathBuf,
        /// What is wrong with it.
        reason: KeyRingError,
    },

    /// A file in a key directory has a name that cannot be a key id.
    #[error("key file {path:?} has a name that is not UTF-8, expected the id of the key")]
    Name {
        /// The file.
        path: PathBuf,
    },

    /// A file in a key directory does not hold a key.
    #[error("key file {}: {reason}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content.
        reason: KeyError,
    },

    /// A key directory without keys.
    #[error("key directory {} holds no key, expected one file per key", path.display())]
    Empty {
        /// The directory.
        path: PathBuf,
    },

    /// There is something where a new key file should go. Move it away first.
    #[error("key file {} exists and is not overwritten", path.display())]
    Exists {
        /// Where the file should go.
        path: PathBuf,
    },

    /// The file system refused to create the file.
    #[error("cannot write key file {}: {reason}", path.display())]
    Write {
        /// Where the file should go.
        path: PathBuf,
        /// The operating system's answer.
        reason: io::Error,
    },
}

impl FileSourceError {
    pub(super) fn read(path: &Path, reason: io::Error) -> Self {
        let path = path.into();
        Self::Read { path, reason }
    }

    pub(super) fn write(path: &Path, reason: io::Error) -> Self {
        let path = path.into();
        Self::Write { path, reason }
    }

    pub(super) fn ring(path: &Path, reason: KeyRingError) -> Self {
        let path = path.into();
        Self::Ring { path, reason }
    }
}
