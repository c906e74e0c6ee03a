//! Answers where no handler gave one.

use axum::{
    extract::Request,
    http::{
        Method, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Kind, Problem};

pub(super) async fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "there is nothing at this path")
}

/// Answers for a path that exists. The router adds `Allow`.
pub(super) async fn wrong_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = "this path has other methods, see the header Allow";
    Problem::new(Kind::MethodNotAllowed, detail).into_response()
}

/// Turns a bare text that a library answers with into the problem of the same status: such texts quote the request.
pub(super) async fn no_bare_errors(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    match kind_of_bare(&response) {
        Some(kind) => replaced(&response, kind),
        None => response,
    }
}

fn kind_of_bare(response: &Response) -> Option<Kind> {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let media_type = response.headers().get(CONTENT_TYPE);
    let is_text = media_type.is_none_or(|media| media.as_bytes().starts_with(b"text/plain"));
    let is_bare = is_error && is_text && response.extensions().get::<Kind>().is_none();
    is_bare.then(|| {
        let common = Kind::COMMON
            .into_iter()
            .find(|kind| kind.status() == status);
        common.unwrap_or(match status.is_client_error() {
            true => Kind::BadRequest,
            false => Kind::Internal,
        })
    })
}

fn replaced(response: &Response, kind: Kind) -> Response {
    let detail = "the request was refused before it was looked at more closely";
    let mut problem = Problem::new(kind, detail).into_response();
    for (name, value) in response.headers() {
        if name != CONTENT_TYPE && name != CONTENT_LENGTH {
            problem.headers_mut().append(name, value.clone());
        }
    }
    problem
}
