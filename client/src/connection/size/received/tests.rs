use std::collections::BTreeSet;

use prost::{Message as _, Name};
use temporalio_common::protos::{
    temporal::api::{
        common::v1::{Payload, Payloads},
        protocol::v1::{Message, message::SequencingId},
        update::v1::{Acceptance, Input, Meta, Rejection, Request},
        workflowservice::v1::{
            PollWorkflowTaskQueueResponse, RespondWorkflowTaskCompletedRequest,
            RespondWorkflowTaskCompletedResponse, UpdateWorkflowExecutionRequest,
        },
    },
    utilities::pack_any,
};
use tokio::time::advance;

use super::{BLAMED, KEPT, LARGE, Limits, ROOM, Received, TooLarge, brings_large_update, encoded};
use crate::connection::size::measure::{Measured, update_message};

/// What a namespace takes by default.
const LIMIT: usize = 2 * 1024 * 1024;

/// Large, and far below the limit.
const MUCH: usize = 100_000;

fn request(id: &str, bytes: usize) -> Request {
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
    Request {
        meta: Some(Meta {
            update_id: id.to_owned(),
            ..Meta::default()
        }),
        input: Some(input),
        ..Request::default()
    }
}

fn message<M: Name>(id: &str, body: &M) -> Message {
    let url = format!("type.googleapis.com/{}", M::full_name());
    Message {
        id: format!("{id}/request"),
        protocol_instance_id: id.to_owned(),
        sequencing_id: Some(SequencingId::EventId(7)),
        body: Some(pack_any(url, body).unwrap()),
    }
}

fn update(id: &str, bytes: usize) -> Message {
    message(id, &request(id, bytes))
}

/// What the SDK makes of an update.
fn acceptance(id: &str, bytes: usize) -> Message {
    let acceptance = Acceptance {
        accepted_request_message_id: format!("{id}/request"),
        accepted_request_sequencing_event_id: i64::MAX,
        accepted_request: Some(request(id, bytes)),
    };
    message(id, &acceptance)
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
        .without_too_large(
            "PollWorkflowTaskQueue",
            &answer,
            &Limits::default(),
            |_, too_large| told.push(too_large.to_string()),
        )
        .unwrap();
    let left = left.map(|it| PollWorkflowTaskQueueResponse::decode(&*it).unwrap());
    (left, told)
}

/// The update ids that a completion of the task with that token refuses.
fn refused(received: &Received, token: u8) -> Vec<String> {
    let Some(sent) = received.with_refusals(&encoded(&completion(token))) else {
        return Vec::new();
    };
    let sent = RespondWorkflowTaskCompletedRequest::decode(sent).unwrap();
    let refused = sent.messages.into_iter().map(|it| it.protocol_instance_id);
    refused.collect()
}

#[test]
fn an_update_that_is_too_large_is_refused_with_the_answer_to_its_task() {
    let received = Received::default();
    let small = update("small", MUCH);
    let both = task(1, vec![update("large", LIMIT), small.clone()]);

    let (left, told) = passed(&received, &both);

    assert_eq!(left, Some(task(1, vec![small])));
    assert!(
        told[0].starts_with(r#"input of update "put" is 2097"#),
        "{told:?}"
    );
    assert!(refused(&received, 2).is_empty());
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
        assert_eq!(rejection.failure.unwrap().message, told[0]);
    }
}

#[test]
fn a_task_that_comes_with_the_answer_to_another_is_looked_at_too() {
    let received = Received::default();
    let answer = RespondWorkflowTaskCompletedResponse {
        workflow_task: Some(task(3, vec![update("large", LIMIT)])),
        ..RespondWorkflowTaskCompletedResponse::default()
    };
    let rpc = "RespondWorkflowTaskCompleted";
    let answer = answer.encode_to_vec();

    assert!(brings_large_update(rpc, &answer));
    let left = received
        .without_too_large(rpc, &answer, &Limits::default(), |_, _| {})
        .unwrap()
        .unwrap();

    let left = RespondWorkflowTaskCompletedResponse::decode(&*left).unwrap();
    assert_eq!(left.workflow_task, Some(task(3, Vec::new())));
    assert_eq!(refused(&received, 3), ["large"]);
}

