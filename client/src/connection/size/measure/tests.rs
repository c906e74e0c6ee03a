use std::collections::HashMap;

use bytes::Bytes;
use prost::{Message, Name};
use temporalio_common::protos::{
    temporal::api::{
        command::v1::{
            Command, RecordMarkerCommandAttributes, ScheduleActivityTaskCommandAttributes,
            command::Attributes,
        },
        common::v1::{ActivityType, Memo, Payload, Payloads, WorkflowType},
        protocol::v1::Message as ProtocolMessage,
        update::v1::{Acceptance, Input, Request},
        workflowservice::v1::{
            RespondActivityTaskCompletedRequest, RespondWorkflowTaskCompletedRequest,
            StartWorkflowExecutionRequest,
        },
    },
    utilities::pack_any,
};

use super::{Kind, Measured, Part};
use crate::connection::size::LARGE;

fn payload(bytes: usize) -> Payload {
    Payload {
        data: vec![b'x'; bytes],
        ..Payload::default()
    }
}

fn payloads(bytes: usize) -> Option<Payloads> {
    Some(Payloads {
        payloads: vec![payload(bytes)],
    })
}

fn measured(rpc: &str, message: &impl Message) -> Vec<Part> {
    Measured::of(rpc, &Bytes::from(message.encode_to_vec())).parts
}

fn command(attributes: Attributes) -> Vec<Part> {
    let completion = RespondWorkflowTaskCompletedRequest {
        commands: vec![Command {
            attributes: Some(attributes),
            ..Command::default()
        }],
        ..RespondWorkflowTaskCompletedRequest::default()
    };
    measured("RespondWorkflowTaskCompleted", &completion)
}

#[test]
fn payloads_are_measured_together_and_memos_by_their_own_limit() {
    let start = StartWorkflowExecutionRequest {
        workflow_type: Some(WorkflowType {
            name: "Order".to_owned(),
        }),
        input: Some(Payloads {
            payloads: vec![payload(LARGE), payload(LARGE)],
        }),
        memo: Some(Memo {
            fields: HashMap::from([("note".to_owned(), payload(LARGE))]),
        }),
        ..StartWorkflowExecutionRequest::default()
    };

    let parts = measured("StartWorkflowExecution", &start);

    let sizes = (
        start.input.as_ref().map_or(0, Message::encoded_len),
        start.memo.as_ref().map_or(0, Message::encoded_len),
    );
    let part = |field: &str, bytes, kind| Part {
        field: field.to_owned(),
        bytes,
        kind,
    };
    assert_eq!(
        parts,
        [
            part(r#"input of workflow "Order""#, sizes.0, Kind::Payload),
            part(r#"memo of workflow "Order""#, sizes.1, Kind::Memo),
        ]
    );
}

#[test]
fn what_is_not_large_is_not_noted() {
    let done = |bytes| RespondActivityTaskCompletedRequest {
        result: payloads(bytes),
        ..RespondActivityTaskCompletedRequest::default()
    };
    let overhead = payloads(LARGE).map_or(0, |it| it.encoded_len()) - LARGE;

    let small = measured("RespondActivityTaskCompleted", &done(LARGE - overhead));
    let large = measured("RespondActivityTaskCompleted", &done(LARGE - overhead + 1));

    assert_eq!(small, []);
    assert_eq!(large[0].bytes, LARGE + 1);
    assert_eq!(large[0].field, "result of an activity");
}

#[test]
fn a_command_names_what_it_is_for() {
    let activity = ScheduleActivityTaskCommandAttributes {
        activity_type: Some(ActivityType {
            name: "charge".to_owned(),
        }),
        input: payloads(LARGE),
        ..ScheduleActivityTaskCommandAttributes::default()
    };
    let notes = Payload {
        data: br#"{"seq":1,"activity_type":"look up"}"#.to_vec(),
        ..Payload::default()
    };
    let marker = RecordMarkerCommandAttributes {
        marker_name: "core_local_activity".to_owned(),
        details: HashMap::from([
            (
                "data".to_owned(),
                Payloads {
                    payloads: vec![notes],
                },
            ),
            ("result".to_owned(), payloads(LARGE).unwrap_or_default()),
        ]),
        ..RecordMarkerCommandAttributes::default()
    };
    let unnamed = RecordMarkerCommandAttributes {
        details: HashMap::from([("data".to_owned(), payloads(LARGE).unwrap_or_default())]),
        ..marker.clone()
    };

    let activity = command(Attributes::ScheduleActivityTaskCommandAttributes(activity));
    let marker = command(Attributes::RecordMarkerCommandAttributes(marker));
    let unnamed = command(Attributes::RecordMarkerCommandAttributes(unnamed));

    assert_eq!(activity[0].field, r#"input of activity "charge""#);
    assert_eq!(marker[0].field, r#"result of local activity "look up""#);
    assert_eq!(
        unnamed[0].field,
        r#"details of marker "core_local_activity""#
    );
}

#[test]
fn an_acceptance_is_measured_with_the_input_that_it_repeats() {
    let input = Input {
        name: "put".to_owned(),
        args: payloads(LARGE),
        ..Input::default()
    };
    let acceptance = Acceptance {
        accepted_request: Some(Request {
            input: Some(input),
            ..Request::default()
        }),
        ..Acceptance::default()
    };
    let url = format!("type.googleapis.com/{}", Acceptance::full_name());
    let body = pack_any(url, &acceptance).unwrap();
    let bytes = body.encoded_len();
    let completion = RespondWorkflowTaskCompletedRequest {
        messages: vec![ProtocolMessage {
            body: Some(body),
            ..ProtocolMessage::default()
        }],
        ..RespondWorkflowTaskCompletedRequest::default()
    };

    let parts = measured("RespondWorkflowTaskCompleted", &completion);

    assert_eq!(parts[0].field, r#"input of update "put""#);
    assert_eq!(parts[0].bytes, bytes);
}

#[test]
fn what_nobody_can_read_has_no_parts() {
    let garbage = Bytes::from_static(b"\x0a\xff\xff");

    assert_eq!(
        Measured::of("RespondActivityTaskCompleted", &garbage).parts,
        []
    );
}
