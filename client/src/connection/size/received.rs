//! Updates that are too large, from clients that do not measure.
//!
//! The server takes such an update, and then fails every workflow task that accepts it, because an
//! acceptance repeats the input (tried with Temporal Server 1.31): the workflow would stand still for
//! what others have sent. So the worker does not get to see it, and the answer to its task refuses it.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
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

use super::{
    TooLarge, encoded, failure,
    measure::{Kind, Part, update},
};
use crate::connection::work::token;

/// How much longer an acceptance is than the request that it repeats, at most, in bytes: ids that are
/// up to 1,000 bytes long, and names of types.
const ACCEPTANCE: usize = 4 * 1024;

/// How many tasks are kept in mind. Of others the server refuses what they do not answer, with a reason
/// of its own.
const TASKS: usize = 64;

/// Refusals by the token of the task whose answer they go with.
#[derive(Default)]
pub(super) struct Received {
    refusals: Mutex<VecDeque<(Vec<u8>, Vec<Message>)>>,
}

impl Received {
    /// Takes updates above `limit` out of the answer to `rpc`, tells `told` of each, and returns the
    /// answer anew. `None` if there are none.
    pub(super) fn without_too_large(
        &self,
        rpc: &str,
        answer: &[u8],
        limit: usize,
        told: impl FnMut(&Part),
    ) -> Result<Option<Vec<u8>>, DecodeError> {
        Ok(match rpc {
            "PollWorkflowTaskQueue" => {
                let mut task = PollWorkflowTaskQueueResponse::decode(answer)?;
                let taken = self.take_out(&mut task, limit, told);
                taken.then(|| task.encode_to_vec())
            }
            "RespondWorkflowTaskCompleted" => {
                let mut completed = RespondWorkflowTaskCompletedResponse::decode(answer)?;
                let next = completed.workflow_task.as_mut();
                let taken = next.is_some_and(|task| self.take_out(task, limit, told));
                taken.then(|| completed.encode_to_vec())
            }
            _ => None,
        })
    }

