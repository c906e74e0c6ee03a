//! What a worker has in hand, and how long it has had nothing.
//!
//! Workflow tasks are read off the requests: the SDK tells nobody about them. Activities, local ones
//! among them, are held by whoever runs them, because an answer to the server does not end each: it
//! is not sent for one that timed out, nor for one that is completed from elsewhere.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use prost::Message;
use temporalio_client::callback_based::GrpcSuccessResponse;
use tokio::time::Instant;
use tonic::{Code, Status};

/// A workflow task is given to another worker after this, whatever timeout the workflow was started with
/// (`MaxWorkflowTaskStartToCloseTimeout` of Temporal Server). Tasks that the SDK gives up without a word
/// to the server, as it does with those that fail repeatedly, end here; each attempt is a task of its own.
const LONGEST_TASK: Duration = Duration::from_secs(120);

/// The work in the hands of the worker on one connection; clones see the same.
#[derive(Clone, Default)]
pub struct Work {
    hands: Arc<Mutex<Hands>>,
}

struct Hands {
    /// Workflow tasks by token, with the time they came.
    tasks: HashMap<Bytes, Instant>,
    /// How many others hold the worker.
    holds: usize,
    /// When something was last begun or ended.
    last: Instant,
}

impl Default for Hands {
    fn default() -> Self {
        Self {
            tasks: HashMap::new(),
            holds: 0,
            last: Instant::now(),
        }
    }
}

/// Something in hand. Dropping it puts it down.
pub struct Hold(Work);

impl Drop for Hold {
    fn drop(&mut self) {
        let mut hands = self.0.hands();
        hands.holds -= 1;
        hands.last = Instant::now();
    }
}

impl Work {
    /// Takes something in hand, such as a running activity.
    pub fn hold(&self) -> Hold {
        self.hands().holds += 1;
        Hold(self.clone())
    }

    /// Begins to count anew, as after a time in which no work could come.
    pub fn touch(&self) {
        self.hands().last = Instant::now();
    }

    /// Returns for how long nothing has been in hand; `None` if something is.
    pub fn quiet_for(&self) -> Option<Duration> {
        let mut hands = self.hands();
        hands.tasks.retain(|_, came| came.elapsed() < LONGEST_TASK);
        let empty = hands.tasks.is_empty() && hands.holds == 0;
        empty.then(|| hands.last.elapsed())
    }

    /// Awaits the answer to `request`, and learns from both what was taken in hand and put down.
    pub(super) async fn observe(
        &self,
        rpc: &str,
        request: &Bytes,
        answer: impl Future<Output = Result<GrpcSuccessResponse, Status>>,
    ) -> Result<GrpcSuccessResponse, Status> {
        match rpc {
            "PollWorkflowTaskQueue" => {
                let answer = answer.await?;
                self.take(token(&answer.proto));
                Ok(answer)
            }
            "PollActivityTaskQueue" => {
                let answer = answer.await?;
                if !token(&answer.proto).is_empty() {
                    self.touch();
                }
                Ok(answer)
            }
            "RespondWorkflowTaskCompleted"
            | "RespondWorkflowTaskFailed"
            | "RespondQueryTaskCompleted" => {
                let task = token(request);
                let _held = self.hold();
                let answer = answer.await;
                self.answered(rpc, &task, answer.as_ref());
                answer
            }
            "RespondActivityTaskCompleted"
            | "RespondActivityTaskFailed"
            | "RespondActivityTaskCanceled" => {
                let _held = self.hold();
                answer.await
            }
            _ => answer.await,
        }
    }

    /// A task stays in hand while its completion is repeated, which the SDK does after other errors
    /// than this one.
    fn answered(&self, rpc: &str, task: &Bytes, answer: Result<&GrpcSuccessResponse, &Status>) {
        match answer {
            Ok(answer) => {
                self.put_down(task);
                if rpc == "RespondWorkflowTaskCompleted" {
                    self.take(next_token(&answer.proto));
                }
            }
            Err(status) if status.code() == Code::NotFound => self.put_down(task),
            Err(_) => {}
        }
    }

    fn take(&self, task: Bytes) {
        if task.is_empty() {
            return;
        }
        let mut hands = self.hands();
        hands.last = Instant::now();
        hands.tasks.insert(task, Instant::now());
    }

    fn put_down(&self, task: &Bytes) {
        let mut hands = self.hands();
        hands.last = Instant::now();
        hands.tasks.remove(task);
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What every task and every answer to one begins with; the rest is skipped, not decoded.
#[derive(Clone, PartialEq, Message)]
struct Task {
    #[prost(bytes = "bytes", tag = "1")]
    token: Bytes,
}

/// The answer to a completion, which can bring the workflow's next task.
#[derive(Clone, PartialEq, Message)]
struct Completed {
    #[prost(message, optional, tag = "1")]
    next: Option<Task>,
}

/// Empty for a poll that brought nothing.
pub(super) fn token(message: &[u8]) -> Bytes {
    Task::decode(message).unwrap_or_default().token
}

fn next_token(message: &[u8]) -> Bytes {
    let completed = Completed::decode(message).unwrap_or_default();
    completed.next.unwrap_or_default().token
}

#[cfg(test)]
mod tests;
