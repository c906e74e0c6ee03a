//! Signals and queries.

use axum::http::StatusCode;
use sealane_service::http::{Json, Path, Problem, Query};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::{
    access::{Reader, Writer},
    extract::{Body, Name, said},
    request::payloads,
    state::{detached, promptly},
};
use super::{Message, Run, execution};

/// A signal that was delivered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Signaled {
    /// Id of the workflow.
    workflow_id: String,
    /// Name of the signal.
    signal: String,
}

/// Send a signal
///
/// The server takes any name; a signal that the workflow does not know has no effect.
#[utoipa::path(
    post,
    path = "/api/v1/workflows/{workflowId}/signals/{name}",
    operation_id = "signalWorkflow",
    tag = "workflows",
    params(("workflowId" = Name, Path, description = "Id of the workflow"), ("name" = Name, Path, description = "Name of the signal"), Run),
    request_body = Option<Message>,
    responses(
        (status = 202, description = "Delivered", body = Signaled),
        (status = 409, description = "`workflow-ended`"),
    )
)]
pub(in crate::api) async fn signal(
    writer: Writer,
    Path((workflow_id, name)): Path<(Name, Name)>,
    Query(run): Query<Run>,
    message: Body<Message>,
) -> Result<(StatusCode, Json<Signaled>), Problem> {
    let input = payloads(&said(message).input)?;
    let execution = execution(workflow_id, run.run_id);
    let signaled = Signaled {
        workflow_id: execution.workflow_id.clone(),
        signal: name.as_str().to_owned(),
    };
    let workflows = writer.workflows;
    detached(async move { promptly(workflows.signal(&execution, name.as_str(), input)).await })
        .await?;
    Ok((StatusCode::ACCEPTED, Json(signaled)))
}

/// The answer to a query.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Answer {
    /// Id of the workflow.
    workflow_id: String,
    /// Name of the query.
    query: String,
    /// What the workflow answered, decrypted.
    result: Value,
}

/// Ask a query
///
/// Works on workflows that have ended too, as long as a worker runs.
#[utoipa::path(
    post,
    path = "/api/v1/workflows/{workflowId}/queries/{name}",
    operation_id = "queryWorkflow",
    tag = "workflows",
    params(("workflowId" = Name, Path, description = "Id of the workflow"), ("name" = Name, Path, description = "Name of the query"), Run),
    request_body = Option<Message>,
    responses(
        (status = 200, description = "Answered", body = Answer),
        (status = 422, description = "`query-failed`: the workflow does not know it, or cannot answer"),
        (status = 504, description = "`no-worker`: none answered within 10 s"),
    )
)]
pub(in crate::api) async fn query(
    Reader(workflows): Reader,
    Path((workflow_id, name)): Path<(Name, Name)>,
    Query(run): Query<Run>,
    message: Body<Message>,
) -> Result<Json<Answer>, Problem> {
    let input = payloads(&said(message).input)?;
    // A server that is down, or a workflow that is not there, shows faster than a query without a worker.
    let row = promptly(workflows.look(&execution(workflow_id, run.run_id))).await?;
    let result = workflows
        .query(&row.execution(), name.as_str(), input)
        .await?;
    Ok(Json(Answer {
        workflow_id: row.workflow_id,
        query: name.into(),
        result,
    }))
}