#[test]
fn a_task_without_such_an_update_keeps_its_bytes() {
    let received = Received::default();
    let small = task(1, vec![update("small", 5)]);

    let (left, told) = passed(&received, &small);

    assert_eq!((left, told), (None, Vec::new()));
    let rpc = "PollWorkflowTaskQueue";
    assert!(!brings_large_update(rpc, &small.encode_to_vec()));
    let large = task(1, vec![update("large", LARGE)]);
    assert!(brings_large_update(rpc, &large.encode_to_vec()));
}

#[test]
fn of_updates_that_are_too_much_together_those_are_refused_for_which_there_is_no_room() {
    let received = Received::default();
    let large = |id| update(id, 1_500_000);
    let small = update("small", 5);
    let all = vec![large("one"), large("two"), large("three"), small.clone()];

    let (left, told) = passed(&received, &task(1, all));

    let left = left.unwrap().messages;
    assert_eq!(left, [large("one"), large("two"), small]);
    assert_eq!(refused(&received, 1), ["three"]);
    assert!(told[0].contains("send one after the other"), "{told:?}");
    assert!(
        told[0].contains(&format!("takes {ROOM} at once")),
        "{told:?}"
    );
}

#[test]
fn what_a_client_may_send_a_worker_may_accept() {
    let received = Received::default();
    let limits = Limits::default();
    let mut outcomes = BTreeSet::new();
    for bytes in LIMIT - 330..LIMIT - 200 {
        for (given, id) in [("u-1", "u-1"), ("", "01234567-89ab-cdef-0123-456789abcdef")] {
            let sent = UpdateWorkflowExecutionRequest {
                request: Some(request(given, bytes)),
                ..UpdateWorkflowExecutionRequest::default()
            };
            let sent = Measured::of("UpdateWorkflowExecution", &encoded(&sent));
            let (left, _) = passed(&received, &task(1, vec![update(id, bytes)]));
            let mut answer = Measured::default();
            update_message(&acceptance(id, bytes), &mut answer);

            let is_sent = sent.over(&limits).is_none();
            assert_eq!(is_sent, left.is_none(), "{bytes} bytes for {given:?}");
            assert!(!is_sent || answer.over(&limits).is_none(), "{bytes} bytes");
            outcomes.insert((given, is_sent));
        }
    }
    assert_eq!(outcomes.len(), 4, "both happened to both: {outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn an_update_that_failed_its_task_is_refused_when_that_comes_again() {
    let received = Received::default();
    let too_large = TooLarge::of_request(5_000_000, None, &Limits::default());
    received.blame_for(&acceptance("guilty", MUCH), too_large.clone());
    let again = task(1, vec![update("guilty", MUCH), update("other", MUCH)]);

    let (left, told) = passed(&received, &again);

    assert_eq!(left, Some(task(1, vec![update("other", MUCH)])));
    assert_eq!(told, [too_large.to_string()]);
    received.answered(&encoded(&completion(2)));
    assert!(passed(&received, &again).0.is_some(), "not refused so far");
    received.answered(&encoded(&completion(1)));
    assert_eq!(passed(&received, &again).0, None, "it may be sent alone");

    received.blame_for(&acceptance("guilty", MUCH), too_large);
    advance(BLAMED).await;
    assert_eq!(passed(&received, &again).0, None, "blamed for too long");
}

#[test]
fn refusals_without_end_do_not_fill_the_memory() {
    let received = Received::default();
    let too_large = TooLarge::of_request(5_000_000, None, &Limits::default());
    for token in 0..=u8::MAX {
        passed(&received, &task(token, vec![update("large", LIMIT)]));
        received.blame_for(&acceptance(&token.to_string(), 5), too_large.clone());
    }

    assert_eq!(received.kept().len(), KEPT);
    assert_eq!(received.blamed().len(), KEPT);
    assert_eq!(refused(&received, u8::MAX), ["large"]);
    assert!(refused(&received, 0).is_empty());
}
