//! What the server knows about one workflow.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    common::v1::Payload,
    enums::v1::WorkflowExecutionStatus,
    workflow::v1::{PendingActivityInfo, WorkflowExecutionInfo},
    workflowservice::v1::{DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse},
};
use utoipa::ToSchema;

use super::{Execution, Workflows, non_empty, once::REQUEST_NOTE, rfc3339};
use crate::{
    call::CallError,
    decode::Unreadable,
    failure::{self, Report},
    payload,
};

/// What the server knows about one workflow, decrypted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// Id of the workflow.
    pub workflow_id: String,
    /// Id of the run.
    pub run_id: String,
    /// Name of its type.
    #[serde(rename = "type")]
    pub workflow_type: String,
    /// Temporal's name of the status.
    pub status: String,
    /// Task queue it runs on.
    pub task_queue: String,
    /// When the run started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// When the run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_time: Option<String>,
    /// Number of events in its history.
    pub history_length: i64,
    /// Size of its history in bytes.
    pub history_size_bytes: i64,
    /// The workflow that started it as its child.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_workflow_id: Option<String>,
    /// Version of the worker deployment that runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_version: Option<String>,
    /// One line about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<Value>,
    /// Several lines about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// Notes by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub memo: BTreeMap<String, Value>,
    /// Search attributes by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub search_attributes: BTreeMap<String, Value>,
    /// Whether cancellation was requested.
    pub cancel_requested: bool,
    /// Attempts of the workflow task that is due; more than one means that it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_task_attempt: Option<i32>,
    /// Activities that have not finished.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pending_activities: Vec<PendingActivity>,
    /// Child workflows that have not finished.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pending_children: Vec<String>,
}

/// An activity that has not finished.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PendingActivity {
    /// Id of the activity in its workflow.
    pub activity_id: String,
    /// Name of its type.
    #[serde(rename = "type")]
    pub activity_type: String,
    /// `SCHEDULED`, `STARTED`, `CANCEL_REQUESTED`, `PAUSED`.
    pub state: String,
    /// Number of the attempt, from 1.
    pub attempt: i32,
    /// What it last reported.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub heartbeat_details: Value,
    /// When the next attempt is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_time: Option<String>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<Report>,
}

impl Workflows {
    /// Describes a workflow. What cannot be decrypted is shown encrypted, and the reason returned
    /// beside the description.
    ///
    /// # Errors
    ///
    /// [`CallError::WorkflowNotFound`], or what the connection or the server objects to.
    pub async fn describe(
        &self,
        execution: &Execution,
    ) -> Result<(Description, Option<Unreadable>), CallError> {
        let mut answer = self.described(execution).await?;
        let unreadable = self.decoder.open(&mut answer).await.err();
        if let Some(reason) = &unreadable {
            let activities = answer.pending_activities.iter_mut();
            activities
                .filter_map(|it| it.last_failure.as_mut())
                .for_each(|it| failure::explain(it, reason));
        }
        Ok((Description::of(answer), unreadable))
    }

    /// Asks the server about a workflow. Payloads in the answer are encrypted.
    pub(super) async fn described(
        &self,
        execution: &Execution,
    ) -> Result<DescribeWorkflowExecutionResponse, CallError> {
        let request = DescribeWorkflowExecutionRequest {
            namespace: self.namespace(),
            execution: Some(execution.to_proto()),
        };
        self.call(execution, request, |client, it| {
            client.describe_workflow_execution(it)
        })
        .await
    }
}

impl Description {
    /// Leaves out the note that Sealane keeps for itself.
    pub(crate) fn hide_request(&mut self) {
        self.memo.remove(REQUEST_NOTE);
    }

    /// Reads an answer whose payloads are decoded already.
    fn of(answer: DescribeWorkflowExecutionResponse) -> Self {
        let info = answer.workflow_execution_info.unwrap_or_default();
        let metadata = answer
            .execution_config
            .and_then(|it| it.user_metadata)
            .unwrap_or_default();
        let extended = answer.workflow_extended_info.unwrap_or_default();
        let children = answer.pending_children.into_iter().map(|it| it.workflow_id);
        Self {
            summary: metadata.summary.as_ref().map(payload::to_json),
            details: metadata.details.as_ref().map(payload::to_json),
            cancel_requested: extended.cancel_requested,
            workflow_task_attempt: answer.pending_workflow_task.map(|it| it.attempt),
            pending_activities: answer
                .pending_activities
                .into_iter()
                .map(PendingActivity::of)
                .collect(),
            pending_children: children.collect(),
            ..Self::of_info(info)
        }
    }

    fn of_info(info: WorkflowExecutionInfo) -> Self {
        let status = status_name(info.status());
        let execution = info.execution.unwrap_or_default();
        let version = info.versioning_info.and_then(|it| it.deployment_version);
        Self {
            status,
            workflow_id: execution.workflow_id,
            run_id: execution.run_id,
            workflow_type: info.r#type.unwrap_or_default().name,
            task_queue: info.task_queue,
            start_time: info.start_time.and_then(rfc3339),
            close_time: info.close_time.and_then(rfc3339),
            history_length: info.history_length,
            history_size_bytes: info.history_size_bytes,
            parent_workflow_id: info
                .parent_execution
                .and_then(|it| non_empty(it.workflow_id)),
            worker_version: version.map(|it| format!("{}.{}", it.deployment_name, it.build_id)),
            memo: values(&info.memo.unwrap_or_default().fields),
            search_attributes: values(&info.search_attributes.unwrap_or_default().indexed_fields),
            ..Self::default()
        }
    }
}

impl PendingActivity {
    fn of(info: PendingActivityInfo) -> Self {
        let details = info
            .heartbeat_details
            .as_ref()
            .map(|it| it.payloads.as_slice());
        let state = info.state().as_str_name();
        Self {
            activity_type: info.activity_type.unwrap_or_default().name,
            state: state
                .trim_start_matches("PENDING_ACTIVITY_STATE_")
                .to_owned(),
            attempt: info.attempt,
            heartbeat_details: details
                .and_then(<[_]>::first)
                .map(payload::to_json)
                .unwrap_or_default(),
            next_attempt_time: info.next_attempt_schedule_time.and_then(rfc3339),
            last_failure: info.last_failure.as_ref().map(Report::of),
            activity_id: info.activity_id,
        }
    }
}

fn values<'a>(
    fields: impl IntoIterator<Item = (&'a String, &'a Payload)>,
) -> BTreeMap<String, Value> {
    fields
        .into_iter()
        .map(|(name, it)| (name.clone(), payload::to_json(it)))
        .collect()
}

/// Returns Temporal's short name of a status, such as `RUNNING`.
pub(super) fn status_name(status: WorkflowExecutionStatus) -> String {
    status
        .as_str_name()
        .trim_start_matches("WORKFLOW_EXECUTION_STATUS_")
        .to_owned()
}
