//! Payloads that Temporal does not take, stopped before they leave.
//!
//! The server measures payloads as they arrive, which is encrypted, and so does this. Left alone, a
//! payload above the limit of its namespace is tried again for ever (seen with SDK 1.1.1 and Temporal
//! Server 1.32): an activity whose result is too large runs again, a workflow task whose commands are
//! too large is repeated. Nothing but other code makes them smaller, so here they fail once, with a
//! failure of type `PayloadTooLarge` that names the field and its size:
//!
//! - A client's request is not sent; whoever asked is told.
//! - An activity fails for good, whether its result, heartbeat, failure or cancellation is too large. If
//!   a client reports these, it is a request like others.
//! - A workflow whose command is too large fails. That cannot be taken back, but neither can what the
//!   server does with a client that sends such a command, which is the same without the name and the
//!   size; and once the code is mended, `temporal workflow reset` lets the workflow go on from before.
//! - What others asked a workflow for costs only the answer: a query fails, and so does an update,
//!   whether its answer is too large or its input, from a client that does not measure, or with others.
//!
//! A request or an answer that holds nothing large costs a comparison, and a request that may bring a
//! workflow task a copy of its headers.

mod activity;
mod limits;
mod measure;
mod noted;
mod received;
mod refusal;
mod token;
mod workflow;

use bytes::Bytes;
use prost::Message;
use sealane_service::probes::Metrics;
use temporalio_client::callback_based::{GrpcRequest, GrpcSuccessResponse};
use temporalio_common::protos::temporal::api::failure::v1::{
    ApplicationFailureInfo, Failure, failure::FailureInfo,
};
use tonic::{Code, Status};

pub(crate) use self::refusal::REFUSAL;
use self::{
    limits::Limits,
    measure::{Measured, Part},
    noted::Noted,
    received::{Received, brings_large_update},
    refusal::TooLarge,
    token::Names,
};
use crate::call::TOO_LARGE;

/// From here on a payload is counted, and the limits of its namespace matter, in bytes: Temporal's
/// advice for what to keep payloads below.
pub(super) const LARGE: usize = 50 * 1024;

/// From here on a payload is warned of, in bytes. The server warns of twice as much, in its own log
/// (`limit.blobSize.warn`, 512 KiB).
pub(super) const VERY_LARGE: usize = 256 * 1024;

/// Type of the failures that are made here.
const PAYLOAD_TOO_LARGE: &str = "PayloadTooLarge";

/// Looks at what leaves on one connection.
pub(super) struct Sizes {
    limits: Limits,
    noted: Noted,
    received: Received,
}

/// What to send in place of a request that is too large.
pub(super) struct Instead {
    rpc: &'static str,
    proto: Bytes,
    then: Then,
}

/// What the SDK is told once that has been sent.
enum Then {
    /// What the server answered.
    Pass,
    /// An answer of another type.
    Answer(Vec<u8>),
    /// That its task is gone, so that it forgets a workflow which is not as it thinks.
    Gone(TooLarge),
}

impl Sizes {
    /// Counts in `metrics`, if there are any.
    pub(super) fn new(metrics: Option<&Metrics>) -> Self {
        Self {
            limits: Limits::default(),
            noted: Noted::shown_in(metrics),
            received: Received::default(),
        }
    }

    /// Says whether single payloads are stored elsewhere if they are large.
    pub(super) fn storing(self, stores: bool) -> Self {
        Self {
            limits: self.limits.storing(stores),
            ..self
        }
    }

    /// Returns whether the answer to `rpc` may have to be looked at.
    pub(super) fn may_bring_task(rpc: &str) -> bool {
        matches!(
            rpc,
            "PollWorkflowTaskQueue" | "RespondWorkflowTaskCompleted"
        )
    }

    /// Notes that the server has taken `request`.
    pub(super) fn answered(&self, request: &GrpcRequest) {
        if request.rpc == "RespondWorkflowTaskCompleted" {
            self.received.answered(&request.proto);
        }
    }

    /// Takes out of the answer to `request` what a worker could not answer for its size. Asks the server
    /// for its limits, by `ask`, if there is something large and they are not known.
    pub(super) async fn receive<F>(
        &self,
        request: &GrpcRequest,
        answer: &mut GrpcSuccessResponse,
        ask: impl FnOnce(GrpcRequest) -> F,
    ) where
        F: Future<Output = Result<GrpcSuccessResponse, Status>>,
    {
        let rpc = &request.rpc;
        if !brings_large_update(rpc, &answer.proto) {
            return;
        }
        self.limits.learn(request, ask).await;
        let told = |part: &Part, too_large: &TooLarge| {
            self.noted.note(part, 0, &Names::default());
            tracing::warn!(rpc, error = %too_large, "a payload is too large and is refused");
        };
        let left = self
            .received
            .without_too_large(rpc, &answer.proto, &self.limits, told);
        // What cannot be read is for the SDK to complain about.
        if let Ok(Some(left)) = left {
            answer.proto = left;
        }
    }

