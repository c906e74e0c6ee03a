//! What several routes answer.

use axum::{
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use sealane_service::http::{Json, Problem};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::problem;
use crate::workflow::{Listed, Outcome, Started};

/// How soon asking again for something that is not finished makes sense, in seconds.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("1");

/// The result of a workflow.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Completed {
    /// Id of the workflow.
    workflow_id: String,
    /// Id of its last run.
    run_id: Option<String>,
    /// `COMPLETED`.
    status: &'static str,
    /// What it returned, decrypted.
    result: Value,
}

/// A workflow that has not ended.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Running {
    /// Id of the workflow.
    pub(super) workflow_id: String,
    /// Id of the run that was waited for.
    pub(super) run_id: String,
    /// `RUNNING`, unless somebody has paused it.
    pub(super) status: String,
}

impl From<Listed> for Running {
    fn from(row: Listed) -> Self {
        Self {
            workflow_id: row.workflow_id,
            run_id: row.run_id,
            status: row.status,
        }
    }
}

impl From<&Started> for Running {
    fn from(started: &Started) -> Self {
        Self {
            workflow_id: started.workflow_id.clone(),
            run_id: started.run_id.clone(),
            status: "RUNNING".to_owned(),
        }
    }
}

/// 200 with the result, or the problem of a workflow that ended without.
pub(super) fn ended(outcome: Outcome) -> Result<Response, Problem> {
    let status = outcome.ending.status();
    let (execution, result) = problem::result(outcome)?;
    let completed = Completed {
        workflow_id: execution.workflow_id,
        run_id: execution.run_id,
        status,
        result,
    };
    Ok(Json(completed).into_response())
}

/// 202 for what has not ended, and where to ask again.
pub(super) fn running(running: Running) -> Response {
    let location = result_of(&running.workflow_id);
    let again = (RETRY_AFTER, ASK_AGAIN);
    (StatusCode::ACCEPTED, [again, at(location)], Json(running)).into_response()
}

/// 202 for what has begun, and where to look at it.
pub(super) fn accepted(location: String, body: impl Serialize) -> Response {
    (StatusCode::ACCEPTED, [at(location)], Json(body)).into_response()
}

/// 200 for what had begun before, and where to look at it.
pub(super) fn repeated(location: String, body: impl Serialize) -> Response {
    (StatusCode::OK, [at(location)], Json(body)).into_response()
}

fn at(location: String) -> (HeaderName, HeaderValue) {
    let location = HeaderValue::try_from(location);
    (LOCATION, location.unwrap_or(HeaderValue::from_static("/")))
}

/// Path of a workflow.
pub(super) fn workflow(id: &str) -> String {
    format!("/api/v1/workflows/{}", segment(id))
}

/// Path of the result of a workflow.
pub(super) fn result_of(id: &str) -> String {
    format!("{}/result", workflow(id))
}

/// Path of an order.
pub(super) fn order(id: &str) -> String {
    format!("/orders/{}", segment(id))
}

/// Writes `text` as one segment of a path: whatever is not unreserved in
/// [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-2.3) becomes `%XX`.
fn segment(text: &str) -> String {
    let mut path = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                path.push(char::from(byte));
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::workflow;

    #[test]
    fn any_id_is_one_segment() {
        assert_eq!(workflow("order-1_2.3~x"), "/api/v1/workflows/order-1_2.3~x");
        assert_eq!(workflow("a/b?c=ü"), "/api/v1/workflows/a%2Fb%3Fc%3D%C3%BC");
    }
}
