//! Waiting for a workflow to end.

use serde_json::Value;
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    enums::v1::HistoryEventFilterType,
    failure::v1::Failure,
    history::v1::{HistoryEvent, history_event::Attributes},
    workflowservice::v1::GetWorkflowExecutionHistoryRequest,
};

use super::{Execution, Workflows};
use crate::{call::CallError, decode::Unreadable, failure::Report};

/// How a workflow ended, and which of its runs was the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The workflow and its last run.
    pub execution: Execution,
    /// How that run ended.
    pub ending: Ending,
}

/// How a run ended for good.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// It returned a result.
    Completed(Value),
    /// It failed.
    Failed(Report),
    /// It was cancelled, with the details it gave.
    Canceled(Value),
    /// It was terminated from outside.
    Terminated {
        /// Why, in the words of whoever did it.
        reason: String,
    },
    /// It took longer than its timeouts allow.
    TimedOut,
}

impl Ending {
    /// Returns Temporal's name of the status.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Completed(_) => "COMPLETED",
            Self::Failed(_) => "FAILED",
            Self::Canceled(_) => "CANCELED",
            Self::Terminated { .. } => "TERMINATED",
            Self::TimedOut => "TIMED_OUT",
        }
    }
}

/// A workflow that has ended, and nothing read of it yet.
pub(crate) struct Ended {
    execution: Execution,
    event: HistoryEvent,
}

impl Workflows {
    /// Waits for the workflow to end, following it through retries and continue-as-new.
    ///
    /// # Errors
    ///
    /// [`CallError::WorkflowNotFound`], [`CallError::Unreadable`] if the result cannot be
    /// decrypted, or what the connection or the server objects to. A failed workflow is no error.
    pub async fn outcome(&self, execution: &Execution) -> Result<Outcome, CallError> {
        let ended = Box::pin(self.end(execution)).await?;
        Box::pin(self.read(ended)).await
    }

    /// Waits for the workflow to end like [`outcome`](Self::outcome), and decrypts nothing.
    ///
    /// # Errors
    ///
    /// As for `outcome`, but [`CallError::Unreadable`].
    pub(crate) async fn end(&self, execution: &Execution) -> Result<Ended, CallError> {
        let mut execution = self.pinned(execution).await?;
        loop {
            let event = self.close_event(&execution).await?;
            match next_run(&event) {
                Some(run_id) => execution.run_id = Some(run_id.to_owned()),
                None => return Ok(Ended { execution, event }),
            }
        }
    }

    /// Decrypts what a workflow ended with, and fetches what of it is stored elsewhere.
    ///
    /// # Errors
    ///
    /// [`CallError::Unreadable`]; [`CallError::Unexpected`] if the event is not the end of a workflow.
    pub(crate) async fn read(&self, ended: Ended) -> Result<Outcome, CallError> {
        let Ended { execution, event } = ended;
        let ending = self.ending(event).await?;
        Ok(Outcome { execution, ending })
    }

    /// Names the run, so that a workflow started later under the same id is not mistaken for it.
    async fn pinned(&self, execution: &Execution) -> Result<Execution, CallError> {
        let mut execution = execution.clone();
        if execution.run_id.is_none() {
            let (description, _) = self.describe(&execution).await?;
            execution.run_id = Some(description.run_id);
        }
        Ok(execution)
    }

    /// Long-polls until the run has ended.
    async fn close_event(&self, execution: &Execution) -> Result<HistoryEvent, CallError> {
        let mut request = GetWorkflowExecutionHistoryRequest {
            namespace: self.namespace(),
            execution: Some(execution.to_proto()),
            wait_new_event: true,
            skip_archival: true,
            history_event_filter_type: HistoryEventFilterType::CloseEvent.into(),
            ..GetWorkflowExecutionHistoryRequest::default()
        };
        loop {
            let answer = self
                .call(execution, request.clone(), |client, it| {
                    client.get_workflow_execution_history(it)
                })
                .await?;
            if let Some(event) = answer.history.and_then(|mut it| it.events.pop()) {
                return Ok(event);
            }
            request.next_page_token = answer.next_page_token;
        }
    }

    async fn ending(&self, event: HistoryEvent) -> Result<Ending, CallError> {
        Ok(match event.attributes {
            Some(Attributes::WorkflowExecutionCompletedEventAttributes(it)) => {
                Ending::Completed(self.decoder.result(it.result).await?)
            }
            Some(Attributes::WorkflowExecutionFailedEventAttributes(it)) => {
                self.failed(it.failure).await?
            }
            Some(Attributes::WorkflowExecutionTimedOutEventAttributes(_)) => Ending::TimedOut,
            Some(Attributes::WorkflowExecutionCanceledEventAttributes(it)) => {
                Ending::Canceled(self.decoder.result(it.details).await?)
            }
            Some(Attributes::WorkflowExecutionTerminatedEventAttributes(it)) => {
                Ending::Terminated { reason: it.reason }
            }
            _ => {
                let reason = format!("event {} does not end a workflow", event.event_id);
                return Err(CallError::Unexpected { reason });
            }
        })
    }

    async fn failed(&self, failure: Option<Failure>) -> Result<Ending, Unreadable> {
        let report = self.decoder.failure(failure.unwrap_or_default()).await?;
        Ok(Ending::Failed(report))
    }
}

/// The run that goes on where the one ended whose last event this is: a retry, the next of a cron schedule, or its continuation.
fn next_run(event: &HistoryEvent) -> Option<&str> {
    let next = match event.attributes.as_ref()? {
        Attributes::WorkflowExecutionCompletedEventAttributes(it) => &it.new_execution_run_id,
        Attributes::WorkflowExecutionFailedEventAttributes(it) => &it.new_execution_run_id,
        Attributes::WorkflowExecutionTimedOutEventAttributes(it) => &it.new_execution_run_id,
        Attributes::WorkflowExecutionContinuedAsNewEventAttributes(it) => &it.new_execution_run_id,
        _ => return None,
    };
    (!next.is_empty()).then_some(next)
}
