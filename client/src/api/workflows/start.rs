//! Starting workflows.

use axum::{extract::State, response::Response};
use sealane_service::http::{Json, Kind, Problem};

use super::super::{
    access::Writer,
    answer,
    extract::{IdempotencyKey, NoQuery},
    problem::KEY_REUSED,
    request::{StartRequest, fingerprint, id_of},
    state::{Api, detached, promptly},
};
use crate::workflow::{Once, Started};

/// Start a workflow
///
/// With an `Idempotency-Key` the same request may be repeated, and starts one workflow: its id is made
/// of the key and the caller unless the request has an id. Repetitions get the ids of the first.
#[utoipa::path(
    post,
    path = "/api/v1/workflows",
    operation_id = "startWorkflow",
    tag = "workflows",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request harmless: 1 to 255 visible ASCII characters", min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    request_body = StartRequest,
    responses(
        (status = 202, description = "Started", body = Started, headers(("Location" = String, description = "The workflow"))),
        (status = 200, description = "Was started before: by the same request, or `idConflictPolicy` is `UseExisting`", body = Started, headers(("Location" = String, description = "The workflow"))),
        (status = 409, description = "`workflow-already-started`"),
        (status = 422, description = "`idempotency-key-reused`, `unprocessable`"),
    )
)]
pub(in crate::api) async fn start(
    State(api): State<Api>,
    writer: Writer,
    NoQuery: NoQuery,
    IdempotencyKey(key): IdempotencyKey,
    Json(request): Json<StartRequest>,
) -> Result<Response, Problem> {
    let Some(key) = key else {
        let start = request.read(api.task_queue())?;
        let started = detached(async move { promptly(writer.workflows.start(start)).await });
        return Ok(answer_for(started.await?));
    };
    if request.id_reuse_policy.is_some() || request.id_conflict_policy.is_some() {
        return Err(Problem::new(
            Kind::Unprocessable,
            "an Idempotency-Key decides about ids that are taken: leave out idReusePolicy and idConflictPolicy",
        ));
    }
    let has_id = request.workflow_id.is_some();
    let mut start = request.read(api.task_queue())?;
    if !has_id {
        start.workflow_id = id_of(&writer.id, &key);
    }
    let fingerprint = fingerprint(&start);
    let once = async move { promptly(writer.workflows.start_once(start, fingerprint)).await };
    match detached(once).await? {
        Once::Started(started) | Once::Repeated(started) => Ok(answer_for(started)),
        Once::Taken => Err(Problem::new(
            KEY_REUSED,
            "this Idempotency-Key, or the workflow id, belongs to a request with another type, task queue or input",
        )),
    }
}

fn answer_for(started: Started) -> Response {
    let location = answer::workflow(&started.workflow_id);
    if started.started {
        answer::accepted(location, started)
    } else {
        answer::repeated(location, started)
    }
}
