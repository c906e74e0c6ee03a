//! The history of a workflow as protobuf JSON.

use serde_json::Value;
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    enums::v1::HistoryEventFilterType, history::v1::History,
    workflowservice::v1::GetWorkflowExecutionHistoryRequest,
};

use super::{Execution, Workflows};
use crate::{call::CallError, failure};

impl Workflows {
    /// Returns every event of a run as the server has it, payloads encrypted.
    ///
    /// # Errors
    ///
    /// [`CallError::WorkflowNotFound`], or what the connection or the server objects to.
    pub async fn encrypted_history(&self, execution: &Execution) -> Result<History, CallError> {
        let mut history = History::default();
        let mut request = GetWorkflowExecutionHistoryRequest {
            namespace: self.namespace(),
            execution: Some(execution.to_proto()),
            history_event_filter_type: HistoryEventFilterType::AllEvent.into(),
            ..GetWorkflowExecutionHistoryRequest::default()
        };
        loop {
            let answer = self
                .call(execution, request.clone(), |client, it| client.get_workflow_execution_history(it))
                .await?;
            history.events.extend(answer.history.unwrap_or_default().events);
            if answer.next_page_token.is_empty() {
                return Ok(history);
            }
            request.next_page_token = answer.next_page_token;
        }
    }

    /// Returns every event of a run as protobuf JSON, with payloads and failure texts decrypted.
    ///
    /// `WorkflowHistory::from_json` of the SDK reads it.
    ///
    /// # Errors
    ///
    /// [`CallError::Unreadable`] if any payload cannot be decrypted, otherwise as for
    /// [`encrypted_history`](Self::encrypted_history).
    pub async fn history(&self, execution: &Execution) -> Result<Value, CallError> {
        let mut history = self.encrypted_history(execution).await?;
        self.decoder.open(&mut history).await?;
        let mut document = serde_json::to_value(&history)
            .map_err(|error| CallError::Unexpected { reason: error.to_string() })?;
        failure::restore(&mut document);
        Ok(document)
    }
}
