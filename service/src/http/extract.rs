//! Extractors whose refusals are problems, and quote nothing of the request.

use axum::{
    body::{HttpBody, to_bytes},
    extract::{self, FromRequest, FromRequestParts, OptionalFromRequest, Request},
    http::{HeaderMap, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Kind, Problem, json};

/// A body in JSON, or an answer in JSON.
///
/// Refused are: another media type than `application/json` or `application/…+json` (415), bytes that are not UTF-8,
/// more than 127 levels, anything after the value, and what does not fit `T` (400). The problem says where, never what.
///
/// As `Option<Json<T>>` it is `None` for a request without body and media type.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let detail = "the media type of the body must be application/json";
            return Err(Problem::new(Kind::UnsupportedMediaType, detail));
        }
        // The edge has put its limit around the body. A router without one takes what comes.
        let body = to_bytes(request.into_body(), usize::MAX).await;
        let body =
            body.map_err(|_| Problem::new(Kind::BadRequest, "the body did not arrive whole"))?;
        json::parse(&body).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let is_absent = !request.headers().contains_key(CONTENT_TYPE);
        if is_absent && request.body().is_end_stream() {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state)
            .await
            .map(Some)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Whether the body claims to be JSON. Whatever charset it names is not looked at: JSON is UTF-8.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value.map(|value| value.split(';').next().unwrap_or(value).trim());
    essence.is_some_and(|essence| {
        let essence = essence.to_ascii_lowercase();
        essence == "application/json"
            || (essence.starts_with("application/") && essence.ends_with("+json"))
    })
}

/// The query of the address, as `T` describes it. What does not fit is a 400 that says no more than the name of a
/// parameter that is missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = extract::Query::try_from_uri(&parts.uri);
        query
            .map(|extract::Query(query)| Self(query))
            .map_err(|refused| {
                let text = refused.body_text();
                let missing = text.find(json::MISSING).map(|at| &text[at..]);
                let detail =
                    missing.unwrap_or("a parameter of the query has a value that does not fit");
                Problem::new(Kind::BadRequest, detail)
            })
    }
}

/// The parameters of the path, as `T` describes them. What does not fit is a 400.
#[derive(Clone, Copy, Debug, Default)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = extract::Path::from_request_parts(parts, state).await;
        path.map(|extract::Path(path)| Self(path))
            .map_err(|_| Problem::new(Kind::BadRequest, "a part of the path cannot be read"))
    }
}
