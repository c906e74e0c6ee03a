//! Errors as clients see them: problem details, RFC 9457.

use std::time::Duration;

use axum::{
    http::{
        HeaderName, HeaderValue,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::kind::Kind;

/// Media type of a problem in JSON ([RFC 9457], section 3).
///
/// [RFC 9457]: https://www.rfc-editor.org/rfc/rfc9457
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An answer that says what went wrong.
///
/// The body is JSON with `type`, `title`, `status`, `detail` and what was added [`with`](Self::with). Clients branch on
/// `type`; `detail` is for people and may change. None of it may quote a payload, a token or a key.
#[derive(Clone, Debug)]
#[must_use]
pub struct Problem {
    kind: Kind,
    detail: String,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// Returns a problem whose `detail` says what is special about this one, and what to do.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            members: Map::new(),
            headers: Vec::new(),
        }
    }

    /// Says when asking again makes sense, rounded up to whole seconds.
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Adds a header to the answer.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds a member to the body. One that cannot be JSON is left out; the five standard ones stay as they are.
    pub fn with(mut self, member: &'static str, value: impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.members.insert(member.to_owned(), value);
        }
        self
    }

    /// Returns which problem it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns what is said about this one.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns the body.
    pub fn to_json(&self) -> Value {
        let mut members = self.members.clone();
        let standard = [
            ("type", Value::from(self.kind.uri())),
            ("title", self.kind.title().into()),
            ("status", self.kind.status().as_u16().into()),
            ("detail", self.detail.as_str().into()),
        ];
        members.remove("instance");
        members.extend(standard.map(|(name, value)| (name.to_owned(), value)));
        members.into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.to_json().to_string();
        let mut response = (self.kind.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        // The access log names it.
        response.extensions_mut().insert(self.kind);
        response
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, time::Duration};

    use axum::{
        http::{StatusCode, header::RETRY_AFTER},
        response::IntoResponse,
    };
    use serde_json::json;

    use super::{Kind, PROBLEM_JSON, Problem};

    const NO_WORKER: Kind = Kind::Other {
        slug: "no-worker",
        title: "No worker answers",
        status: StatusCode::GATEWAY_TIMEOUT,
    };

    #[test]
    fn the_body_has_the_standard_members_and_those_that_were_added() {
        let problem = Problem::new(NO_WORKER, "nobody polls `orders`")
            .with("taskQueue", "orders")
            .with("status", 200)
            .with("instance", "elsewhere");

        let expected = json!({
            "type": "urn:sealane:problem:no-worker",
            "title": "No worker answers",
            "status": 504,
            "detail": "nobody polls `orders`",
            "taskQueue": "orders",
        });
        assert_eq!(problem.to_json(), expected);
    }

    #[test]
    fn the_answer_has_status_media_type_and_a_wait_in_whole_seconds() {
        let problem = Problem::new(Kind::TooManyRequests, "later");
        let response = problem
            .retry_after(Duration::from_millis(1200))
            .into_response();

        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()["content-type"], PROBLEM_JSON);
        assert_eq!(response.headers()[RETRY_AFTER], "2");
    }

    #[test]
    fn no_two_kinds_share_a_type() {
        let types: HashSet<_> = Kind::COMMON.map(Kind::uri).into();
        assert_eq!(types.len(), Kind::COMMON.len());
    }
}
