//! Whether a worker's polls get through, read off the requests themselves.
//!
//! The SDK retries failing polls for ever and says so only in its log. Readiness needs an answer.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};
use tonic::{Code, Status};

/// A poll that waits this long has got through: refusals and dead servers answer sooner.
const SETTLED: Duration = Duration::from_secs(2);

/// State of the task polls of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PollState {
    /// No poll has been sent yet.
    #[default]
    NotStarted,
    /// Polls of every kind wait for tasks, or bring them.
    Polling,
    /// The polls of at least one kind are refused, or find no server.
    Failing {
        /// The gRPC status, in one line.
        reason: String,
    },
}

/// Live view of the polls of one connection; clones see the same state.
#[derive(Clone, Default)]
pub struct Polls {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    kinds: Mutex<Kinds>,
    state: watch::Sender<PollState>,
}

#[derive(Default)]
struct Kinds {
    workflow: Kind,
    activity: Kind,
}

/// Polls of one kind. One that fails beside others that wait means nothing.
#[derive(Default)]
struct Kind {
    waiting: usize,
    failure: Option<String>,
}

#[derive(Clone, Copy)]
enum Which {
    Workflow,
    Activity,
}

impl Polls {
    /// Returns a receiver that sees every change of state, starting with the current one.
    pub fn subscribe(&self) -> watch::Receiver<PollState> {
        self.shared.state.subscribe()
    }

    /// Awaits the answer to `rpc`, and learns from it if it is a poll.
    pub(super) async fn observe<T>(
        &self,
        rpc: &str,
        answer: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        let which = match rpc {
            "PollWorkflowTaskQueue" => Which::Workflow,
            "PollActivityTaskQueue" => Which::Activity,
            _ => return answer.await,
        };
        // An idle queue answers after a minute, so a first poll counts before its answer.
        let was_failing = self.change(which, |kind| {
            kind.waiting += 1;
            kind.failure.is_some()
        });
        let mut answer = pin!(answer);
        let answer = if was_failing {
            match timeout(SETTLED, &mut answer).await {
                Ok(answer) => answer,
                Err(_) => {
                    self.change(which, |kind| kind.failure = None);
                    answer.await
                }
            }
        } else {
            answer.await
        };
        self.change(which, |kind| kind.end(answer.as_ref().err()));
        answer
    }

    fn change<R>(&self, which: Which, change: impl FnOnce(&mut Kind) -> R) -> R {
        let mut kinds = self
            .shared
            .kinds
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let result = change(match which {
            Which::Workflow => &mut kinds.workflow,
            Which::Activity => &mut kinds.activity,
        });
        let failure = kinds
            .workflow
            .failure
            .as_ref()
            .or(kinds.activity.failure.as_ref());
        let next = match failure {
            Some(reason) => PollState::Failing {
                reason: reason.clone(),
            },
            None => PollState::Polling,
        };
        self.shared.state.send_if_modified(|state| {
            let changed = *state != next;
            *state = next;
            changed
        });
        result
    }
}

impl Kind {
    fn end(&mut self, status: Option<&Status>) {
        self.waiting -= 1;
        match status {
            Some(status) if !is_ordinary_end(status.code()) => {
                if self.waiting == 0 {
                    self.failure = Some(format!("{:?}: {}", status.code(), status.message()));
                }
            }
            _ => self.failure = None,
        }
    }
}

/// A long poll that finds no task, or is stopped by us, may end in either of these.
fn is_ordinary_end(code: Code) -> bool {
    matches!(code, Code::Cancelled | Code::DeadlineExceeded)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tonic::Status;

    use super::{PollState, Polls, SETTLED};

    const WORKFLOW: &str = "PollWorkflowTaskQueue";
    const ACTIVITY: &str = "PollActivityTaskQueue";

    async fn answered(polls: &Polls, rpc: &str, answer: Result<(), Status>) {
        polls.observe(rpc, ready(answer)).await.ok();
    }

    fn state(polls: &Polls) -> PollState {
        polls.subscribe().borrow().clone()
    }

    #[tokio::test]
    async fn a_refused_poll_is_failing_until_one_of_its_kind_gets_through() {
        let polls = Polls::default();
        answered(&polls, "StartWorkflowExecution", Ok(())).await;
        assert_eq!(state(&polls), PollState::NotStarted);

        answered(&polls, ACTIVITY, Err(Status::permission_denied("no"))).await;
        assert!(matches!(state(&polls), PollState::Failing { reason } if reason.contains("no")));

        answered(&polls, WORKFLOW, Ok(())).await;
        assert!(matches!(state(&polls), PollState::Failing { .. }));

        answered(&polls, ACTIVITY, Err(Status::deadline_exceeded("idle"))).await;
        assert_eq!(state(&polls), PollState::Polling);
    }

    #[tokio::test]
    async fn one_throttled_poll_beside_others_that_wait_changes_nothing() {
        let polls = Polls::default();
        let waiting = polls.observe(WORKFLOW, pending::<Result<(), Status>>());
        let mut waiting = Box::pin(waiting);
        assert!(futures_util::poll!(&mut waiting).is_pending());

        answered(
            &polls,
            WORKFLOW,
            Err(Status::resource_exhausted("slow down")),
        )
        .await;

        assert_eq!(state(&polls), PollState::Polling);
    }

    #[tokio::test(start_paused = true)]
    async fn after_an_outage_a_poll_that_waits_is_enough() {
        let polls = Polls::default();
        answered(&polls, WORKFLOW, Err(Status::unavailable("gone"))).await;

        let waiting = polls.observe(WORKFLOW, pending::<Result<(), Status>>());
        tokio::time::timeout(SETTLED * 2, waiting).await.ok();

        assert_eq!(state(&polls), PollState::Polling);
    }
}
