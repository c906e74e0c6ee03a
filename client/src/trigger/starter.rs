//! The server's side of a start.

use sealane_codec::large_payloads::is_outage;
use sealane_service::exit::with_causes;
use serde_json::Value;
use temporalio_client::{
    Client, RetryOptions, RpcOptions, UntypedWorkflow, WorkflowGetResultOptions,
    WorkflowIdReusePolicy, WorkflowStartOptions,
    errors::{WorkflowGetResultError, WorkflowStartError},
};
use temporalio_common::{data_converters::RawValue, protos::temporal::api::common::v1::Payload};
use tonic::{Code, Status};

use super::{FailureKind, backoff};
use crate::{failure::Report, payload};

/// Starts workflows and waits for them. A trait, so that tests need no server.
pub(super) trait Starter: Clone + Send + 'static {
    /// Starts a workflow and returns the id of its run, where the server tells it.
    fn start(
        &self,
        workflow_type: &str,
        workflow_id: &str,
        input: &[Value],
    ) -> impl Future<Output = Result<Option<String>, Failure>>;

    /// Returns the decrypted result of a workflow, or how it ended otherwise.
    fn outcome(
        self,
        workflow_id: String,
    ) -> impl Future<Output = Result<Vec<Payload>, String>> + Send + 'static;
}

/// Why an attempt to start a workflow failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    pub(super) reason: String,
    /// The run that has the id already.
    pub(super) run_id: Option<String>,
}

/// A Temporal server.
#[derive(Clone)]
pub(super) struct Server {
    client: Client,
    task_queue: String,
}

impl Server {
    pub(super) fn new(client: Client, task_queue: String) -> Self {
        Self { client, task_queue }
    }
}

impl Starter for Server {
    async fn start(
        &self,
        workflow_type: &str,
        workflow_id: &str,
        input: &[Value],
    ) -> Result<Option<String>, Failure> {
        let options = WorkflowStartOptions::new(self.task_queue.clone(), workflow_id)
            // Otherwise a retry after a lost answer could start a finished workflow once more.
            .id_reuse_policy(WorkflowIdReusePolicy::RejectDuplicate)
            // Retries are ours, so that readiness and metrics tell of an outage at once.
            .rpc_options(
                RpcOptions::builder()
                    .retry_options(RetryOptions::no_retries())
                    .build(),
            )
            .build();
        let input = RawValue::new(input.iter().map(payload::from_json).collect());
        let workflow = UntypedWorkflow::new(workflow_type);
        let handle = self.client.start_workflow(workflow, input, options).await;
        Ok(handle.map_err(Failure::from)?.info().run_id.clone())
    }

    async fn outcome(self, workflow_id: String) -> Result<Vec<Payload>, String> {
        let handle = self
            .client
            .get_workflow_handle::<UntypedWorkflow>(&workflow_id);
        let mut failures = 0;
        loop {
            match handle.get_result(WorkflowGetResultOptions::default()).await {
                Ok(result) => return Ok(result.payloads),
                Err(WorkflowGetResultError::Rpc(_)) => {
                    failures += 1;
                    tokio::time::sleep(backoff::delay(failures, rand::random())).await;
                }
                Err(WorkflowGetResultError::Failed(error)) => {
                    return Err(Report::of(error.failure()).to_string());
                }
                Err(error) if is_outage(&error) => {
                    failures += 1;
                    tokio::time::sleep(backoff::delay(failures, rand::random())).await;
                }
                Err(error) => return Err(with_causes(&error)),
            }
        }
    }
}

impl From<WorkflowStartError> for Failure {
    fn from(error: WorkflowStartError) -> Self {
        match error {
            WorkflowStartError::AlreadyStarted { run_id, source } => Self {
                kind: FailureKind::IdTaken,
                reason: words(&source),
                run_id,
            },
            WorkflowStartError::Rpc(status) => Self {
                kind: kind(&status),
                reason: words(&status),
                run_id: None,
            },
            other => Self {
                kind: match is_outage(&other) {
                    true => FailureKind::Other,
                    false => FailureKind::Encode,
                },
                reason: with_causes(&other),
                run_id: None,
            },
        }
    }
}

/// The server's own words, to be part of a sentence.
fn words(status: &Status) -> String {
    status.message().trim_end_matches('.').to_owned()
}

fn kind(status: &Status) -> FailureKind {
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => FailureKind::Unreachable,
        Code::ResourceExhausted => FailureKind::Throttled,
        Code::PermissionDenied | Code::Unauthenticated => FailureKind::Refused,
        Code::NotFound => FailureKind::NamespaceNotFound,
        Code::InvalidArgument => FailureKind::Invalid,
        _ => FailureKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Failure, FailureKind, Status, WorkflowStartError};

    fn failure(code: Code) -> Failure {
        WorkflowStartError::Rpc(Status::new(code, "Namespace nope is not found.")).into()
    }

    #[test]
    fn what_the_server_says_decides_whether_a_start_is_tried_again() {
        for (code, kind) in [
            (Code::Unavailable, FailureKind::Unreachable),
            (Code::DeadlineExceeded, FailureKind::Unreachable),
            (Code::ResourceExhausted, FailureKind::Throttled),
            (Code::PermissionDenied, FailureKind::Refused),
            (Code::NotFound, FailureKind::NamespaceNotFound),
            (Code::InvalidArgument, FailureKind::Invalid),
            (Code::Internal, FailureKind::Other),
        ] {
            assert_eq!(failure(code).kind, kind, "{code:?}");
        }
    }

    #[test]
    fn the_servers_words_can_be_continued() {
        assert_eq!(
            failure(Code::NotFound).reason,
            "Namespace nope is not found"
        );
    }
}