    fn take_out(
        &self,
        task: &mut PollWorkflowTaskQueueResponse,
        limit: usize,
        mut told: impl FnMut(&Part),
    ) -> bool {
        let mut refusals = Vec::new();
        task.messages.retain(|message| {
            let Some((part, refusal)) = refused(message, limit) else {
                return true;
            };
            told(&part);
            refusals.push(refusal);
            false
        });
        let taken = !refusals.is_empty();
        if taken {
            let mut kept = self.kept();
            kept.truncate(TASKS - 1);
            kept.push_front((task.task_token.clone(), refusals));
        }
        taken
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

    fn kept(&self) -> MutexGuard<'_, VecDeque<(Vec<u8>, Vec<Message>)>> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns what is too large in `message`, and what refuses it.
fn refused(message: &Message, limit: usize) -> Option<(Part, Message)> {
    let body = message.body.as_ref()?;
    let bytes = body.encoded_len();
    let is_request = body.type_url.rsplit('/').next() == Some(&Request::full_name());
    if !is_request || bytes + ACCEPTANCE <= limit {
        return None;
    }
    let request = Request::decode(&*body.value).ok()?;
    let part = Part {
        field: format!("input of update {:?}", update(Some(&request))),
        bytes,
        kind: Kind::Payload,
    };
    let rejection = Rejection {
        rejected_request_message_id: message.id.clone(),
        rejected_request_sequencing_event_id: match message.sequencing_id {
            Some(SequencingId::EventId(id)) => id,
            _ => 0,
        },
        rejected_request: None,
        failure: Some(failure(&TooLarge::of_part(&part, limit))),
    };
    let url = format!("type.googleapis.com/{}", Rejection::full_name());
    let refusal = Message {
        id: format!("{}/reject", message.id),
        protocol_instance_id: message.protocol_instance_id.clone(),
        body: pack_any(url, &rejection).ok(),
        ..Message::default()
    };
    Some((part, refusal))
}

#[cfg(test)]
mod tests {
    use prost::{Message as _, Name};
    use temporalio_common::protos::{
        temporal::api::{
            common::v1::{Payload, Payloads},
            protocol::v1::{Message, message::SequencingId},
            update::v1::{Input, Rejection, Request},
            workflowservice::v1::{
                PollWorkflowTaskQueueResponse, RespondWorkflowTaskCompletedRequest,
                RespondWorkflowTaskCompletedResponse,
            },
        },
        utilities::pack_any,
    };

    use super::{ACCEPTANCE, Received, TASKS, encoded};

    const LIMIT: usize = 100_000;

    fn update(id: &str, bytes: usize) -> Message {
        let input = Input {
            name: "put".to_owned(),
            args: Some(Payloads {
                payloads: vec![Payload {
                    data: vec![b'x'; bytes],
                    ..Payload::default()
                }],
            }),
            ..Input::default()
        };
        let request = Request {
            input: Some(input),
            ..Request::default()
        };
        let url = format!("type.googleapis.com/{}", Request::full_name());
        Message {
            id: format!("{id}/request"),
            protocol_instance_id: id.to_owned(),
            sequencing_id: Some(SequencingId::EventId(7)),
            body: Some(pack_any(url, &request).unwrap()),
        }
    }

    fn task(token: u8, messages: Vec<Message>) -> PollWorkflowTaskQueueResponse {
        PollWorkflowTaskQueueResponse {
            task_token: vec![token],
            messages,
            ..PollWorkflowTaskQueueResponse::default()
        }
    }

    fn completion(token: u8) -> RespondWorkflowTaskCompletedRequest {
        RespondWorkflowTaskCompletedRequest {
            task_token: vec![token],
            ..RespondWorkflowTaskCompletedRequest::default()
        }
    }

    /// What is left of `task`, and what was said to be too large.
    fn passed(
        received: &Received,
        task: &PollWorkflowTaskQueueResponse,
    ) -> (Option<PollWorkflowTaskQueueResponse>, Vec<String>) {
        let mut told = Vec::new();
        let answer = task.encode_to_vec();
        let left = received
            .without_too_large("PollWorkflowTaskQueue", &answer, LIMIT, |part| {
                told.push(part.field.clone());
            })
            .unwrap();
        let left = left.map(|it| PollWorkflowTaskQueueResponse::decode(&*it).unwrap());
        (left, told)
    }

    #[test]
    fn an_update_that_is_too_large_is_refused_with_the_answer_to_its_task() {
        let received = Received::default();
        let small = update("small", LIMIT - 2 * ACCEPTANCE);
        let both = task(1, vec![update("large", LIMIT), small.clone()]);

        let (left, told) = passed(&received, &both);

        assert_eq!(left, Some(task(1, vec![small])));
        assert_eq!(told, [r#"input of update "put""#]);
        assert_eq!(received.with_refusals(&encoded(&completion(2))), None);
        for _ in 0..2 {
            let sent = received.with_refusals(&encoded(&completion(1))).unwrap();
            let sent = RespondWorkflowTaskCompletedRequest::decode(sent).unwrap();
            let [message] = &sent.messages[..] else {
                panic!("one message: {:?}", sent.messages);
            };
            assert_eq!(message.protocol_instance_id, "large");
            let body = message.body.as_ref().unwrap();
            let rejection = Rejection::decode(&*body.value).unwrap();
            assert_eq!(rejection.rejected_request_message_id, "large/request");
            assert_eq!(rejection.rejected_request_sequencing_event_id, 7);
            let text = rejection.failure.unwrap().message;
            assert!(
                text.starts_with(r#"input of update "put" is 100"#),
                "{text}"
            );
        }
    }

    #[test]
    fn a_task_that_comes_with_the_answer_to_another_is_looked_at_too() {
        let received = Received::default();
        let answer = RespondWorkflowTaskCompletedResponse {
            workflow_task: Some(task(3, vec![update("large", LIMIT)])),
            ..RespondWorkflowTaskCompletedResponse::default()
        };

        let left = received
            .without_too_large(
                "RespondWorkflowTaskCompleted",
                &answer.encode_to_vec(),
                LIMIT,
                |_| {},
            )
            .unwrap()
            .unwrap();

        let left = RespondWorkflowTaskCompletedResponse::decode(&*left).unwrap();
        assert_eq!(left.workflow_task, Some(task(3, Vec::new())));
        assert!(received.with_refusals(&encoded(&completion(3))).is_some());
    }

    #[test]
    fn a_task_without_such_an_update_keeps_its_bytes() {
        let received = Received::default();

        let (left, told) = passed(&received, &task(1, vec![update("small", 5)]));

        assert_eq!((left, told), (None, Vec::new()));
    }

    #[test]
    fn refusals_without_end_do_not_fill_the_memory() {
        let received = Received::default();
        for token in 0..=u8::MAX {
            passed(&received, &task(token, vec![update("large", LIMIT)]));
        }

        assert_eq!(received.kept().len(), TASKS);
        assert!(
            received
                .with_refusals(&encoded(&completion(u8::MAX)))
                .is_some()
        );
        assert_eq!(received.with_refusals(&encoded(&completion(0))), None);
    }
}
