//! Why a request to the server came to nothing, whatever it asked for.

use prost::{Message, Name};
use temporalio_common::protos::{
    google::rpc,
    temporal::api::errordetails::v1::{
        NamespaceNotFoundFailure, QueryFailedFailure, WorkflowExecutionAlreadyStartedFailure,
    },
};
use tonic::{Code, Status};

use crate::{
    connection::REFUSAL,
    decode::{Decoder, Unreadable},
};

/// What stands in place of an encrypted failure message.
const ENCODED_FAILURE: &str = "Encoded failure";

/// Said of a query that failed without a reason.
const WITHHELD: &str = "the worker did not send the reason, its log may have it";

/// How gRPC says that a message is too large, with the code for a server that is overloaded.
pub(crate) const TOO_LARGE: &str = "larger than max";

/// Why a request to the server came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No workflow has that id, or its retention has passed.
    #[error("no workflow with id {workflow_id:?} in namespace {namespace:?}")]
    WorkflowNotFound {
        /// The id that was asked for, with the run if one was named.
        workflow_id: String,
        /// Where it was looked for.
        namespace: String,
    },

    /// The workflow has ended, so it can be told nothing any more.
    #[error("workflow {workflow_id:?} has already ended")]
    Ended {
        /// The workflow.
        workflow_id: String,
    },

    /// Something else that the request names does not exist.
    #[error("{reason}")]
    NotFound {
        /// The server's own words.
        reason: String,
    },

    /// A workflow has the id already, and the policies for that case forbid another.
    #[error("workflow {workflow_id:?} was not started: {reason}")]
    AlreadyStarted {
        /// The id that is taken.
        workflow_id: String,
        /// The run that has it, empty if the server does not say.
        run_id: String,
        /// The server's own words.
        reason: String,
    },

    /// The namespace does not exist on this server.
    #[error("the server has no namespace {namespace:?}")]
    NamespaceNotFound {
        /// The namespace.
        namespace: String,
    },

    /// Credentials or permissions are missing.
    #[error("the server refused the request: {reason}")]
    Refused {
        /// The server's own words.
        reason: String,
    },

    /// The server cannot be reached, or is overloaded. Worth retrying.
    #[error("the Temporal server did not answer: {reason}")]
    Unreachable {
        /// What the connection or the server said.
        reason: String,
    },

    /// A payload is larger than the server takes, so nothing was sent.
    #[error("nothing was sent: {reason}")]
    PayloadTooLarge {
        /// Which one, how large it is and may be, and what to do.
        reason: String,
    },

    /// The server does not accept the request as it is.
    #[error("the server does not accept the request: {reason}")]
    Rejected {
        /// The server's own words.
        reason: String,
    },

    /// The worker could not answer a query.
    #[error("query {query:?} failed: {reason}")]
    QueryFailed {
        /// Name of the query.
        query: String,
        /// The worker's own words, decrypted.
        reason: String,
    },

    /// No worker answered in time.
    #[error("no worker answered: {reason}")]
    NoWorker {
        /// The server's own words.
        reason: String,
    },

    /// A payload could not be encrypted, so nothing was sent: the key has sealed as many as it may, or there is none.
    #[error("nothing was sent: {reason}")]
    NotEncrypted {
        /// What the codec said; it quotes no payload.
        reason: String,
    },

    /// A payload is too large to be sent, and blob storage cannot be used just now.
    #[error("nothing was sent: {reason}")]
    NotStored {
        /// What stood in the way; it quotes no payload.
        reason: String,
    },

    /// The answer holds a payload that cannot be decrypted.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),

    /// An answer that only a fault in this program or in the server explains.
    #[error("unexpected answer from the server: {reason}")]
    Unexpected {
        /// What was unexpected.
        reason: String,
    },
}

