//! The parts of what clients send.

use prost::Message;
use temporalio_common::protos::temporal::api::{
    common::v1::{Memo, WorkflowType},
    schedule::v1::{Schedule, schedule_action::Action},
    update::v1::Request,
    workflow::v1::NewWorkflowExecutionInfo,
    workflowservice::v1::{
        CreateScheduleRequest, ExecuteMultiOperationRequest, QueryWorkflowRequest,
        RecordActivityTaskHeartbeatByIdRequest, RespondActivityTaskCanceledByIdRequest,
        RespondActivityTaskCompletedByIdRequest, RespondActivityTaskFailedByIdRequest,
        SignalWithStartWorkflowExecutionRequest, SignalWorkflowExecutionRequest,
        StartActivityExecutionRequest, StartWorkflowExecutionRequest, UpdateScheduleRequest,
        UpdateWorkflowExecutionRequest, execute_multi_operation_request::operation::Operation,
    },
};

use super::{Kind, Measured, Parts, size};

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
    /// The server takes it, and then its acceptance, which repeats it, fails at the limit: so it is
    /// measured as a whole.
    fn parts(&self, measured: &mut Measured) {
        measured.payloads(self.request.as_ref(), || {
            format!("input of update {:?}", update(self.request.as_ref()))
        });
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

/// Returns the name of an update.
pub(in super::super) fn update(request: Option<&Request>) -> &str {
    let input = request.and_then(|it| it.input.as_ref());
    input.map_or("", |it| &it.name)
}
