//! The history of a workflow, in the JSON of the Rust SDK.
//!
//! That is the form of `WorkflowHistory::to_json` and `from_json`, and not the protobuf JSON of the
//! other SDKs: SDK 1.1.1 has no other.

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
                .call(execution, request.clone(), |client, it| {
                    client.get_workflow_execution_history(it)
                })
                .await?;
            history
                .events
                .extend(answer.history.unwrap_or_default().events);
            if answer.next_page_token.is_empty() {
                return Ok(history);
            }
            request.next_page_token = answer.next_page_token;
        }
    }

    /// Returns every event of a run as JSON, with payloads and failure texts decrypted.
    ///
    /// # Errors
    ///
    /// [`CallError::Unreadable`] if any payload cannot be decrypted, otherwise as for
    /// [`encrypted_history`](Self::encrypted_history).
    pub async fn history(&self, execution: &Execution) -> Result<Value, CallError> {
        let mut history = self.encrypted_history(execution).await?;
        self.decoder.open(&mut history).await?;
        let mut document =
            serde_json::to_value(&history).map_err(|error| CallError::Unexpected {
                reason: error.to_string(),
            })?;
        failure::restore(&mut document);
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use temporalio_client::WorkflowHistory;
    use temporalio_common::protos::temporal::api::{
        failure::v1::Failure,
        history::v1::{
            HistoryEvent, WorkflowExecutionFailedEventAttributes, history_event::Attributes,
        },
    };

    use super::*;
    use crate::payload;

    #[tokio::test]
    async fn a_restored_history_is_one_that_the_sdk_reads() {
        let hidden = json!({"message": "no stock", "stack_trace": "at reserve"});
        let failure = Failure {
            message: "Encoded failure".to_owned(),
            encoded_attributes: Some(payload::from_json(&hidden)),
            ..Failure::default()
        };
        let failed = WorkflowExecutionFailedEventAttributes {
            failure: Some(failure),
            ..WorkflowExecutionFailedEventAttributes::default()
        };
        let attributes = Some(Attributes::WorkflowExecutionFailedEventAttributes(failed));
        let events = vec![HistoryEvent {
            event_id: 1,
            attributes,
            ..HistoryEvent::default()
        }];

        let mut document = serde_json::to_value(History { events }).unwrap();
        failure::restore(&mut document);
        let read = WorkflowHistory::from_json(document.to_string().as_bytes()).unwrap();

        let event = read.into_events().await.unwrap().remove(0);
        let Some(Attributes::WorkflowExecutionFailedEventAttributes(failed)) = event.attributes
        else {
            panic!("another event: {event:?}");
        };
        let failure = failed.failure.unwrap();
        assert_eq!(failure.message, "no stock");
        assert_eq!(failure.stack_trace, "at reserve");
        assert_eq!(failure.encoded_attributes, None);
    }
}
