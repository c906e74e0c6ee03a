//! Updates that a worker could not accept, from clients that do not measure, or too many at once.
//!
//! An acceptance repeats the input of its update. Those that are too large have their task fail, again
//! and again, because the server hands out the same updates once more (tried with Temporal Server 1.32):
//! the workflow would stand still for what others have sent. So the worker does not get to see such
//! updates, and the answer to its task refuses them.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use prost::{DecodeError, Message as _, Name};
use temporalio_common::{
    protos::temporal::api::{
        protocol::v1::{Message, message::SequencingId},
        update::v1::{Rejection, Request},
        workflowservice::v1::{
            PollWorkflowTaskQueueResponse, RespondWorkflowTaskCompletedRequest,
            RespondWorkflowTaskCompletedResponse,
        },
    },
    protos::utilities::pack_any,
};
use tokio::time::Instant;

use super::{
    LARGE, TooLarge, encoded, failure,
    limits::Limits,
    measure::{Kind, Part, accepted, update},
};
use crate::connection::work::token;

/// How much the updates of one task may be together, in bytes. What is left of the 4 MiB that a server
/// takes at once is for what the workflow does and answers.
const ROOM: usize = 3 * 1024 * 1024;

/// How many tasks, and how many updates, are kept in mind. Of tasks beyond that the server refuses what
/// they do not answer, with a reason of its own; updates beyond that are blamed anew.
const KEPT: usize = 64;

/// How long an update is blamed, if its task does not come again. The server has tasks that fail
/// repeatedly wait for up to ten minutes (`history.workflowTaskRetryMaxInterval`).
const BLAMED: Duration = Duration::from_secs(15 * 60);

/// What is not let through, and why.
#[derive(Default)]
pub(super) struct Received {
    /// Refusals by the token of the task whose answer they go with.
    refusals: Mutex<VecDeque<(Vec<u8>, Vec<Message>)>>,
    blamed: Mutex<VecDeque<Blamed>>,
}

/// An update for which a task has failed.
struct Blamed {
    id: String,
    since: Instant,
    too_large: TooLarge,
}

/// An update that arrives, as it will be accepted.
struct Update<'a> {
    message: &'a Message,
    part: Part,
}

/// What matters of a task here. The rest, which can be a long history, is skipped.
#[derive(Clone, PartialEq, prost::Message)]
struct Task {
    #[prost(message, repeated, tag = "15")]
    messages: Vec<Message>,
}

/// The answer to a completion, which can bring the workflow's next task.
#[derive(Clone, PartialEq, prost::Message)]
struct Completed {
    #[prost(message, optional, tag = "1")]
    next: Option<Task>,
}

/// Returns whether the answer to `rpc` brings an update that is large.
pub(super) fn brings_large_update(rpc: &str, answer: &[u8]) -> bool {
    let task = match rpc {
        "PollWorkflowTaskQueue" => Task::decode(answer).ok(),
        "RespondWorkflowTaskCompleted" => Completed::decode(answer).ok().and_then(|it| it.next),
        _ => None,
    };
    task.is_some_and(|task| task.messages.iter().any(|it| Update::large(it).is_some()))
}

impl Received {
    /// Takes updates that are too large out of the answer to `rpc`, tells `told` of each, and returns
    /// the answer anew. `None` if there are none.
    pub(super) fn without_too_large(
        &self,
        rpc: &str,
        answer: &[u8],
        limits: &Limits,
        told: impl FnMut(&Part, &TooLarge),
    ) -> Result<Option<Vec<u8>>, DecodeError> {
        Ok(match rpc {
            "PollWorkflowTaskQueue" => {
                let mut task = PollWorkflowTaskQueueResponse::decode(answer)?;
                let taken = self.take_out(&mut task, limits, told);
                taken.then(|| task.encode_to_vec())
            }
            "RespondWorkflowTaskCompleted" => {
                let mut completed = RespondWorkflowTaskCompletedResponse::decode(answer)?;
                let next = completed.workflow_task.as_mut();
                let taken = next.is_some_and(|task| self.take_out(task, limits, told));
                taken.then(|| completed.encode_to_vec())
            }
            _ => None,
        })
    }

