//! Why a walk did not come to its end.

use std::path::{Path, PathBuf};

use tonic::Status;

use crate::call::CallError;

/// Why a walk did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The server did not answer, or did not accept what it was asked.
    #[error(transparent)]
    Call(#[from] CallError),

    /// What has been counted can be neither read nor written, or belongs to another walk.
    #[error("{} cannot be used to resume: {reason}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl AuditError {
    pub(super) fn checkpoint(path: &Path, reason: &impl ToString) -> Self {
        Self::Checkpoint {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl From<Status> for AuditError {
    fn from(status: Status) -> Self {
        Self::Call(status.into())
    }
}