    /// Adds to a completion what refuses that.
    pub(super) fn refuse(&self, request: GrpcRequest) -> GrpcRequest {
        let completes = request.rpc == "RespondWorkflowTaskCompleted";
        let refusing = completes.then(|| self.received.with_refusals(&request.proto));
        match refusing.flatten() {
            Some(proto) => GrpcRequest { proto, ..request },
            None => request,
        }
    }

    /// Returns whether something large may be in a request or an answer.
    pub(super) fn concern(proto: &[u8]) -> bool {
        proto.len() > LARGE
    }

    /// Returns what is too large in `request`, and notes what is large. Asks the server for its
    /// limits, by `ask`, if there is something large and they are not known.
    pub(super) async fn check<F>(
        &self,
        request: &GrpcRequest,
        ask: impl FnOnce(GrpcRequest) -> F,
    ) -> Option<TooLarge>
    where
        F: Future<Output = Result<GrpcSuccessResponse, Status>>,
    {
        let measured = Measured::of(&request.rpc, &request.proto);
        measured.largest()?;
        self.limits.learn(request, ask).await;
        for part in &measured.parts {
            self.noted.note(part, self.limits.of(part), &measured.names);
        }
        let over = measured.over(&self.limits)?;
        let too_large = TooLarge::of_part(over, &self.limits);
        Some(too_large.within(&measured.names))
    }

    /// Returns what is too large in a request that the server has refused with `status`: all of it
    /// together. `None` if it has refused it for something else.
    pub(super) fn refused(&self, request: &GrpcRequest, status: &Status) -> Option<TooLarge> {
        let too_large =
            status.code() == Code::ResourceExhausted && status.message().contains(TOO_LARGE);
        let measured = too_large.then(|| Measured::of(&request.rpc, &request.proto))?;
        self.noted.refuse();
        let bytes = request.proto.len();
        let too_large = TooLarge::of_request(bytes, measured.largest(), &self.limits);
        Some(too_large.within(&measured.names))
    }

    /// Returns what is too large in `sent`, which was sent instead of `request`, and which the server has
    /// refused with `status`, too. `None` if nothing more can be given up.
    pub(super) fn refused_again(
        &self,
        request: &GrpcRequest,
        sent: &GrpcRequest,
        status: &Status,
    ) -> Option<TooLarge> {
        // So that this ends.
        let is_less = sent.rpc == request.rpc && sent.proto.len() < request.proto.len();
        is_less.then(|| self.refused(sent, status)).flatten()
    }

    /// Returns what to send instead of `request`, from a connection that a worker has or not.
    ///
    /// # Errors
    ///
    /// What to tell a client, for which nothing is sent instead.
    pub(super) fn instead(
        &self,
        request: &GrpcRequest,
        too_large: TooLarge,
        has_worker: bool,
    ) -> Result<Instead, Status> {
        let instead = match request.rpc.as_str() {
            "RecordActivityTaskHeartbeat"
            | "RespondActivityTaskCompleted"
            | "RespondActivityTaskFailed"
            | "RespondActivityTaskCanceled"
                if has_worker =>
            {
                activity::fail(&request.rpc, &request.proto, &too_large)
            }
            "RespondWorkflowTaskCompleted" => {
                workflow::completion(&request.proto, &self.limits, &self.received, &too_large)
            }
            "RespondWorkflowTaskFailed" => workflow::task_failure(&request.proto, &too_large),
            "RespondQueryTaskCompleted" => workflow::query(&request.proto, &too_large),
            _ => return Err(too_large.into()),
        };
        let instead = instead.map_err(|_| Status::from(too_large.clone()))?;
        tracing::warn!(
            rpc = request.rpc,
            workflow.id = too_large.workflow_id(),
            error = %too_large,
            "a payload is too large and was not sent"
        );
        Ok(instead)
    }
}

impl Instead {
    /// Returns the request to send, with the headers of `request`.
    pub(super) fn request(&self, request: GrpcRequest) -> GrpcRequest {
        GrpcRequest {
            rpc: self.rpc.to_owned(),
            proto: self.proto.clone(),
            ..request
        }
    }

    /// Returns what the SDK is told, given what the server answered.
    ///
    /// # Errors
    ///
    /// `NotFound` where the SDK has to forget its task.
    pub(super) fn told(
        self,
        mut answer: GrpcSuccessResponse,
    ) -> Result<GrpcSuccessResponse, Status> {
        match self.then {
            Then::Pass => {}
            Then::Answer(proto) => answer.proto = proto,
            Then::Gone(too_large) => return Err(Status::not_found(too_large.to_string())),
        }
        Ok(answer)
    }
}

fn failure(too_large: &TooLarge) -> Failure {
    let info = ApplicationFailureInfo {
        r#type: PAYLOAD_TOO_LARGE.to_owned(),
        non_retryable: true,
        ..ApplicationFailureInfo::default()
    };
    Failure {
        message: too_large.to_string(),
        source: "sealane".to_owned(),
        failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
        ..Failure::default()
    }
}

fn encoded(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

#[cfg(test)]
mod tests;
