//! The problems that only this API has, and what requests to Temporal that fail become.

use std::time::Duration;

use axum::http::StatusCode;
use sealane_service::http::{Kind, Problem};
use serde_json::Value;

use crate::{
    call::CallError,
    workflow::{Ending, Execution, Outcome},
};

/// No workflow has the id.
pub(super) const WORKFLOW_NOT_FOUND: Kind = kind(
    "workflow-not-found",
    "No such workflow",
    StatusCode::NOT_FOUND,
);
/// The workflow can be told nothing any more.
pub(super) const WORKFLOW_ENDED: Kind = kind(
    "workflow-ended",
    "The workflow has ended",
    StatusCode::CONFLICT,
);
/// The id belongs to another workflow.
pub(super) const WORKFLOW_EXISTS: Kind = kind(
    "workflow-already-started",
    "A workflow has that id already",
    StatusCode::CONFLICT,
);
/// The idempotency key belongs to another request.
pub(super) const KEY_REUSED: Kind = kind(
    "idempotency-key-reused",
    "The idempotency key belongs to another request",
    StatusCode::UNPROCESSABLE_ENTITY,
);
/// It ended without a result: it failed.
pub(super) const WORKFLOW_FAILED: Kind = kind(
    "workflow-failed",
    "The workflow failed",
    StatusCode::UNPROCESSABLE_ENTITY,
);
/// It ended without a result: it was cancelled.
pub(super) const WORKFLOW_CANCELED: Kind = kind(
    "workflow-canceled",
    "The workflow was cancelled",
    StatusCode::UNPROCESSABLE_ENTITY,
);
/// It ended without a result: it was terminated.
pub(super) const WORKFLOW_TERMINATED: Kind = kind(
    "workflow-terminated",
    "The workflow was terminated",
    StatusCode::UNPROCESSABLE_ENTITY,
);
/// It ended without a result: its time was up.
pub(super) const WORKFLOW_TIMED_OUT: Kind = kind(
    "workflow-timed-out",
    "The workflow took too long",
    StatusCode::UNPROCESSABLE_ENTITY,
);
/// The workflow does not answer the query.
pub(super) const QUERY_FAILED: Kind = kind(
    "query-failed",
    "The workflow does not answer the query",
    StatusCode::UNPROCESSABLE_ENTITY,
);
/// The workflow refused the update, or failed at it.
pub(super) const UPDATE_FAILED: Kind = kind(
    "update-failed",
    "The workflow did not make the update",
    StatusCode::UNPROCESSABLE_ENTITY,
);
/// No worker answered.
pub(super) const NO_WORKER: Kind = kind(
    "no-worker",
    "No worker answers",
    StatusCode::GATEWAY_TIMEOUT,
);
/// The namespace is missing on the server.
pub(super) const NAMESPACE_MISSING: Kind = kind(
    "namespace-missing",
    "The Temporal server lacks the namespace",
    StatusCode::SERVICE_UNAVAILABLE,
);
/// A payload cannot be encrypted with the keys there are.
pub(super) const CANNOT_ENCRYPT: Kind = kind(
    "cannot-encrypt",
    "Nothing can be encrypted",
    StatusCode::SERVICE_UNAVAILABLE,
);
/// A payload cannot be decrypted with the keys there are.
pub(super) const UNREADABLE: Kind = kind(
    "unreadable",
    "A payload cannot be decrypted",
    StatusCode::SERVICE_UNAVAILABLE,
);
/// The order makes no sense.
pub(super) const INVALID_ORDER: Kind = kind(
    "invalid-order",
    "The order cannot be fulfilled",
    StatusCode::UNPROCESSABLE_ENTITY,
);
/// There is no such order.
pub(super) const ORDER_NOT_FOUND: Kind =
    kind("order-not-found", "No such order", StatusCode::NOT_FOUND);
/// Another order has the number.
pub(super) const ORDER_EXISTS: Kind = kind(
    "order-exists",
    "Another order has that number",
    StatusCode::CONFLICT,
);

/// All of them, for the document and for docs/http-api.md.
pub(super) const ALL: [Kind; 17] = [
    WORKFLOW_NOT_FOUND,
    WORKFLOW_ENDED,
    WORKFLOW_EXISTS,
    KEY_REUSED,
    WORKFLOW_FAILED,
    WORKFLOW_CANCELED,
    WORKFLOW_TERMINATED,
    WORKFLOW_TIMED_OUT,
    QUERY_FAILED,
    UPDATE_FAILED,
    NO_WORKER,
    NAMESPACE_MISSING,
    CANNOT_ENCRYPT,
    UNREADABLE,
    INVALID_ORDER,
    ORDER_NOT_FOUND,
    ORDER_EXISTS,
];

