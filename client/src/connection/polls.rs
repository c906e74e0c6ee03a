//! Whether a worker's polls get through, read off the requests themselves.
//!
//! The SDK retries failing polls for ever and says so only in its log. Readiness needs an answer.

use std::sync::Arc;

use tokio::sync::watch;
use tonic::{Code, Status};

/// State of the task polls of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PollState {
    /// No poll has been sent yet.
    #[default]
    NotStarted,
    /// The latest poll is waiting for a task, or was answered.
    Polling,
    /// The latest poll was refused or found no server.
    Failing {
        /// The gRPC status, in one line.
        reason: String,
    },
}

/// Live view of the polls of one connection; clones see the same state.
#[derive(Clone)]
pub struct Polls {
    state: Arc<watch::Sender<PollState>>,
}

impl Default for Polls {
    fn default() -> Self {
        Self {
            state: Arc::new(watch::Sender::new(PollState::NotStarted)),
        }
    }
}

impl Polls {
    /// Returns a receiver that sees every change of state, starting with the current one.
    pub fn subscribe(&self) -> watch::Receiver<PollState> {
        self.state.subscribe()
    }

    pub(super) fn is_poll(rpc: &str) -> bool {
        matches!(rpc, "PollWorkflowTaskQueue" | "PollActivityTaskQueue")
    }

    /// A first poll counts as polling before its answer: an idle queue answers after a minute.
    pub(super) fn started(&self) {
        self.state.send_if_modified(|state| {
            let first = *state == PollState::NotStarted;
            if first {
                *state = PollState::Polling;
            }
            first
        });
    }

    pub(super) fn ended(&self, status: Option<&Status>) {
        let next = match status {
            Some(status) if !is_ordinary_end(status.code()) => PollState::Failing {
                reason: format!("{:?}: {}", status.code(), status.message()),
            },
            _ => PollState::Polling,
        };
        self.state.send_if_modified(|state| {
            let changed = *state != next;
            *state = next;
            changed
        });
    }
}

/// A long poll that finds no task may end in either of these.
fn is_ordinary_end(code: Code) -> bool {
    matches!(code, Code::Cancelled | Code::DeadlineExceeded)
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::{PollState, Polls};

    #[test]
    fn a_refused_poll_is_failing_until_one_gets_through() {
        let polls = Polls::default();
        let state = polls.subscribe();
        assert_eq!(*state.borrow(), PollState::NotStarted);

        polls.started();
        assert_eq!(*state.borrow(), PollState::Polling);

        polls.ended(Some(&Status::permission_denied("no")));
        assert!(matches!(&*state.borrow(), PollState::Failing { reason } if reason.contains("no")));

        polls.started();
        assert!(matches!(&*state.borrow(), PollState::Failing { .. }));

        polls.ended(Some(&Status::deadline_exceeded("idle")));
        assert_eq!(*state.borrow(), PollState::Polling);
    }
}
