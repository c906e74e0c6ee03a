//! Starting a workflow.

use std::{collections::HashMap, time::Duration};

use serde::Serialize;
use serde_json::Value;
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    common::v1::{Memo, Payload, Payloads, SearchAttributes, WorkflowType},
    enums::v1::{WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
    sdk::v1::UserMetadata,
    taskqueue::v1::TaskQueue,
    workflowservice::v1::StartWorkflowExecutionRequest,
};
use tonic::IntoRequest;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Execution, Workflows};
use crate::{call::CallError, payload};

/// What to start. Payloads are given in plaintext and encrypted on the way out.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Name of the workflow type, as a worker registers it.
    pub workflow_type: String,
    /// Id of the new workflow.
    pub workflow_id: String,
    /// Task queue that a worker polls.
    pub task_queue: String,
    /// Arguments, in order.
    pub input: Vec<Payload>,
    /// Notes for people and tools; the values are encrypted, the names are not.
    pub memo: HashMap<String, Payload>,
    /// Values to search by. Neither names nor values are encrypted.
    pub search_attributes: HashMap<String, Payload>,
    /// One line for the Web UI, encrypted.
    pub summary: Option<String>,
    /// Several lines for the Web UI, encrypted.
    pub details: Option<String>,
    /// Limit for the workflow with all its retries and continuations.
    pub execution_timeout: Option<Duration>,
    /// Limit for one run.
    pub run_timeout: Option<Duration>,
    /// Limit for one workflow task.
    pub task_timeout: Option<Duration>,
    /// How long to wait before the first workflow task.
    pub start_delay: Option<Duration>,
    /// What to do if the id is in use by a running workflow.
    pub id_conflict_policy: WorkflowIdConflictPolicy,
    /// What to do if the id was used by a workflow that has ended.
    pub id_reuse_policy: WorkflowIdReusePolicy,
}

/// A workflow that is running now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Started {
    /// Id of the workflow.
    pub workflow_id: String,
    /// Id of its run.
    pub run_id: String,
    /// Name of its type.
    #[serde(rename = "type")]
    pub workflow_type: String,
    /// Task queue it was started on.
    pub task_queue: String,
    /// Its namespace.
    pub namespace: String,
    /// False if it was running already and the conflict policy accepts that.
    pub started: bool,
}

impl Started {
    /// Names the workflow and its run.
    pub fn execution(&self) -> Execution {
        Execution {
            workflow_id: self.workflow_id.clone(),
            run_id: Some(self.run_id.clone()),
        }
    }
}

impl Workflows {
    /// Starts a workflow.
    ///
    /// # Errors
    ///
    /// [`CallError::AlreadyStarted`] if the policies forbid another workflow of that id, otherwise
    /// what the connection or the server objects to.
    pub async fn start(&self, start: Start) -> Result<Started, CallError> {
        let (workflow_id, workflow_type) = (start.workflow_id.clone(), start.workflow_type.clone());
        let task_queue = start.task_queue.clone();
        let mut request = self.start_request(start);
        self.seal(&mut request).await?;
        let answer = self
            .client
            .clone()
            .start_workflow_execution(request.into_request())
            .await;
        let answer = answer
            .map_err(|status| CallError::of_start(&workflow_id, status))?
            .into_inner();
        Ok(Started {
            workflow_id,
            run_id: answer.run_id,
            workflow_type,
            task_queue,
            namespace: self.namespace(),
            started: answer.started,
        })
    }

    fn start_request(&self, start: Start) -> StartWorkflowExecutionRequest {
        let user_metadata = user_metadata(&start);
        StartWorkflowExecutionRequest {
            namespace: self.namespace(),
            identity: self.identity(),
            // Retries of this request start nothing twice.
            request_id: Uuid::new_v4().to_string(),
            workflow_id: start.workflow_id,
            workflow_type: Some(WorkflowType {
                name: start.workflow_type,
            }),
            task_queue: Some(TaskQueue {
                name: start.task_queue,
                ..TaskQueue::default()
            }),
            input: Some(Payloads {
                payloads: start.input,
            }),
            memo: Some(Memo { fields: start.memo }),
            search_attributes: Some(SearchAttributes {
                indexed_fields: start.search_attributes,
            }),
            user_metadata,
            workflow_execution_timeout: proto_duration(start.execution_timeout),
            workflow_run_timeout: proto_duration(start.run_timeout),
            workflow_task_timeout: proto_duration(start.task_timeout),
            workflow_start_delay: proto_duration(start.start_delay),
            workflow_id_conflict_policy: start.id_conflict_policy.into(),
            workflow_id_reuse_policy: start.id_reuse_policy.into(),
            ..StartWorkflowExecutionRequest::default()
        }
    }
}

fn user_metadata(start: &Start) -> Option<UserMetadata> {
    let payload = |text: &Option<String>| {
        text.as_ref()
            .map(|text| payload::from_json(&Value::String(text.clone())))
    };
    let metadata = UserMetadata {
        summary: payload(&start.summary),
        details: payload(&start.details),
    };
    (metadata != UserMetadata::default()).then_some(metadata)
}

/// A duration beyond protobuf's 10,000 years is as good as none.
fn proto_duration<T: TryFrom<Duration>>(duration: Option<Duration>) -> Option<T> {
    duration.and_then(|duration| duration.try_into().ok())
}