/// A server that cannot be reached now may be back in a second, and asking it that often costs little.
const AGAIN: Duration = Duration::from_secs(1);

const fn kind(slug: &'static str, title: &'static str, status: StatusCode) -> Kind {
    Kind::Other {
        slug,
        title,
        status,
    }
}

/// Says that something is not there yet, or not at the moment.
pub(super) fn unavailable(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::Unavailable, detail).retry_after(AGAIN)
}

/// What the caller is told about a request to Temporal that failed. What concerns only whoever runs
/// this process goes to the log.
impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        match error {
            CallError::WorkflowNotFound { .. } => Self::new(WORKFLOW_NOT_FOUND, error.to_string()),
            CallError::Ended { .. } => Self::new(WORKFLOW_ENDED, error.to_string()),
            CallError::AlreadyStarted { ref run_id, .. } => {
                Self::new(WORKFLOW_EXISTS, error.to_string()).with("runId", run_id)
            }
            CallError::QueryFailed { .. } => Self::new(QUERY_FAILED, error.to_string()),
            CallError::NoWorker { .. } => Self::new(NO_WORKER, error.to_string()),
            CallError::NotFound { .. } => Self::new(Kind::NotFound, error.to_string()),
            CallError::PayloadTooLarge { .. } => {
                Self::new(Kind::PayloadTooLarge, error.to_string())
            }
            CallError::Rejected { .. } => Self::new(Kind::Unprocessable, error.to_string()),
            CallError::NamespaceNotFound { .. } => {
                report(&error);
                Self::new(NAMESPACE_MISSING, error.to_string())
            }
            CallError::NotEncrypted { .. } => {
                report(&error);
                Self::new(CANNOT_ENCRYPT, error.to_string())
            }
            CallError::NotStored { .. } => {
                report(&error);
                unavailable("the storage of large payloads does not answer")
            }
            CallError::Unreadable(ref unread) if unread.is_outage() => {
                report(&error);
                unavailable("the storage of large payloads does not answer")
            }
            CallError::Unreadable(_) => {
                report(&error);
                Self::new(UNREADABLE, error.to_string())
            }
            CallError::Unreachable { .. } => {
                report(&error);
                unavailable("the Temporal server does not answer")
            }
            CallError::Refused { .. } => {
                report(&error);
                unavailable("the Temporal server refuses the credentials of this service")
            }
            CallError::Unexpected { .. } => {
                report(&error);
                Self::new(
                    Kind::Internal,
                    "the Temporal server gave an unexpected answer",
                )
            }
        }
    }
}

fn report(error: &CallError) {
    tracing::warn!(error = %error, "a request to the Temporal server failed");
}

/// Returns the last run of a workflow and its result, or says how it ended without one.
pub(super) fn result(outcome: Outcome) -> Result<(Execution, Value), Problem> {
    let Outcome { execution, ending } = outcome;
    let problem = match ending {
        Ending::Completed(result) => return Ok((execution, result)),
        Ending::Failed(report) => Problem::new(
            WORKFLOW_FAILED,
            "the workflow failed; the member failure says why",
        )
        .with("failure", report.without_stack_traces()),
        Ending::Canceled(details) => {
            Problem::new(WORKFLOW_CANCELED, "the workflow was cancelled").with("details", details)
        }
        Ending::Terminated { reason } => {
            Problem::new(WORKFLOW_TERMINATED, "the workflow was terminated").with("reason", reason)
        }
        Ending::TimedOut => Problem::new(
            WORKFLOW_TIMED_OUT,
            "the workflow took longer than its timeouts allow",
        ),
    };
    Err(problem
        .with("workflowId", execution.workflow_id)
        .with("runId", execution.run_id))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use sealane_service::http::Kind;

    use super::ALL;

    #[test]
    fn no_two_problems_share_a_type() {
        let types: HashSet<_> = ALL.iter().chain(&Kind::COMMON).map(|it| it.uri()).collect();

        assert_eq!(types.len(), ALL.len() + Kind::COMMON.len());
    }
}
