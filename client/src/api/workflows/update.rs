//! Updates.

use std::time::Duration;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use sealane_service::http::{Deadline, Json, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::{
    access::Writer,
    extract::{Body, Name, Period, RunId, said},
    problem::{NO_WORKER, UPDATE_FAILED},
    request::payloads,
    state::{Api, CALL_LIMIT, promptly},
    wait,
};
use super::execution;
use crate::workflow::{Execution, Updated};

/// An update, its arguments encrypted before they leave this process.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct UpdateRequest {
    /// Arguments, in order: any JSON.
    #[serde(default)]
    #[schema(value_type = Vec<Value>)]
    input: Vec<Box<RawValue>>,
    /// Id of the update: the workflow makes one per id, however often it is sent. Default: random.
    update_id: Option<Name>,
}

/// How long to wait for which run.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct UpdateQuery {
    /// How long to wait for the answer, at most 60s. Default: 10s.
    #[param(value_type = Option<Period>)]
    wait: Option<Period>,
    /// Id of the run. Default: the latest.
    #[param(value_type = Option<RunId>)]
    run_id: Option<RunId>,
}

/// An update that the workflow made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Made {
    /// Id of the workflow.
    workflow_id: String,
    /// Name of the update.
    update: String,
    /// Id of the update.
    update_id: String,
    /// What the workflow answered, decrypted.
    result: Value,
}

/// An update that the workflow has accepted and not finished.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Accepted {
    /// Id of the workflow.
    workflow_id: String,
    /// Name of the update.
    update: String,
    /// Id of the update: send it again with this to wait on.
    update_id: String,
}

/// Send an update
///
/// Waits until the workflow has made it. What it refuses leaves no trace.
#[utoipa::path(
    post,
    path = "/api/v1/workflows/{workflowId}/updates/{name}",
    operation_id = "updateWorkflow",
    tag = "workflows",
    params(("workflowId" = Name, Path, description = "Id of the workflow"), ("name" = Name, Path, description = "Name of the update"), UpdateQuery),
    request_body = Option<UpdateRequest>,
    responses(
        (status = 200, description = "Made", body = Made),
        (status = 202, description = "Accepted, and not finished in time; send it again with its `updateId` to wait on", body = Accepted),
        (status = 409, description = "`workflow-ended`"),
        (status = 422, description = "`update-failed`: refused, unknown, or failed, with the decrypted `failure`"),
        (status = 504, description = "`no-worker`: not accepted in time, and so not certain to be made; `updateId` makes repeating it harmless"),
    )
)]
pub(in crate::api) async fn update(
    State(api): State<Api>,
    writer: Writer,
    deadline: Deadline,
    Path((workflow_id, name)): Path<(Name, Name)>,
    Query(query): Query<UpdateQuery>,
    request: Body<UpdateRequest>,
) -> Result<Response, Problem> {
    let request = said(request);
    let input = payloads(&request.input)?;
    let limit = query.wait.map_or(wait::FOR_AN_UPDATE, Period::duration);
    let limit = wait::bounded(limit);
    deadline.allow(limit + CALL_LIMIT);
    let started = Instant::now();
    let execution = execution(workflow_id, query.run_id);
    let row = promptly(writer.workflows.look(&execution)).await?;
    let sending = Sending {
        execution: row.execution(),
        update: name.into(),
        update_id: random_unless(request.update_id),
    };
    let left = || limit.saturating_sub(started.elapsed());
    let sent = writer.workflows.send_update(
        &sending.execution,
        &sending.update,
        &sending.update_id,
        input,
    );
    let Some(sent) = api.wait(left().max(SHORTEST), sent).await else {
        return Err(sending.unheard());
    };
    match api.wait(left(), writer.workflows.updated(sent?)).await {
        None => Ok((StatusCode::ACCEPTED, Json(sending.accepted())).into_response()),
        Some(updated) => sending.done(updated?),
    }
}

/// Without any time, no worker could accept an update.
const SHORTEST: Duration = Duration::from_secs(1);

fn random_unless(update_id: Option<Name>) -> String {
    update_id.map_or_else(|| Uuid::new_v4().to_string(), String::from)
}

/// An update on its way.
struct Sending {
    execution: Execution,
    update: String,
    update_id: String,
}

impl Sending {
    fn unheard(self) -> Problem {
        Problem::new(
            NO_WORKER,
            "no worker has accepted the update in time; send it again with its updateId",
        )
        .with("updateId", self.update_id)
    }

    fn accepted(self) -> Accepted {
        Accepted {
            workflow_id: self.execution.workflow_id,
            update: self.update,
            update_id: self.update_id,
        }
    }

    fn done(self, updated: Updated) -> Result<Response, Problem> {
        match updated {
            Updated::Completed(result) => Ok(Json(Made {
                workflow_id: self.execution.workflow_id,
                update: self.update,
                update_id: self.update_id,
                result,
            })
            .into_response()),
            Updated::Failed(report) => Err(Problem::new(
                UPDATE_FAILED,
                "the workflow did not make the update; the member failure says why",
            )
            .with("updateId", self.update_id)
            .with("failure", report.without_stack_traces())),
        }
    }
}
