//! Why a process cannot tell callers apart, and does not start.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use crate::exit::{self, ExitStatus};

/// Why callers could not be told apart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Everybody who can reach the address could do everything.
    #[error(
        "SEALANE_AUTH is off and {listens_on} can be reached from other machines; set SEALANE_AUTH, or listen on 127.0.0.1"
    )]
    Exposed {
        /// Where the process was to listen.
        listens_on: SocketAddr,
    },

    /// The static tokens cannot be used.
    #[error("SEALANE_AUTH_TOKENS_FILE cannot be used: {0}")]
    Tokens(FileError),

    /// The grants cannot be used.
    #[error("SEALANE_AUTH_GRANTS_FILE cannot be used: {0}")]
    Grants(FileError),

    /// The extra certificate authority cannot be read.
    #[error("SEALANE_AUTH_CA_FILE is {}: {reason}, expected a readable PEM file", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// No HTTP client could be made to ask the issuer with.
    #[error("no HTTP client can be made for the issuer of tokens: {0}")]
    Client(reqwest::Error),
}

impl ExitStatus for AuthError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Client(_) => exit::INTERNAL,
            _ => exit::SETTINGS,
        }
    }
}

/// What is wrong with a file of tokens or grants. Names places, never contents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The operating system does not let us read it.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        reason: io::Error,
    },

    /// Its content is not what it should be.
    #[error("{}: {fault}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected there.
        fault: Fault,
    },
}

impl FileError {
    pub(super) fn read(path: &Path, reason: io::Error) -> Self {
        let path = path.into();
        Self::Read { path, reason }
    }

    pub(super) fn content(path: &Path, fault: Fault) -> Self {
        let path = path.into();
        Self::Content { path, fault }
    }
}

/// A place in a file and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: expected {expected}")]
pub struct Fault {
    /// Line and column, or a path in the document.
    place: String,
    /// What should be there.
    expected: &'static str,
}

impl Fault {
    pub(super) fn new(place: impl Into<String>, expected: &'static str) -> Self {
        let place = place.into();
        Self { place, expected }
    }

    /// What `serde_json` says would quote the content.
    pub(super) fn json(error: &serde_json::Error, expected: &'static str) -> Self {
        let place = format!("line {}, column {}", error.line(), error.column());
        let expected = if error.is_data() {
            expected
        } else {
            "a JSON document"
        };
        Self { place, expected }
    }
}
