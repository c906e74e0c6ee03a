//! The smallest flow over HTTP: start it and go away, or wait for its result.

use axum::{extract::State, response::Response};
use sealane_service::http::{Deadline, Problem, Query};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    access::Writer,
    answer::{self, Completed, Running},
    extract::{Name, Period},
    state::{Api, CALL_LIMIT, FETCH_LIMIT, detached, fetched, promptly},
    wait,
};
use crate::{
    payload,
    workflow::{Start, Started, Workflows},
};

/// What the worker registers the flow as; a test starts it.
const TYPE: &str = "GreetingWorkflow";

/// Whom to greet.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AsyncQuery {
    /// Whom to greet.
    #[param(value_type = Name)]
    name: Name,
}

/// Whom to greet, and how long to wait for it.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SyncQuery {
    /// Whom to greet.
    #[param(value_type = Name)]
    name: Name,
    /// How long to wait for the result, at most 60s. Default: 30s.
    #[param(value_type = Option<Period>)]
    wait: Option<Period>,
}

/// Start a greeting and return its ids
#[utoipa::path(
    get,
    path = "/async",
    operation_id = "startGreeting",
    tag = "greetings",
    params(AsyncQuery),
    responses((status = 202, description = "Started", body = Running, headers(("Location" = String, description = "Its result"))))
)]
pub(super) async fn start_async(
    State(api): State<Api>,
    writer: Writer,
    Query(query): Query<AsyncQuery>,
) -> Result<Response, Problem> {
    let started = start(&writer.workflows, query.name, &api).await?;
    let location = answer::result_of(&started.workflow_id);
    Ok(answer::accepted(location, Running::from(&started)))
}

/// Start a greeting and wait for its result
///
/// Whoever stops waiting, as by closing the connection, does not stop the workflow.
#[utoipa::path(
    get,
    path = "/sync",
    operation_id = "greet",
    tag = "greetings",
    params(SyncQuery),
    responses(
        (status = 200, description = "The greeting", body = Completed),
        (status = 202, description = "It takes longer", body = Running, headers(("Location" = String, description = "Its result"), ("Retry-After" = u32, description = "Seconds"))),
        (status = 422, description = "It ended without a result, as for the result of any workflow"),
    )
)]
pub(super) async fn start_sync(
    State(api): State<Api>,
    writer: Writer,
    deadline: Deadline,
    Query(query): Query<SyncQuery>,
) -> Result<Response, Problem> {
    let limit = query.wait.map_or(wait::FOR_A_RESULT, Period::duration);
    let limit = wait::bounded(limit);
    deadline.allow(CALL_LIMIT + limit + FETCH_LIMIT);
    let workflows = &writer.workflows;
    let started = start(workflows, query.name, &api).await?;
    match api.wait(limit, workflows.end(&started.execution())).await {
        Some(ended) => answer::ended(fetched(workflows.read(ended?)).await?),
        None => Ok(answer::running(Running::from(&started))),
    }
}

/// Goes on if the client does not: it may have seen nothing but its own timeout.
async fn start(workflows: &Workflows, name: Name, api: &Api) -> Result<Started, Problem> {
    let start = Start {
        workflow_type: TYPE.to_owned(),
        workflow_id: format!("greeting-{}", Uuid::new_v4()),
        task_queue: api.task_queue().to_owned(),
        input: vec![payload::from_json(&Value::String(name.into()))],
        ..Start::default()
    };
    let workflows = workflows.clone();
    Ok(detached(async move { promptly(workflows.start(start)).await }).await?)
}
