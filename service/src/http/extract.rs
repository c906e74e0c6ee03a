//! Extractors whose refusals are problems, and quote nothing of the request.

use axum::{
    body::{HttpBody, to_bytes},
    extract::{self, FromRequest, FromRequestParts, OptionalFromRequest, Request},
    http::{HeaderMap, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Kind, Problem, fields, json};

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

/// The query of the address, as `T` describes it. What does not fit is a 400 that names the parameter if `T` has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = extract::Query::try_from_uri(&parts.uri);
        query
            .map(|extract::Query(query)| Self(query))
            .map_err(|refused| Problem::new(Kind::BadRequest, why::<T>(&refused.body_text())))
    }
}

/// Says what is wrong with a query in words that are ours. `text` is `…: name: reason`, and may quote the query.
fn why<T: DeserializeOwned>(text: &str) -> String {
    let known = fields::of::<T>();
    let unknown = text.contains("unknown field `");
    let named = |name: &&&str| text.contains(&format!(": {name}: "));
    let missing = |name: &&&str| text.ends_with(&format!("{}{name}`", json::MISSING));
    if let Some(name) = known.iter().find(missing) {
        return format!("the parameter `{name}` of the query is missing");
    }
    match known.iter().find(named) {
        Some(name) if !unknown => {
            format!("the parameter `{name}` of the query has a value that does not fit")
        }
        _ if known.is_empty() => "this path takes no parameters in the query".to_owned(),
        _ => format!(
            "the query has a parameter that is not known here, or one twice; known are `{}`",
            known.join("`, `")
        ),
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

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Asked {
        #[expect(dead_code, reason = "only parsed")]
        query: String,
        #[expect(dead_code, reason = "only parsed")]
        page_size: Option<u16>,
    }

    async fn refused<T: DeserializeOwned>(query: &str) -> String {
        let uri = format!("/list?{query}");
        let (mut parts, ()) = http::Request::get(uri).body(()).unwrap().into_parts();
        let refused = Query::<T>::from_request_parts(&mut parts, &()).await;
        refused.err().unwrap().detail().to_owned()
    }

    #[tokio::test]
    async fn a_query_that_does_not_fit_is_told_by_the_names_that_are_ours() {
        for (query, detail) in [
            (
                "query=a&pageSize=canary",
                "the parameter `pageSize` of the query has a value that does not fit",
            ),
            (
                "pageSize=1",
                "the parameter `query` of the query is missing",
            ),
            (
                "query=a&canary=1",
                "the query has a parameter that is not known here, or one twice; known are `query`, `pageSize`",
            ),
            (
                "query=a&query=canary",
                "the query has a parameter that is not known here, or one twice; known are `query`, `pageSize`",
            ),
        ] {
            assert_eq!(refused::<Asked>(query).await, detail, "{query}");
        }
    }

    #[tokio::test]
    async fn no_refusal_quotes_the_query() {
        for query in [
            "query=a&pageSize=canary",
            "canary=1",
            "query=a&canary:%20pageSize:%20=1",
            "query=a&query=canary",
            "canary",
        ] {
            let detail = refused::<Asked>(query).await;
            assert!(!detail.contains("canary"), "{query}: {detail}");
        }
    }
}
