//! Updates: a request that the workflow may refuse, and that has an answer.

use serde_json::Value;
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    common::v1::{Payload, Payloads},
    enums::v1::UpdateWorkflowExecutionLifecycleStage as Stage,
    update::v1::{Input, Meta, Outcome, Request, UpdateRef, WaitPolicy, outcome},
    workflowservice::v1::{PollWorkflowExecutionUpdateRequest, UpdateWorkflowExecutionRequest},
};

use super::{Execution, Workflows};
use crate::{call::CallError, failure::Report};

/// How an update ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Updated {
    /// The workflow did it, and this is its answer.
    Completed(Value),
    /// The workflow refused it, or failed at it.
    Failed(Report),
}

impl Workflows {
    /// Sends an update and waits for its answer.
    ///
    /// `update_id` makes repetitions harmless: the workflow sees one update per id. Without a
    /// worker this waits for as long as it takes.
    ///
    /// # Errors
    ///
    /// [`CallError::WorkflowNotFound`], [`CallError::Ended`], [`CallError::Unreadable`] if the
    /// answer cannot be decrypted, or what the connection or the server objects to.
    pub async fn update(
        &self,
        execution: &Execution,
        name: &str,
        update_id: &str,
        input: Vec<Payload>,
    ) -> Result<Updated, CallError> {
        let request = self.update_request(execution, name, update_id, input, Stage::Completed);
        let sent = self.send(execution, request).await?;
        self.updated(sent).await
    }

    /// Sends an update and waits until the workflow has accepted it, or refused. From then on it
    /// lasts, and [`updated`](Self::updated) waits for the answer.
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update).
    pub async fn send_update(
        &self,
        execution: &Execution,
        name: &str,
        update_id: &str,
        input: Vec<Payload>,
    ) -> Result<SentUpdate, CallError> {
        let request = self.update_request(execution, name, update_id, input, Stage::Accepted);
        self.send(execution, request).await
    }

    /// Waits for the answer to an update that was sent.
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update).
    pub async fn updated(&self, sent: SentUpdate) -> Result<Updated, CallError> {
        let outcome = match sent.reached {
            Reached::Outcome(outcome) => *outcome,
            Reached::Accepted(reference) => self.completed(&sent.execution, reference).await?,
        };
        match outcome.value {
            Some(outcome::Value::Failure(failure)) => {
                Ok(Updated::Failed(self.decoder.failure(failure).await?))
            }
            Some(outcome::Value::Success(payloads)) => Ok(Updated::Completed(
                self.decoder.result(Some(payloads)).await?,
            )),
            None => Ok(Updated::Completed(Value::Null)),
        }
    }

    async fn send(
        &self,
        execution: &Execution,
        mut request: UpdateWorkflowExecutionRequest,
    ) -> Result<SentUpdate, CallError> {
        self.seal(&mut request).await?;
        Ok(SentUpdate {
            reached: self.accepted(execution, request).await?,
            execution: execution.clone(),
        })
    }

    fn update_request(
        &self,
        execution: &Execution,
        name: &str,
        update_id: &str,
        input: Vec<Payload>,
        stage: Stage,
    ) -> UpdateWorkflowExecutionRequest {
        let meta = Meta {
            update_id: update_id.to_owned(),
            identity: self.identity(),
        };
        let input = Input {
            name: name.to_owned(),
            args: Some(Payloads { payloads: input }),
            ..Input::default()
        };
        UpdateWorkflowExecutionRequest {
            namespace: self.namespace(),
            workflow_execution: Some(execution.to_proto()),
            wait_policy: Some(until(stage)),
            request: Some(Request {
                meta: Some(meta),
                input: Some(input),
                ..Request::default()
            }),
            ..UpdateWorkflowExecutionRequest::default()
        }
    }

    /// The server gives up waiting after a while. Only an accepted update is durable, so until then
    /// the whole request is sent again.
    async fn accepted(
        &self,
        execution: &Execution,
        request: UpdateWorkflowExecutionRequest,
    ) -> Result<Reached, CallError> {
        loop {
            let answer = self
                .call(execution, request.clone(), |client, it| {
                    client.update_workflow_execution(it)
                })
                .await?;
            let accepted = answer.stage >= Stage::Accepted as i32;
            match (answer.outcome, answer.update_ref) {
                (Some(outcome), _) => return Ok(Reached::Outcome(outcome.into())),
                (None, Some(reference)) if accepted => return Ok(Reached::Accepted(reference)),
                _ => {}
            }
        }
    }

    async fn completed(
        &self,
        execution: &Execution,
        reference: UpdateRef,
    ) -> Result<Outcome, CallError> {
        let request = PollWorkflowExecutionUpdateRequest {
            namespace: self.namespace(),
            identity: self.identity(),
            update_ref: Some(reference),
            wait_policy: Some(until(Stage::Completed)),
        };
        loop {
            let answer = self
                .call(execution, request.clone(), |client, it| {
                    client.poll_workflow_execution_update(it)
                })
                .await?;
            if let Some(outcome) = answer.outcome {
                return Ok(outcome);
            }
        }
    }
}

/// An update that the workflow has accepted or refused.
pub struct SentUpdate {
    execution: Execution,
    reached: Reached,
}

/// How far the first request got.
enum Reached {
    Outcome(Box<Outcome>),
    Accepted(UpdateRef),
}

fn until(stage: Stage) -> WaitPolicy {
    WaitPolicy {
        lifecycle_stage: stage.into(),
    }
}
