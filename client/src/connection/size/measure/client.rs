//! The parts of what clients send.

use prost::Message;
use temporalio_common::protos::temporal::api::{
    common::v1::{Memo, WorkflowType},
    schedule::v1::{Schedule, schedule_action::Action},
    update::v1::Request,
    workflow::v1::{NewWorkflowExecutionInfo, PostResetOperation, post_reset_operation::Variant},
    workflowservice::v1::{
        CreateScheduleRequest, ExecuteMultiOperationRequest, QueryWorkflowRequest,
        RecordActivityTaskHeartbeatByIdRequest, ResetWorkflowExecutionRequest,
        RespondActivityTaskCanceledByIdRequest, RespondActivityTaskCompletedByIdRequest,
        RespondActivityTaskFailedByIdRequest, SignalWithStartWorkflowExecutionRequest,
        SignalWorkflowExecutionRequest, StartActivityExecutionRequest, StartBatchOperationRequest,
        StartNexusOperationExecutionRequest, StartWorkflowExecutionRequest,
        TerminateWorkflowExecutionRequest, UpdateScheduleRequest,
        UpdateWorkerDeploymentVersionMetadataRequest, UpdateWorkflowExecutionRequest,
        execute_multi_operation_request::operation::Operation,
        start_batch_operation_request::Operation as Batch,
    },
};

use super::{Kind, Measured, Parts, size};

/// How much longer than the request that it repeats the acceptance of an update is at most, in bytes,
/// beside the update's id: names of types, lengths and numbers.
const ACCEPTANCE: usize = 200;

/// What the server adds, in bytes, if it has to make up the id: 36, and what says that they are an id,
/// in the request and for the acceptance.
const MADE_UP: usize = 2 * 36 + 2;

impl Parts for StartWorkflowExecutionRequest {
    fn parts(&self, measured: &mut Measured) {
        let workflow = || workflow(self.workflow_type.as_ref());
        measured.payloads(self.input.as_ref(), || format!("input of {}", workflow()));
        measured.memo(self.memo.as_ref(), || format!("memo of {}", workflow()));
    }
}

impl Parts for SignalWithStartWorkflowExecutionRequest {
    fn parts(&self, measured: &mut Measured) {
        let workflow = || workflow(self.workflow_type.as_ref());
        measured.payloads(self.input.as_ref(), || format!("input of {}", workflow()));
        measured.payloads(self.signal_input.as_ref(), || signal(&self.signal_name));
        measured.memo(self.memo.as_ref(), || format!("memo of {}", workflow()));
    }
}

impl Parts for ExecuteMultiOperationRequest {
    fn parts(&self, measured: &mut Measured) {
        for operation in self.operations.iter().flat_map(|it| &it.operation) {
            match operation {
                Operation::StartWorkflow(start) => start.parts(measured),
                Operation::UpdateWorkflow(update) => update.parts(measured),
            }
        }
    }
}

impl Parts for SignalWorkflowExecutionRequest {
    fn parts(&self, measured: &mut Measured) {
        measured.payloads(self.input.as_ref(), || signal(&self.signal_name));
    }
}

impl Parts for QueryWorkflowRequest {
    fn parts(&self, measured: &mut Measured) {
        if let Some(query) = &self.query {
            let field = || format!("input of query {:?}", query.query_type);
            measured.payloads(query.query_args.as_ref(), field);
        }
    }
}

impl Parts for UpdateWorkflowExecutionRequest {
    /// The server takes it, and then its acceptance fails at the limit: so that is measured.
    fn parts(&self, measured: &mut Measured) {
        let request = self.request.as_ref();
        measured.add(Kind::Payload, request.map_or(0, accepted), || {
            format!("input of update {:?}", update(request))
        });
    }
}

impl Parts for TerminateWorkflowExecutionRequest {
    /// The server has no limit for these (tried with Temporal Server 1.32).
    fn parts(&self, measured: &mut Measured) {
        let details = size(self.details.as_ref());
        measured.add(Kind::Unlimited, details, || {
            "details of a termination".into()
        });
    }
}

impl Parts for ResetWorkflowExecutionRequest {
    fn parts(&self, measured: &mut Measured) {
        after_reset(&self.post_reset_operations, measured);
    }
}

