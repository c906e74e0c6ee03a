//! Cancellation and termination.

use axum::http::StatusCode;
use sealane_service::http::{Json, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{
    access::Writer,
    extract::{Body, Name, said},
    state::{detached, promptly},
};
use super::{Run, execution};
use crate::{call::CallError, workflow::Execution};

/// Why a workflow is to end.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct EndRequest {
    /// Stored in plaintext.
    #[serde(default)]
    #[schema(max_length = 200)]
    reason: Reason,
}

/// At most 200 characters.
#[derive(Default, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, max_length = 200)]
struct Reason(String);

impl TryFrom<String> for Reason {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.chars().count() {
            0..=200 => Ok(Self(text)),
            _ => Err("expected at most 200 characters"),
        }
    }
}

/// What the server has been asked to do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Requested {
    /// Id of the workflow.
    workflow_id: String,
    /// `cancel` or `terminate`.
    requested: &'static str,
}

impl Requested {
    fn of(execution: &Execution, requested: &'static str) -> Json<Self> {
        Json(Self {
            workflow_id: execution.workflow_id.clone(),
            requested,
        })
    }
}

/// Request cancellation
///
/// The workflow may clean up first, or refuse; its result shows how it ended.
#[utoipa::path(
    post,
    path = "/api/v1/workflows/{workflowId}/cancel",
    operation_id = "cancelWorkflow",
    tag = "workflows",
    params(("workflowId" = Name, Path, description = "Id of the workflow"), Run),
    request_body = Option<EndRequest>,
    responses(
        (status = 202, description = "Requested", body = Requested),
        (status = 409, description = "`workflow-ended`"),
    )
)]
pub(in crate::api) async fn cancel(
    writer: Writer,
    Path(workflow_id): Path<Name>,
    Query(run): Query<Run>,
    request: Body<EndRequest>,
) -> Result<(StatusCode, Json<Requested>), Problem> {
    let execution = execution(workflow_id, run.run_id);
    let answer = Requested::of(&execution, "cancel");
    let (workflows, reason) = (writer.workflows, said(request).reason.0);
    // Some servers grant the cancellation of what has ended.
    let row = promptly(workflows.look(&execution)).await?;
    if !row.is_running() {
        return Err(CallError::Ended {
            workflow_id: row.workflow_id,
        }
        .into());
    }
    detached(async move { promptly(workflows.cancel(&execution, &reason)).await }).await?;
    Ok((StatusCode::ACCEPTED, answer))
}

/// End a workflow at once
///
/// None of its code runs any more, so nothing is cleaned up.
#[utoipa::path(
    post,
    path = "/api/v1/workflows/{workflowId}/terminate",
    operation_id = "terminateWorkflow",
    tag = "workflows",
    params(("workflowId" = Name, Path, description = "Id of the workflow"), Run),
    request_body = Option<EndRequest>,
    responses(
        (status = 202, description = "Done", body = Requested),
        (status = 409, description = "`workflow-ended`"),
    )
)]
pub(in crate::api) async fn terminate(
    writer: Writer,
    Path(workflow_id): Path<Name>,
    Query(run): Query<Run>,
    request: Body<EndRequest>,
) -> Result<(StatusCode, Json<Requested>), Problem> {
    let execution = execution(workflow_id, run.run_id);
    let answer = Requested::of(&execution, "terminate");
    let (workflows, reason) = (writer.workflows, said(request).reason.0);
    detached(async move { promptly(workflows.terminate(&execution, &reason)).await }).await?;
    Ok((StatusCode::ACCEPTED, answer))
}
