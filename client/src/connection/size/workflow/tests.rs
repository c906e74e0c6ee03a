use std::collections::HashMap;

use bytes::Bytes;
use prost::{Message as _, Name};
use temporalio_common::protos::{
    temporal::api::{
        command::v1::{
            Command, CompleteWorkflowExecutionCommandAttributes, StartTimerCommandAttributes,
            command::Attributes,
        },
        common::v1::{Payload, Payloads},
        failure::v1::failure::FailureInfo,
        protocol::v1::Message,
        query::v1::WorkflowQueryResult,
        update::v1::{Acceptance, Input, Outcome, Request, Response, outcome},
        workflowservice::v1::{
            RespondWorkflowTaskCompletedRequest as Completion, RespondWorkflowTaskFailedRequest,
        },
    },
    utilities::pack_any,
};

use super::{Attributes as Any, Instead, Limits, Received, Then, TooLarge, completion, encoded};
use crate::connection::size::measure::{Kind, Part};

/// Above the default limit.
const TOO_MUCH: usize = 3_000_000;

/// Large, and below the limit.
const MUCH: usize = 100_000;

fn payloads(bytes: usize) -> Payloads {
    Payloads {
        payloads: vec![Payload {
            data: vec![b'x'; bytes],
            ..Payload::default()
        }],
    }
}

fn command(attributes: Attributes) -> Command {
    Command {
        attributes: Some(attributes),
        ..Command::default()
    }
}

fn timer() -> Command {
    let timer = StartTimerCommandAttributes::default();
    command(Attributes::StartTimerCommandAttributes(timer))
}

fn result(bytes: usize) -> Command {
    let complete = CompleteWorkflowExecutionCommandAttributes {
        result: Some(payloads(bytes)),
    };
    command(Attributes::CompleteWorkflowExecutionCommandAttributes(
        complete,
    ))
}

fn answer(bytes: usize) -> HashMap<String, WorkflowQueryResult> {
    let answer = WorkflowQueryResult {
        answer: Some(payloads(bytes)),
        ..WorkflowQueryResult::default()
    };
    HashMap::from([("q".to_owned(), answer)])
}

fn message<M: Name>(body: &M) -> Message {
    let url = format!("type.googleapis.com/{}", M::full_name());
    Message {
        protocol_instance_id: "an update".to_owned(),
        body: Some(pack_any(url, body).unwrap()),
        ..Message::default()
    }
}

fn response(bytes: usize) -> Message {
    message(&Response {
        outcome: Some(Outcome {
            value: Some(outcome::Value::Success(payloads(bytes))),
        }),
        ..Response::default()
    })
}

fn acceptance(bytes: usize) -> Message {
    let input = Input {
        args: Some(payloads(bytes)),
        ..Input::default()
    };
    message(&Acceptance {
        accepted_request: Some(Request {
            input: Some(input),
            ..Request::default()
        }),
        ..Acceptance::default()
    })
}

fn part() -> Part {
    Part {
        field: "a field".to_owned(),
        bytes: TOO_MUCH,
        kind: Kind::Payload,
    }
}

/// What is sent instead of `proto`, for `too_large`.
fn sent_for(proto: &Bytes, received: &Received, too_large: &TooLarge) -> Instead {
    completion(proto, &Limits::default(), received, too_large).unwrap()
}

fn instead(completion: &Completion) -> Instead {
    let too_large = TooLarge::of_part(&part(), &Limits::default());
    sent_for(&encoded(completion), &Received::default(), &too_large)
}

/// As if the server had refused all of it together.
fn instead_of_all(completion: &Completion) -> Instead {
    refused(&encoded(completion), &Received::default())
}

fn refused(proto: &Bytes, received: &Received) -> Instead {
    let too_large = TooLarge::of_request(5_000_000, Some(&part()), &Limits::default());
    sent_for(proto, received, &too_large)
}

fn sent(instead: &Instead) -> Completion {
    assert_eq!(instead.rpc, "RespondWorkflowTaskCompleted");
    Completion::decode(instead.proto.clone()).unwrap()
}