    fn take_out(
        &self,
        task: &mut PollWorkflowTaskQueueResponse,
        limits: &Limits,
        mut told: impl FnMut(&Part, &TooLarge),
    ) -> bool {
        let mut refusals = Vec::new();
        let mut before = 0;
        task.messages.retain(|message| {
            let Some(update) = Update::large(message) else {
                return true;
            };
            let Some(too_large) = self.too_large(&update, before, limits) else {
                before += update.part.bytes;
                return true;
            };
            told(&update.part, &too_large);
            refusals.push(update.refusal(&too_large));
            false
        });
        let taken = !refusals.is_empty();
        if taken {
            let mut kept = self.kept();
            kept.truncate(KEPT - 1);
            kept.push_front((task.task_token.clone(), refusals));
        }
        taken
    }

    /// Returns why `update` cannot be accepted in a task with so many bytes of updates before it. The
    /// first of them is tried in any case.
    fn too_large(&self, update: &Update<'_>, before: usize, limits: &Limits) -> Option<TooLarge> {
        let part = &update.part;
        if part.bytes > limits.of(part) {
            return Some(TooLarge::of_part(part, limits));
        }
        let total = before + part.bytes;
        if before > 0 && total > ROOM {
            return Some(TooLarge::of_updates(part, (total, ROOM), limits));
        }
        self.blame(&update.message.protocol_instance_id)
    }

    /// Returns the completion with the refusals that go with it. `None` if there are none.
    ///
    /// They stay in mind, because a completion may be sent again.
    pub(super) fn with_refusals(&self, completion: &Bytes) -> Option<Bytes> {
        let kept = self.kept();
        if kept.is_empty() {
            return None;
        }
        let token = token(completion);
        let (_, refusals) = kept.iter().find(|(of, _)| *of == token)?;
        let mut it = RespondWorkflowTaskCompletedRequest::decode(completion.clone()).ok()?;
        it.messages.extend(refusals.iter().cloned());
        Some(encoded(&it))
    }

    /// Has an update refused, when its task comes again, that could not be accepted.
    pub(super) fn blame_for(&self, acceptance: &Message, too_large: TooLarge) {
        let mut blamed = self.blamed();
        blamed.truncate(KEPT - 1);
        blamed.push_front(Blamed {
            id: acceptance.protocol_instance_id.clone(),
            since: Instant::now(),
            too_large,
        });
    }

    /// Blames nobody any more of whom the server now knows, from `completion`, that they are refused:
    /// whoever sends such an update anew, alone, is to succeed.
    pub(super) fn answered(&self, completion: &Bytes) {
        let mut blamed = self.blamed();
        if blamed.is_empty() {
            return;
        }
        let token = token(completion);
        let kept = self.kept();
        let answered = kept.iter().find(|(of, _)| *of == token);
        for refusal in answered.into_iter().flat_map(|(_, refusals)| refusals) {
            blamed.retain(|it| it.id != refusal.protocol_instance_id);
        }
    }

    /// Returns why an update is to be refused, if it is blamed.
    pub(super) fn blame(&self, id: &str) -> Option<TooLarge> {
        let blamed = self.blamed();
        let mut blamed = blamed.iter().filter(|it| it.since.elapsed() < BLAMED);
        blamed.find(|it| it.id == id).map(|it| it.too_large.clone())
    }

    fn blamed(&self) -> MutexGuard<'_, VecDeque<Blamed>> {
        self.blamed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(Vec<u8>, Vec<Message>)>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Update<'a> {
    /// Of a message that asks for an update which is large. The server has few of a workflow in flight,
    /// so that others do not matter.
    fn large(message: &'a Message) -> Option<Self> {
        let body = message.body.as_ref()?;
        let is_request = body.type_url.rsplit('/').next() == Some(&Request::full_name());
        if !is_request || body.encoded_len() <= LARGE {
            return None;
        }
        let request = Request::decode(&*body.value).ok()?;
        let part = Part {
            field: format!("input of update {:?}", update(Some(&request))),
            bytes: accepted(&request),
            kind: Kind::Payload,
        };
        Some(Self { message, part })
    }

    fn refusal(&self, too_large: &TooLarge) -> Message {
        let message = self.message;
        let rejection = Rejection {
            rejected_request_message_id: message.id.clone(),
            rejected_request_sequencing_event_id: match message.sequencing_id {
                Some(SequencingId::EventId(id)) => id,
                _ => 0,
            },
            rejected_request: None,
            failure: Some(failure(too_large)),
        };
        let url = format!("type.googleapis.com/{}", Rejection::full_name());
        Message {
            id: format!("{}/reject", message.id),
            protocol_instance_id: message.protocol_instance_id.clone(),
            body: pack_any(url, &rejection).ok(),
            ..Message::default()
        }
    }
}

#[cfg(test)]
mod tests;
