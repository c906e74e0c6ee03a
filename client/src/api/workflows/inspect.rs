//! Looking at workflows.

use axum::{extract::State, response::Response};
use sealane_service::http::{Deadline, Json, Kind, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::{
    access::Reader,
    answer::{self, Completed, Running},
    extract::{Name, Period, RunId},
    page,
    state::{Api, FETCH_LIMIT, fetched, promptly},
    wait,
};
use super::{Run, execution};
use crate::{
    call::CallError,
    workflow::{Description, Listed},
};

/// Rows of a page, unless it is asked for another number.
const PAGE: u16 = 100;

/// Most rows the server returns at once.
const LARGEST_PAGE: u16 = 1000;

/// What to list.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ListQuery {
    /// [List filter](https://docs.temporal.io/list-filter), such as
    /// `WorkflowType = 'OrderWorkflow' AND ExecutionStatus = 'Running'`. Default: all.
    query: Option<String>,
    /// Most rows of a page. Default: 100.
    #[param(minimum = 1, maximum = 1000)]
    page_size: Option<u16>,
    /// `nextPage` of the page before, with the same `query`. Default: the first page.
    page: Option<String>,
}

/// One page of a list of workflows.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct ListPage {
    /// The rows, latest start first unless the query orders them.
    workflows: Vec<Listed>,
    /// What to pass as `page` for the next page; missing on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page: Option<String>,
}

/// List workflows
///
/// Rows hold nothing that is encrypted, so that no key is needed for them. They lag behind a little.
#[utoipa::path(
    get,
    path = "/api/v1/workflows",
    operation_id = "listWorkflows",
    tag = "workflows",
    params(ListQuery),
    responses((status = 200, description = "One page", body = ListPage))
)]
pub(in crate::api) async fn list(
    Reader(workflows): Reader,
    Query(wanted): Query<ListQuery>,
) -> Result<Json<ListPage>, Problem> {
    let size = wanted.page_size.unwrap_or(PAGE);
    if !(1..=LARGEST_PAGE).contains(&size) {
        let detail = format!("pageSize is {size}, expected 1 to {LARGEST_PAGE}");
        return Err(Problem::new(Kind::BadRequest, detail));
    }
    let query = wanted.query.unwrap_or_default();
    let page = match wanted.page {
        None => Vec::new(),
        Some(page) => page::read(&query, &page)?,
    };
    let is_first = page.is_empty();
    let listed = promptly(workflows.list_page(&query, size, page)).await;
    let (rows, next) = match listed {
        Err(CallError::Unreachable { .. } | CallError::Unexpected { .. }) if !is_first => {
            // Servers answer a token that is not theirs as if they were down, or broken. This tells.
            promptly(workflows.list_page(&query, 1, Vec::new())).await?;
            return Err(page::refused());
        }
        Err(error @ CallError::Rejected { .. }) => {
            return Err(Problem::new(Kind::BadRequest, error.to_string()));
        }
        listed => listed?,
    };
    let next_page = (!next.is_empty()).then(|| page::write(&query, &next));
    Ok(Json(ListPage {
        workflows: rows,
        next_page,
    }))
}

/// What is known about a workflow.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct Described {
    #[serde(flatten)]
    description: Description,
    /// Why some of it is shown encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

/// Describe a workflow
///
/// Notes, summary, heartbeats and failures are decrypted. What cannot be is shown encrypted, and
/// `unreadable` says why.
#[utoipa::path(
    get,
    path = "/api/v1/workflows/{workflowId}",
    operation_id = "describeWorkflow",
    tag = "workflows",
    params(("workflowId" = Name, Path, description = "Id of the workflow"), Run),
    responses((status = 200, description = "What the server knows", body = Described))
)]
pub(in crate::api) async fn describe(
    Reader(workflows): Reader,
    Path(workflow_id): Path<Name>,
    Query(run): Query<Run>,
) -> Result<Json<Described>, Problem> {
    let execution = execution(workflow_id, run.run_id);
    let (mut description, unreadable) = promptly(workflows.describe(&execution)).await?;
    description.hide_request();
    Ok(Json(Described {
        description,
        unreadable: unreadable.map(|why| why.to_string()),
    }))
}

/// How long to wait for which run.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ResultQuery {
    /// How long to wait for the end, at most 60s. Default: not at all.
    #[param(value_type = Option<Period>)]
    wait: Option<Period>,
    /// Id of the run. Default: the latest. Its retries and continuations are followed.
    #[param(value_type = Option<RunId>)]
    run_id: Option<RunId>,
}

/// Wait for the result of a workflow
#[utoipa::path(
    get,
    path = "/api/v1/workflows/{workflowId}/result",
    operation_id = "workflowResult",
    tag = "workflows",
    params(("workflowId" = Name, Path, description = "Id of the workflow"), ResultQuery),
    responses(
        (status = 200, description = "It completed", body = Completed),
        (status = 202, description = "It is running still; ask again", body = Running, headers(("Location" = String, description = "Where to ask again"), ("Retry-After" = u32, description = "Seconds"))),
        (status = 422, description = "It ended without a result: `workflow-failed` with the decrypted `failure`, `workflow-canceled`, `workflow-terminated`, `workflow-timed-out`"),
    )
)]
pub(in crate::api) async fn result(
    State(api): State<Api>,
    Reader(workflows): Reader,
    deadline: Deadline,
    Path(workflow_id): Path<Name>,
    Query(query): Query<ResultQuery>,
) -> Result<Response, Problem> {
    let execution = execution(workflow_id, query.run_id);
    let row = promptly(workflows.look(&execution)).await?;
    let wait = query.wait.map_or(wait::NOT_AT_ALL, Period::duration);
    let limit = wait::for_result(wait, row.is_running());
    if limit == wait::NOT_AT_ALL {
        return Ok(answer::running(row.into()));
    }
    deadline.allow(limit + FETCH_LIMIT);
    match api.wait(limit, workflows.end(&row.execution())).await {
        Some(ended) => answer::ended(fetched(workflows.read(ended?)).await?),
        None => Ok(answer::running(row.into())),
    }
}
