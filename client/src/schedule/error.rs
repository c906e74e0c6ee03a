//! Why a call about a schedule failed, and what to do about it.

use sealane_codec::EncodeError;
use tonic::{Code, Status};

use crate::call::CallError;

/// Why nothing, or not everything, was done about a schedule.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// There is no such schedule: look at the ids, or create it.
    #[error(
        "schedule {id:?} does not exist in namespace {namespace:?}; \
         `sealane schedule list` shows those that do"
    )]
    NotFound {
        /// Id that was asked for.
        id: String,
        /// Where it was looked for.
        namespace: String,
    },

    /// The id is taken: update that schedule, or choose another id.
    #[error(
        "schedule {id:?} exists already; \
         change it with `sealane schedule update` or choose another id"
    )]
    AlreadyExists {
        /// Id that was to be created.
        id: String,
    },

    /// Others changed the schedule during every attempt to update it. Trying again may help.
    #[error(
        "schedule {id:?} was changed by others during each of {attempts} attempts to update it; \
         try again"
    )]
    Conflict {
        /// Schedule that was to be updated.
        id: String,
        /// How often it was tried.
        attempts: u32,
    },

    /// Input or memo could not be encrypted, so nothing was sent.
    #[error("input or memo of schedule {id:?} cannot be encrypted")]
    Encode {
        /// Schedule that was to be stored.
        id: String,
        /// What the codec says.
        source: EncodeError,
    },

    /// What any call may end in.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl ScheduleError {
    /// Says in terms of the schedule `id` what `status` says in terms of the server.
    pub(super) fn from_status(id: &str, namespace: &str, status: Status) -> Self {
        let id = id.to_owned();
        if status.code() == Code::AlreadyExists {
            return Self::AlreadyExists { id };
        }
        match CallError::from(status) {
            CallError::NotFound { .. } => Self::NotFound {
                id,
                namespace: namespace.to_owned(),
            },
            other => Self::Call(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};

    use super::ScheduleError;

    fn said(code: Code, text: &str) -> String {
        ScheduleError::from_status("nightly", "prod", Status::new(code, text)).to_string()
    }

    #[test]
    fn a_missing_schedule_is_named_by_its_own_id_and_not_by_the_servers_workflow() {
        let text = said(
            Code::NotFound,
            "workflow not found for ID: temporal-sys-scheduler:nightly",
        );

        assert!(
            text.contains(r#"schedule "nightly" does not exist"#),
            "{text}"
        );
        assert!(!text.contains("temporal-sys"), "{text}");
    }

    #[test]
    fn what_the_server_dislikes_is_said_in_its_own_words() {
        let text = said(Code::InvalidArgument, "CronString does not have 5-7 fields");

        assert!(
            text.contains("CronString does not have 5-7 fields"),
            "{text}"
        );
    }
}
