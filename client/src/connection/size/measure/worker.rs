//! The parts of what workers send.

use prost::{Message as _, Name};
use serde_json::Value;
use temporalio_common::protos::temporal::api::{
    command::v1::{Command, RecordMarkerCommandAttributes, command::Attributes},
    common::v1::WorkflowType,
    protocol::v1::Message,
    query::v1::WorkflowQueryResult,
    update::v1::{Acceptance, Rejection, Response},
    workflowservice::v1::{
        RecordActivityTaskHeartbeatRequest, RespondActivityTaskCanceledRequest,
        RespondActivityTaskCompletedRequest, RespondActivityTaskFailedRequest,
        RespondQueryTaskCompletedRequest, RespondWorkflowTaskCompletedRequest,
        RespondWorkflowTaskFailedRequest,
    },
};

use super::{Kind, Measured, Names, Parts, client::update};

impl Parts for RecordActivityTaskHeartbeatRequest {
    fn parts(&self, measured: &mut Measured) {
        let activity = measured.answered(&self.task_token);
        measured.payloads(self.details.as_ref(), || format!("heartbeat of {activity}"));
    }
}

impl Parts for RespondActivityTaskCompletedRequest {
    fn parts(&self, measured: &mut Measured) {
        let activity = measured.answered(&self.task_token);
        measured.payloads(self.result.as_ref(), || format!("result of {activity}"));
    }
}

impl Parts for RespondActivityTaskFailedRequest {
    fn parts(&self, measured: &mut Measured) {
        let activity = measured.answered(&self.task_token);
        measured.payloads(self.failure.as_ref(), || format!("failure of {activity}"));
        let details = self.last_heartbeat_details.as_ref();
        measured.payloads(details, || format!("heartbeat of {activity}"));
    }
}

impl Parts for RespondActivityTaskCanceledRequest {
    fn parts(&self, measured: &mut Measured) {
        let activity = measured.answered(&self.task_token);
        measured.payloads(self.details.as_ref(), || {
            format!("cancellation of {activity}")
        });
    }
}

impl Parts for RespondQueryTaskCompletedRequest {
    fn parts(&self, measured: &mut Measured) {
        measured.payloads(self.query_result.as_ref(), || "answer to a query".into());
        measured.payloads(self.failure.as_ref(), || "failure of a query".into());
    }
}

impl Parts for RespondWorkflowTaskFailedRequest {
    fn parts(&self, measured: &mut Measured) {
        measured.names = Names::of(&self.task_token);
        measured.payloads(self.failure.as_ref(), || {
            "failure of a workflow task".into()
        });
    }
}

impl Parts for RespondWorkflowTaskCompletedRequest {
    fn parts(&self, measured: &mut Measured) {
        measured.names = Names::of(&self.task_token);
        for one in &self.commands {
            command(one, measured);
        }
        for result in self.query_results.values() {
            query_answer(result, measured);
        }
        for message in &self.messages {
            update_message(message, measured);
        }
    }
}

impl Measured {
    /// Notes whose task is answered, and names the activity.
    fn answered(&mut self, token: &[u8]) -> String {
        self.names = Names::of(token);
        self.names.activity()
    }
}

/// Adds the parts of one command.
pub(in super::super) fn command(command: &Command, measured: &mut Measured) {
    match &command.attributes {
        Some(Attributes::ScheduleActivityTaskCommandAttributes(it)) => {
            let name = it.activity_type.as_ref().map_or("", |it| &it.name);
            measured.payloads(it.input.as_ref(), || format!("input of activity {name:?}"));
        }
        Some(Attributes::StartChildWorkflowExecutionCommandAttributes(it)) => {
            let child = || workflow("child workflow", it.workflow_type.as_ref());
            measured.payloads(it.input.as_ref(), || format!("input of {}", child()));
            measured.memo(it.memo.as_ref(), || format!("memo of {}", child()));
        }
        Some(Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(it)) => {
            let next = || workflow("the next run of workflow", it.workflow_type.as_ref());
            measured.payloads(it.input.as_ref(), || format!("input of {}", next()));
            measured.memo(it.memo.as_ref(), || format!("memo of {}", next()));
        }
        Some(Attributes::SignalExternalWorkflowExecutionCommandAttributes(it)) => {
            let field = || format!("input of signal {:?}", it.signal_name);
            measured.payloads(it.input.as_ref(), field);
        }
        Some(Attributes::RecordMarkerCommandAttributes(it)) => {
            let bytes = it
                .details
                .iter()
                .map(|(key, it)| key.len() + it.encoded_len());
            measured.add(Kind::Payload, bytes.sum(), || marker(it));
        }
        Some(attributes) => own(attributes, measured),
        None => {}
    }
}

/// What a workflow sends about itself.
fn own(attributes: &Attributes, measured: &mut Measured) {
    match attributes {
        Attributes::CompleteWorkflowExecutionCommandAttributes(it) => {
            measured.payloads(it.result.as_ref(), || "result of the workflow".into());
        }
        Attributes::FailWorkflowExecutionCommandAttributes(it) => {
            measured.payloads(it.failure.as_ref(), || "failure of the workflow".into());
        }
        Attributes::ModifyWorkflowPropertiesCommandAttributes(it) => {
            let memo = it.upserted_memo.as_ref();
            measured.payloads(memo, || "memo that the workflow sets".into());
        }
        Attributes::ScheduleNexusOperationCommandAttributes(it) => {
            let field = || format!("input of Nexus operation {:?}", it.operation);
            measured.payloads(it.input.as_ref(), field);
        }
        _ => {}
    }
}

/// Adds the parts of the answer to a query.
pub(in super::super) fn query_answer(result: &WorkflowQueryResult, measured: &mut Measured) {
    measured.payloads(result.answer.as_ref(), || "answer to a query".into());
    measured.payloads(result.failure.as_ref(), || "failure of a query".into());
}

/// Adds what a message about an update holds: its acceptance repeats the input.
pub(in super::super) fn update_message(message: &Message, measured: &mut Measured) {
    let Some(body) = &message.body else {
        return;
    };
    measured.add(Kind::Payload, body.encoded_len(), || {
        match body.type_url.rsplit('/').next() {
            Some(name) if name == Acceptance::full_name() => {
                let accepted = Acceptance::decode(&*body.value).unwrap_or_default();
                let name = update(accepted.accepted_request.as_ref());
                format!("input of update {name:?}")
            }
            Some(name) if name == Rejection::full_name() => {
                let rejected = Rejection::decode(&*body.value).unwrap_or_default();
                format!(
                    "refusal of update {:?}",
                    update(rejected.rejected_request.as_ref())
                )
            }
            _ => {
                let response = Response::decode(&*body.value).unwrap_or_default();
                let meta = response.meta.unwrap_or_default();
                format!("answer to update {:?}", meta.update_id)
            }
        }
    });
}

/// The SDK's core notes in the marker of a local activity, in plaintext, which one it was.
fn marker(marker: &RecordMarkerCommandAttributes) -> String {
    let notes = marker
        .details
        .get("data")
        .and_then(|it| it.payloads.first());
    let notes: Option<Value> = notes.and_then(|it| serde_json::from_slice(&it.data).ok());
    match notes.as_ref().and_then(|it| it["activity_type"].as_str()) {
        Some(name) => format!("result of local activity {name:?}"),
        None => format!("details of marker {:?}", marker.marker_name),
    }
}

fn workflow(what: &str, name: Option<&WorkflowType>) -> String {
    format!("{what} {:?}", name.map_or("", |it| &it.name))
}
