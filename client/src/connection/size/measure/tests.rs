use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use prost::{Message, Name};
use temporalio_common::protos::{
    temporal::api::{
        batch::v1::{BatchOperationReset, BatchOperationSignal, BatchOperationTermination},
        command::v1::{
            Command, RecordMarkerCommandAttributes, ScheduleActivityTaskCommandAttributes,
            command::Attributes,
        },
        common::v1::{ActivityType, Memo, Payload, Payloads, WorkflowType},
        protocol::v1::Message as ProtocolMessage,
        update::v1::{Acceptance, Input, Request},
        workflow::v1::{
            PostResetOperation,
            post_reset_operation::{SignalWorkflow, Variant},
        },
        workflowservice::v1::{
            ResetWorkflowExecutionRequest, RespondActivityTaskCompletedRequest,
            RespondWorkflowTaskCompletedRequest, StartBatchOperationRequest,
            StartWorkflowExecutionRequest, TerminateWorkflowExecutionRequest,
            start_batch_operation_request::Operation,
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

/// The RPCs that a source file matches on.
fn rpcs(source: &str) -> BTreeSet<&str> {
    let arms = source.lines().filter(|line| line.contains("\" =>"));
    let names = arms.filter_map(|line| line.trim().strip_prefix('"')?.split('"').next());
    names.collect()
}

#[test]
fn whatever_is_encrypted_is_measured() {
    let encrypted = rpcs(include_str!("../../egress.rs"));
    let measured = rpcs(include_str!("../measure.rs"));
    let garbage = Bytes::from_static(b"\x0a\xff\xff");

    assert_eq!(measured, encrypted);
    assert!(measured.len() > 20, "{measured:?}");
    for rpc in measured {
        let read = Measured::default().read(rpc, &garbage);
        assert!(read.is_err(), "nobody reads {rpc}");
    }
}

#[test]
fn what_ends_workflows_or_goes_to_many_is_measured() {
    let signalling = PostResetOperation {
        variant: Some(Variant::SignalWorkflow(SignalWorkflow {
            signal_name: "go".to_owned(),
            input: payloads(LARGE),
            ..SignalWorkflow::default()
        })),
    };
    let terminate = TerminateWorkflowExecutionRequest {
        details: payloads(LARGE),
        ..TerminateWorkflowExecutionRequest::default()
    };
    let reset = ResetWorkflowExecutionRequest {
        post_reset_operations: vec![signalling.clone()],
        ..ResetWorkflowExecutionRequest::default()
    };
    let batch = |operation| {
        let batch = StartBatchOperationRequest {
            operation: Some(operation),
            ..StartBatchOperationRequest::default()
        };
        measured("StartBatchOperation", &batch)
    };

    let signals = [
        measured("ResetWorkflowExecution", &reset),
        batch(Operation::SignalOperation(BatchOperationSignal {
            signal: "go".to_owned(),
            input: payloads(LARGE),
            ..BatchOperationSignal::default()
        })),
        batch(Operation::ResetOperation(BatchOperationReset {
            post_reset_operations: vec![signalling],
            ..BatchOperationReset::default()
        })),
    ];
    let terminations = batch(Operation::TerminationOperation(BatchOperationTermination {
        details: payloads(LARGE),
        ..BatchOperationTermination::default()
    }));
    let termination = measured("TerminateWorkflowExecution", &terminate);

    for signal in signals {
        assert_eq!(signal[0].field, r#"input of signal "go""#);
    }
    assert_eq!(terminations[0].field, "details of terminations");
    assert_eq!(termination[0].field, "details of a termination");
    assert_eq!(termination[0].kind, Kind::Unlimited);
}
