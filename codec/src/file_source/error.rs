//! Why keys could not be read from the file system, or written to it.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{KeyError, KeyRingError};

/// What helps a file that is damaged.
const RESTORE: &str = "correct it, or restore it from a copy";

/// What helps where there is nothing. There may have been something.
const RESTORE_OR_MAKE: &str = "correct the path, or mount or restore the keys; only where there \
    never were any, make some with `sealane keys generate`";

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
    /// What helps a process that cannot read its keys; empty if it was to write some.
    ///
    /// New keys are offered only where there may never have been any: they do not decrypt what old
    /// ones have encrypted.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Read { reason, .. } => match reason.kind() {
                io::ErrorKind::NotFound => RESTORE_OR_MAKE,
                io::ErrorKind::PermissionDenied => "let this process read it",
                _ => RESTORE,
            },
            Self::Empty { .. } => RESTORE_OR_MAKE,
            Self::TooLong { .. } => "name a key ring, or a directory with one file per key",
            Self::Ring { reason, .. } => match reason {
                KeyRingError::NoActive { .. } => {
                    "make one of those active, or restore the one that is missing"
                }
                _ => RESTORE,
            },
            Self::Name { .. } => "rename it, or remove it from the directory if it is no key",
            Self::Key { .. } => {
                "restore it from a copy, or remove it from the directory if it never was a key"
            }
            Self::Exists { .. } | Self::Write { .. } => "",
        }
    }

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
