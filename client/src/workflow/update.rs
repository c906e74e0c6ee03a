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
        let mut request = self.update_request(execution, name, update_id, input);
        self.seal(&mut request).await?;
        let outcome = match self.accepted(execution, request).await? {
            Reached::Outcome(outcome) => *outcome,
            Reached::Accepted(reference) => self.completed(execution, reference).await?,
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

    fn update_request(
        &self,
        execution: &Execution,
        name: &str,
        update_id: &str,
        input: Vec<Payload>,
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
            wait_policy: Some(until_completed()),
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
            wait_policy: Some(until_completed()),
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

/// How far the first request got.
enum Reached {
    Outcome(Box<Outcome>),
    Accepted(UpdateRef),
}

fn until_completed() -> WaitPolicy {
    WaitPolicy {
        lifecycle_stage: Stage::Completed.into(),
    }
}