impl Parts for StartBatchOperationRequest {
    /// What is done to each workflow is measured when the batch is made, a termination too (tried with
    /// Temporal Server 1.32).
    fn parts(&self, measured: &mut Measured) {
        match &self.operation {
            Some(Batch::SignalOperation(it)) => {
                measured.payloads(it.input.as_ref(), || signal(&it.signal));
            }
            Some(Batch::TerminationOperation(it)) => {
                measured.payloads(it.details.as_ref(), || "details of terminations".into());
            }
            Some(Batch::ResetOperation(it)) => after_reset(&it.post_reset_operations, measured),
            _ => {}
        }
    }
}

/// Adds the signals that workflows get once they are reset.
fn after_reset(operations: &[PostResetOperation], measured: &mut Measured) {
    for operation in operations {
        if let Some(Variant::SignalWorkflow(it)) = &operation.variant {
            measured.payloads(it.input.as_ref(), || signal(&it.signal_name));
        }
    }
}

impl Parts for CreateScheduleRequest {
    fn parts(&self, measured: &mut Measured) {
        let parts = (self.schedule.as_ref(), self.memo.as_ref());
        schedule(measured, &self.schedule_id, parts);
    }
}

impl Parts for UpdateScheduleRequest {
    fn parts(&self, measured: &mut Measured) {
        let parts = (self.schedule.as_ref(), self.memo.as_ref());
        schedule(measured, &self.schedule_id, parts);
    }
}

impl Parts for StartActivityExecutionRequest {
    fn parts(&self, measured: &mut Measured) {
        measured.payloads(self.input.as_ref(), || {
            format!("input of activity {:?}", self.activity_id)
        });
    }
}

impl Parts for StartNexusOperationExecutionRequest {
    fn parts(&self, measured: &mut Measured) {
        measured.payloads(self.input.as_ref(), || {
            format!("input of Nexus operation {:?}", self.operation_id)
        });
    }
}

impl Parts for UpdateWorkerDeploymentVersionMetadataRequest {
    fn parts(&self, measured: &mut Measured) {
        for (name, entry) in &self.upsert_entries {
            measured.payloads(Some(entry), || {
                format!("metadata {name:?} of a worker deployment version")
            });
        }
    }
}

impl Parts for RecordActivityTaskHeartbeatByIdRequest {
    fn parts(&self, measured: &mut Measured) {
        measured.payloads(self.details.as_ref(), || {
            format!("heartbeat of activity {:?}", self.activity_id)
        });
    }
}

impl Parts for RespondActivityTaskCompletedByIdRequest {
    fn parts(&self, measured: &mut Measured) {
        measured.payloads(self.result.as_ref(), || {
            format!("result of activity {:?}", self.activity_id)
        });
    }
}

impl Parts for RespondActivityTaskFailedByIdRequest {
    fn parts(&self, measured: &mut Measured) {
        measured.payloads(self.failure.as_ref(), || {
            format!("failure of activity {:?}", self.activity_id)
        });
        measured.payloads(self.last_heartbeat_details.as_ref(), || {
            format!("heartbeat of activity {:?}", self.activity_id)
        });
    }
}

impl Parts for RespondActivityTaskCanceledByIdRequest {
    fn parts(&self, measured: &mut Measured) {
        measured.payloads(self.details.as_ref(), || {
            format!("cancellation of activity {:?}", self.activity_id)
        });
    }
}

/// The server adds up what a schedule stores.
fn schedule(
    measured: &mut Measured,
    id: &str,
    (schedule, memo): (Option<&Schedule>, Option<&Memo>),
) {
    let action = schedule.and_then(|it| it.action.as_ref()?.action.as_ref());
    let start = action.map(|Action::StartWorkflow(start)| start);
    let stored = size(memo) + start.map_or(0, stored);
    measured.add(Kind::Payload, stored, || {
        format!("input and memo of schedule {id:?}")
    });
}

fn stored(start: &NewWorkflowExecutionInfo) -> usize {
    size(start.input.as_ref()) + start.memo.as_ref().map_or(0, Message::encoded_len)
}

fn workflow(name: Option<&WorkflowType>) -> String {
    format!("workflow {:?}", name.map_or("", |it| &it.name))
}

fn signal(name: &str) -> String {
    format!("input of signal {name:?}")
}

/// Returns how large the acceptance of an update is, with which the worker repeats it, and which the
/// server measures.
pub(in super::super) fn accepted(request: &Request) -> usize {
    let id = match request.meta.as_ref().map_or(0, |it| it.update_id.len()) {
        0 => MADE_UP,
        given => given,
    };
    request.encoded_len() + id + ACCEPTANCE
}

/// Returns the name of an update.
pub(in super::super) fn update(request: Option<&Request>) -> &str {
    let input = request.and_then(|it| it.input.as_ref());
    input.map_or("", |it| &it.name)
}
