//! How large the payloads of a request are, as the server measures them: together, as a message. Headers
//! do not count, except those of updates: the server takes them as large as a request may be.

mod client;
mod worker;

use bytes::Bytes;
use prost::{DecodeError, Message};
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    CreateScheduleRequest, ExecuteMultiOperationRequest, QueryWorkflowRequest,
    RecordActivityTaskHeartbeatByIdRequest, RecordActivityTaskHeartbeatRequest,
    ResetWorkflowExecutionRequest, RespondActivityTaskCanceledByIdRequest,
    RespondActivityTaskCanceledRequest, RespondActivityTaskCompletedByIdRequest,
    RespondActivityTaskCompletedRequest, RespondActivityTaskFailedByIdRequest,
    RespondActivityTaskFailedRequest, RespondQueryTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest, RespondWorkflowTaskFailedRequest,
    SignalWithStartWorkflowExecutionRequest, SignalWorkflowExecutionRequest,
    StartActivityExecutionRequest, StartBatchOperationRequest, StartNexusOperationExecutionRequest,
    StartWorkflowExecutionRequest, TerminateWorkflowExecutionRequest, UpdateScheduleRequest,
    UpdateWorkerDeploymentVersionMetadataRequest, UpdateWorkflowExecutionRequest,
};

pub(super) use self::{
    client::{accepted, update},
    worker::{command, query_answer, update_message},
};
use super::{LARGE, limits::Limits, token::Names};

/// By which limit a part is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// That of payloads.
    Payload,
    /// That of memos.
    Memo,
    /// None but that of the whole request.
    Unlimited,
}

/// One part of a request that is measured by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// What it is, as part of a sentence.
    pub(super) field: String,
    /// Its size as encrypted.
    pub(super) bytes: usize,
    pub(super) kind: Kind,
}

/// The large parts of a request.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) parts: Vec<Part>,
    /// Whose task the request answers, if it answers one.
    pub(super) names: Names,
}

/// A message with parts.
trait Parts: Message + Default {
    /// Adds each part of the message to `measured`.
    fn parts(&self, measured: &mut Measured);
}

impl Measured {
    /// Measures the request of `rpc`. One that cannot be read, or that nobody measures, has no parts.
    pub(super) fn of(rpc: &str, proto: &Bytes) -> Self {
        let mut measured = Self::default();
        let _ = measured.read(rpc, proto);
        measured
    }

    pub(super) fn largest(&self) -> Option<&Part> {
        self.parts.iter().max_by_key(|part| part.bytes)
    }

    /// The largest part that is above its limit.
    pub(super) fn over(&self, limits: &Limits) -> Option<&Part> {
        let over = self.parts.iter().filter(|it| it.bytes > limits.of(it));
        over.max_by_key(|part| part.bytes)
    }

    /// Adds a part, if it is large.
    fn add(&mut self, kind: Kind, bytes: usize, field: impl FnOnce() -> String) {
        if bytes > LARGE {
            self.parts.push(Part {
                field: field(),
                bytes,
                kind,
            });
        }
    }

    /// Adds payloads that may not be there.
    fn payloads(&mut self, payloads: Option<&impl Message>, field: impl FnOnce() -> String) {
        self.add(Kind::Payload, size(payloads), field);
    }

    /// Adds a memo that may not be there.
    fn memo(&mut self, memo: Option<&impl Message>, field: impl FnOnce() -> String) {
        self.add(Kind::Memo, size(memo), field);
    }

    fn read(&mut self, rpc: &str, proto: &Bytes) -> Result<(), DecodeError> {
        match rpc {
            "StartWorkflowExecution" => self.take::<StartWorkflowExecutionRequest>(proto),
            "SignalWithStartWorkflowExecution" => {
                self.take::<SignalWithStartWorkflowExecutionRequest>(proto)
            }
            "ExecuteMultiOperation" => self.take::<ExecuteMultiOperationRequest>(proto),
            "SignalWorkflowExecution" => self.take::<SignalWorkflowExecutionRequest>(proto),
            "QueryWorkflow" => self.take::<QueryWorkflowRequest>(proto),
            "UpdateWorkflowExecution" => self.take::<UpdateWorkflowExecutionRequest>(proto),
            "CreateSchedule" => self.take::<CreateScheduleRequest>(proto),
            "UpdateSchedule" => self.take::<UpdateScheduleRequest>(proto),
            "TerminateWorkflowExecution" => self.take::<TerminateWorkflowExecutionRequest>(proto),
            "ResetWorkflowExecution" => self.take::<ResetWorkflowExecutionRequest>(proto),
            "StartBatchOperation" => self.take::<StartBatchOperationRequest>(proto),
            "StartActivityExecution" => self.take::<StartActivityExecutionRequest>(proto),
            "StartNexusOperationExecution" => {
                self.take::<StartNexusOperationExecutionRequest>(proto)
            }
            "UpdateWorkerDeploymentVersionMetadata" => {
                self.take::<UpdateWorkerDeploymentVersionMetadataRequest>(proto)
            }
            _ => self.read_answer(rpc, proto),
        }
    }

    /// The requests that answer a task.
    fn read_answer(&mut self, rpc: &str, proto: &Bytes) -> Result<(), DecodeError> {
        match rpc {
            "RespondWorkflowTaskCompleted" => {
                self.take::<RespondWorkflowTaskCompletedRequest>(proto)
            }
            "RespondWorkflowTaskFailed" => self.take::<RespondWorkflowTaskFailedRequest>(proto),
            "RespondQueryTaskCompleted" => self.take::<RespondQueryTaskCompletedRequest>(proto),
            "RecordActivityTaskHeartbeat" => self.take::<RecordActivityTaskHeartbeatRequest>(proto),
            "RespondActivityTaskCompleted" => {
                self.take::<RespondActivityTaskCompletedRequest>(proto)
            }
            "RespondActivityTaskFailed" => self.take::<RespondActivityTaskFailedRequest>(proto),
            "RespondActivityTaskCanceled" => self.take::<RespondActivityTaskCanceledRequest>(proto),
            _ => self.read_answer_by_id(rpc, proto),
        }
    }

    /// What is reported of an activity by others than its worker.
    fn read_answer_by_id(&mut self, rpc: &str, proto: &Bytes) -> Result<(), DecodeError> {
        match rpc {
            "RecordActivityTaskHeartbeatById" => {
                self.take::<RecordActivityTaskHeartbeatByIdRequest>(proto)
            }
            "RespondActivityTaskCompletedById" => {
                self.take::<RespondActivityTaskCompletedByIdRequest>(proto)
            }
            "RespondActivityTaskFailedById" => {
                self.take::<RespondActivityTaskFailedByIdRequest>(proto)
            }
            "RespondActivityTaskCanceledById" => {
                self.take::<RespondActivityTaskCanceledByIdRequest>(proto)
            }
            _ => Ok(()),
        }
    }

    fn take<M: Parts>(&mut self, proto: &Bytes) -> Result<(), DecodeError> {
        M::decode(proto.clone())?.parts(self);
        Ok(())
    }
}

fn size(message: Option<&impl Message>) -> usize {
    message.map_or(0, Message::encoded_len)
}

#[cfg(test)]
mod tests;