impl From<Status> for CallError {
    fn from(status: Status) -> Self {
        let reason = status.message().to_owned();
        if let Some(reason) = reason.strip_prefix(REFUSAL) {
            return Self::PayloadTooLarge {
                reason: reason.to_owned(),
            };
        }
        match status.code() {
            Code::NotFound => match detail::<NamespaceNotFoundFailure>(&status) {
                Some(it) => Self::NamespaceNotFound {
                    namespace: it.namespace,
                },
                None => Self::NotFound { reason },
            },
            Code::Unauthenticated | Code::PermissionDenied => Self::Refused { reason },
            // No later attempt makes it smaller.
            Code::ResourceExhausted if reason.contains(TOO_LARGE) => Self::Rejected { reason },
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::ResourceExhausted => Self::Unreachable { reason },
            Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::AlreadyExists
            | Code::OutOfRange => Self::Rejected { reason },
            code => Self::Unexpected {
                reason: format!("{code:?}: {reason}"),
            },
        }
    }
}

impl CallError {
    /// What `status` means for a request about one workflow.
    pub(crate) fn of_workflow(namespace: &str, workflow_id: &str, status: Status) -> Self {
        // The server has no code of its own for this, only the words.
        let ended = status.message().contains("already completed");
        if status.code() == Code::FailedPrecondition {
            // There is a workflow, but nobody who can work on it: workers are gone, or fail its tasks.
            return Self::NoWorker {
                reason: status.message().to_owned(),
            };
        }
        match Self::from(status) {
            Self::NotFound { .. } if ended => Self::Ended {
                workflow_id: workflow_id.to_owned(),
            },
            Self::NotFound { .. } => Self::WorkflowNotFound {
                workflow_id: workflow_id.to_owned(),
                namespace: namespace.to_owned(),
            },
            other => other,
        }
    }

    /// What `status` means for a request to start a workflow.
    pub(crate) fn of_start(workflow_id: &str, status: Status) -> Self {
        match detail::<WorkflowExecutionAlreadyStartedFailure>(&status) {
            Some(it) => Self::AlreadyStarted {
                workflow_id: workflow_id.to_owned(),
                run_id: it.run_id,
                reason: status.message().trim_end_matches('.').to_owned(),
            },
            None => status.into(),
        }
    }

    /// What `status` means for a query.
    pub(crate) async fn of_query(
        decoder: &Decoder,
        query: &str,
        status: Status,
        otherwise: impl FnOnce(Status) -> Self,
    ) -> Self {
        let failed = |reason| Self::QueryFailed {
            query: query.to_owned(),
            reason,
        };
        let reason = status.message().to_owned();
        match status.code() {
            _ if reason.starts_with(REFUSAL) => status.into(),
            Code::InvalidArgument => failed(query_reason(decoder, &status).await),
            // The server knows that there is no worker.
            Code::FailedPrecondition => Self::NoWorker { reason },
            // Time is up, by the clock of the client or of the server.
            Code::Cancelled | Code::DeadlineExceeded => Self::NoWorker {
                reason: "time is up".to_owned(),
            },
            _ => otherwise(status),
        }
    }
}

/// Returns what the worker said about a failed query.
async fn query_reason(decoder: &Decoder, status: &Status) -> String {
    let failure = detail::<QueryFailedFailure>(status).and_then(|it| it.failure);
    let reason = match failure {
        Some(failure) => match decoder.failure(failure).await {
            Ok(report) => report.to_string(),
            Err(unreadable) => unreadable.to_string(),
        },
        None => status.message().to_owned(),
    };
    // SDKs on Temporal's Rust core encrypt the text of a failed query and then leave it out.
    if reason == ENCODED_FAILURE {
        WITHHELD.to_owned()
    } else {
        reason
    }
}

