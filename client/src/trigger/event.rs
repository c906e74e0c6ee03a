//! What a trigger tells about its doings.

use std::{fmt, time::Duration};

use temporalio_common::protos::temporal::api::common::v1::Payload;

/// One thing that happened, in the order in which it did.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The server has taken a start.
    Started {
        /// Which start of this run it is, from 1.
        counter: u64,
        /// Type of the workflow.
        workflow_type: String,
        /// Its id.
        workflow_id: String,
        /// Its first run, where the server told.
        run_id: Option<String>,
    },

    /// A start failed and will be tried again.
    StartFailed {
        /// Which start of this run it is, from 1.
        counter: u64,
        /// Id under which it was tried.
        workflow_id: String,
        /// What stood in the way.
        kind: FailureKind,
        /// The same in the words of the server.
        reason: String,
        /// Wait before the next attempt.
        retry_in: Duration,
    },

    /// A workflow has ended. Only reported where results are waited for.
    Finished {
        /// Its id.
        workflow_id: String,
        /// Its result, decrypted, or how it ended otherwise.
        outcome: Result<Vec<Payload>, String>,
    },
}

/// What stood in the way of a start.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FailureKind {
    /// The server did not answer in time.
    Unreachable,
    /// The server asked for fewer requests.
    Throttled,
    /// Credentials or permissions do not allow it.
    Refused,
    /// The server has no such namespace.
    NamespaceNotFound,
    /// Somebody else started a workflow under the same id.
    IdTaken,
    /// The server can never accept it.
    Invalid,
    /// The input could not be encrypted.
    Encode,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// Every kind that can be met more than once, for metrics that start at zero.
    pub(super) const RETRIED: [Self; 6] = [
        Self::Unreachable,
        Self::Throttled,
        Self::Refused,
        Self::NamespaceNotFound,
        Self::IdTaken,
        Self::Other,
    ];

    /// Whether trying again is pointless.
    ///
    /// A refusal is, as long as nothing has been started: the settings are wrong. Later it is more
    /// likely that a key is being exchanged or a permission is being repaired.
    pub(super) fn is_final(self, started_before: bool) -> bool {
        match self {
            Self::Invalid | Self::Encode => true,
            Self::Refused | Self::NamespaceNotFound => !started_before,
            Self::Unreachable | Self::Throttled | Self::IdTaken | Self::Other => false,
        }
    }

    /// What to do about a failure that ends the trigger.
    pub(super) fn remedy(self) -> &'static str {
        match self {
            Self::Refused => "; check the credentials and TEMPORAL_NAMESPACE",
            Self::NamespaceNotFound => "; check TEMPORAL_NAMESPACE",
            _ => "",
        }
    }

    /// Returns the name of the kind in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Throttled => "throttled",
            Self::Refused => "refused",
            Self::NamespaceNotFound => "namespace_not_found",
            Self::IdTaken => "id_taken",
            Self::Invalid => "invalid",
            Self::Encode => "encode",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