/// The text with which the workflow fails, if that is all that it does.
fn fails_with(instead: &Instead) -> String {
    let sent = sent(instead);
    let [command] = &sent.commands[..] else {
        panic!("one command: {:?}", sent.commands);
    };
    let Some(Any::FailWorkflowExecutionCommandAttributes(fail)) = &command.attributes else {
        panic!("a failure: {command:?}");
    };
    assert!(matches!(instead.then, Then::Gone(_)));
    let failure = fail.failure.clone().unwrap();
    let Some(FailureInfo::ApplicationFailureInfo(info)) = &failure.failure_info else {
        panic!("a failure of the application: {failure:?}");
    };
    assert_eq!(info.r#type, "PayloadTooLarge");
    assert!(info.non_retryable);
    failure.message
}

#[test]
fn a_command_that_is_too_large_fails_the_workflow_and_says_how_large_it_is() {
    let instead = instead(&Completion {
        task_token: vec![7],
        commands: vec![timer(), result(TOO_MUCH)],
        messages: vec![response(5)],
        force_create_new_workflow_task: true,
        ..Completion::default()
    });

    let text = fails_with(&instead);
    assert!(
        text.starts_with("result of the workflow is 30000"),
        "{text}"
    );
    let sent = sent(&instead);
    assert_eq!(sent.task_token, [7]);
    assert!(sent.messages.is_empty() && !sent.force_create_new_workflow_task);
}

#[test]
fn an_answer_that_is_too_large_costs_the_query_and_nothing_else() {
    let instead = instead(&Completion {
        commands: vec![timer()],
        query_results: answer(TOO_MUCH),
        ..Completion::default()
    });

    let sent = sent(&instead);
    assert!(matches!(instead.then, Then::Pass));
    assert_eq!(sent.commands, [timer()]);
    let failed = &sent.query_results["q"];
    assert_eq!(failed.answer, None);
    assert!(failed.error_message.contains("answer to a query is 30000"));
    assert!(failed.failure.is_some());
}

#[test]
fn an_update_whose_answer_is_too_large_fails_and_the_workflow_goes_on() {
    let instead = instead(&Completion {
        commands: vec![timer()],
        messages: vec![acceptance(5), response(TOO_MUCH)],
        ..Completion::default()
    });

    let sent = sent(&instead);
    assert!(matches!(instead.then, Then::Pass));
    assert_eq!(sent.commands, [timer()]);
    assert_eq!(sent.messages[0], acceptance(5));
    let body = sent.messages[1].body.as_ref().unwrap();
    let outcome = Response::decode(&*body.value).unwrap().outcome.unwrap();
    let Some(outcome::Value::Failure(failure)) = outcome.value else {
        panic!("a failure: {outcome:?}");
    };
    assert!(failure.message.contains("answer to update"), "{failure:?}");
}

#[test]
fn updates_that_are_accepted_do_not_fail_the_workflow() {
    let received = Received::default();
    let completion = Completion {
        task_token: vec![7],
        commands: vec![timer(), result(TOO_MUCH)],
        messages: vec![acceptance(TOO_MUCH)],
        ..Completion::default()
    };

    let too_large = TooLarge::of_part(&part(), &Limits::default());
    let instead = sent_for(&encoded(&completion), &received, &too_large);

    assert_eq!(instead.rpc, "RespondWorkflowTaskFailed");
    assert!(matches!(instead.then, Then::Gone(_)));
    let failed = RespondWorkflowTaskFailedRequest::decode(instead.proto.clone()).unwrap();
    assert_eq!(failed.task_token, [7]);
    let text = failed.failure.unwrap().message;
    assert!(text.starts_with("input of update"), "{text}");
    assert_eq!(received.blame("an update").unwrap().to_string(), text);
}

#[test]
fn commands_that_are_too_much_together_fail_the_workflow() {
    let large = instead_of_all(&Completion {
        commands: vec![result(MUCH), result(MUCH)],
        ..Completion::default()
    });
    let many = instead_of_all(&Completion {
        commands: vec![timer(), timer()],
        ..Completion::default()
    });

    for instead in [large, many] {
        let text = fails_with(&instead);
        assert!(text.starts_with("5000000 bytes at once"), "{text}");
    }
}

#[test]
fn queries_go_first_when_all_of_it_is_too_much_then_updates_then_the_workflow() {
    let first = instead_of_all(&Completion {
        commands: vec![result(MUCH)],
        query_results: answer(MUCH),
        messages: vec![response(MUCH)],
        ..Completion::default()
    });
    let second = refused(&first.proto, &Received::default());
    let last = refused(&second.proto, &Received::default());

    assert_eq!(sent(&first).commands, [result(MUCH)]);
    assert_eq!(sent(&first).query_results["q"].answer, None);
    assert_eq!(sent(&first).messages, [response(MUCH)]);
    assert_eq!(sent(&second).commands, [result(MUCH)]);
    assert_ne!(sent(&second).messages, [response(MUCH)]);
    fails_with(&last);
    let sizes = [first, second, last].map(|it| it.proto.len());
    assert!(sizes.is_sorted_by(|one, next| one > next), "{sizes:?}");
}

#[test]
fn an_update_that_is_accepted_does_not_save_a_workflow_that_sends_too_much() {
    let commands = vec![result(1_500_000); 3];

    let instead = instead_of_all(&Completion {
        commands,
        messages: vec![acceptance(MUCH)],
        ..Completion::default()
    });

    fails_with(&instead);
}

#[test]
fn updates_for_which_commands_leave_no_room_fail_the_task_and_are_blamed() {
    let received = Received::default();
    let completion = Completion {
        commands: vec![result(1_500_000)],
        messages: vec![acceptance(1_500_000), acceptance(1_500_000)],
        ..Completion::default()
    };

    let instead = refused(&encoded(&completion), &received);

    assert_eq!(instead.rpc, "RespondWorkflowTaskFailed");
    assert!(matches!(instead.then, Then::Gone(_)));
    let why = received.blame("an update").unwrap().to_string();
    assert!(why.starts_with("5000000 bytes at once"), "{why}");
    assert!(why.contains(", 15000"), "{why}");
}