/// Returns the detail of type `T` that came with `status`.
fn detail<T: Message + Name + Default>(status: &Status) -> Option<T> {
    let details = rpc::Status::decode(status.details()).ok()?.details;
    let wanted = T::full_name();
    let detail = details
        .iter()
        .find(|it| it.type_url.rsplit('/').next() == Some(&wanted))?;
    T::decode(detail.value.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use sealane_service::exit;
    use temporalio_common::protos::{temporal::api::failure::v1::Failure, utilities::pack_any};

    use super::*;

    fn with_detail<T: Message + Name>(code: Code, message: &str, detail: &T) -> Status {
        let any = pack_any(format!("type.googleapis.com/{}", T::full_name()), detail).unwrap();
        let details = rpc::Status {
            code: code.into(),
            message: message.into(),
            details: vec![any],
        };
        Status::with_details(code, message, details.encode_to_vec().into())
    }

    #[test]
    fn a_missing_namespace_is_not_a_missing_workflow() {
        let failure = NamespaceNotFoundFailure {
            namespace: "nope".to_owned(),
        };
        let status = with_detail(Code::NotFound, "Namespace nope is not found.", &failure);

        let error = CallError::of_workflow("nope", "w", status);

        assert_eq!(error.to_string(), r#"the server has no namespace "nope""#);
    }

    #[test]
    fn a_request_that_is_too_large_is_not_worth_repeating() {
        let large = "grpc: received message larger than max (5000000 vs. 4194304)";
        let large = CallError::from(Status::resource_exhausted(large));
        let busy = CallError::from(Status::resource_exhausted("namespace rate limit exceeded"));

        assert!(matches!(large, CallError::Rejected { .. }), "{large}");
        assert!(matches!(busy, CallError::Unreachable { .. }), "{busy}");
    }

    #[tokio::test]
    async fn what_was_held_back_for_its_size_is_told_as_such_whatever_it_was_for() {
        let status = || Status::invalid_argument(format!("{REFUSAL}input is large"));
        let decoder = Decoder::new(None);

        for error in [
            CallError::from(status()),
            CallError::of_workflow("default", "w", status()),
            CallError::of_start("w", status()),
            CallError::of_query(&decoder, "stock", status(), CallError::from).await,
        ] {
            assert_eq!(error.to_string(), "nothing was sent: input is large");
        }
    }

    #[test]
    fn a_workflow_that_has_ended_is_not_a_missing_one() {
        let ended = Status::not_found("workflow execution already completed");
        let missing = Status::not_found("workflow not found for ID: w");

        assert!(matches!(
            CallError::of_workflow("default", "w", ended),
            CallError::Ended { .. }
        ));
        assert_eq!(
            CallError::of_workflow("default", "w", missing).to_string(),
            r#"no workflow with id "w" in namespace "default""#
        );
    }

    #[test]
    fn a_workflow_whose_tasks_fail_is_one_without_a_worker() {
        let status = Status::failed_precondition("Workflow Task in failed state");

        let error = CallError::of_workflow("default", "w", status);

        assert!(matches!(error, CallError::NoWorker { .. }), "{error}");
    }

    #[test]
    fn a_taken_id_names_the_run_that_has_it() {
        let failure = WorkflowExecutionAlreadyStartedFailure {
            run_id: "r1".to_owned(),
            ..Default::default()
        };
        let status = with_detail(Code::AlreadyExists, "already running", &failure);

        let error = CallError::of_start("w", status);

        assert!(matches!(error, CallError::AlreadyStarted { run_id, .. } if run_id == "r1"));
    }

    #[tokio::test]
    async fn a_failed_query_shows_the_decoded_text() {
        let attributes = serde_json::json!({"message": "no such item", "stack_trace": ""});
        let failure = Failure {
            message: "Encoded failure".to_owned(),
            encoded_attributes: Some(crate::payload::from_json(&attributes)),
            ..Failure::default()
        };
        let detail = QueryFailedFailure {
            failure: Some(failure),
        };
        let status = with_detail(Code::InvalidArgument, "Encoded failure", &detail);

        let error =
            CallError::of_query(&Decoder::new(None), "stock", status, CallError::from).await;

        assert_eq!(error.to_string(), r#"query "stock" failed: no such item"#);
    }

    #[test]
    fn causes_are_not_repeated() {
        let error = CallError::from(Unreadable::NoCodec);

        assert_eq!(exit::with_causes(&error), Unreadable::NoCodec.to_string());
    }
}
