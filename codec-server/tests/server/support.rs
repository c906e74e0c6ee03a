//! The router without a network, and the binary with one.

mod app;
mod live;

pub(crate) use self::{
    app::{App, Asked, ORIGIN, codec, load},
    live::{Live, spawn, variables},
};

use axum::http::{HeaderMap, StatusCode};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, body: &[u8]) -> Self {
        Self {
            status: status.as_u16(),
            headers,
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }

    /// The value of a header, empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap_or("not ASCII"))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Fails unless this is a problem with that status and last part of its type.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, slug: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:sealane:problem:{slug}"));
        assert_eq!(problem["status"], status);
    }

    /// Fails unless a page of [`ORIGIN`] may read this.
    #[track_caller]
    pub(crate) fn assert_readable(&self) {
        assert_eq!(
            self.header("access-control-allow-origin"),
            ORIGIN,
            "{self:?}"
        );
        assert_eq!(self.header("access-control-allow-credentials"), "true");
        assert_eq!(
            self.header("access-control-expose-headers"),
            "retry-after, x-request-id"
        );
        let vary: Vec<_> = self.headers.get_all("vary").iter().collect();
        assert_eq!(vary, ["origin"], "{self:?}");
    }

    /// Fails if a page of another origin may read this.
    #[track_caller]
    pub(crate) fn assert_unreadable(&self) {
        let names = self.headers.keys().map(|name| name.as_str());
        let cors: Vec<_> = names
            .filter(|name| name.starts_with("access-control"))
            .collect();
        assert!(cors.is_empty(), "{cors:?}");
        assert_eq!(self.header("vary"), "origin");
    }
}

/// A list with one payload of JSON, as the Web UI sends it.
pub(crate) fn one(data: &str) -> Value {
    let encoding = BASE64_STANDARD.encode("json/plain");
    json!({"payloads": [{"metadata": {"encoding": encoding}, "data": BASE64_STANDARD.encode(data)}]})
}

/// The data of the first payload in a list.
pub(crate) fn data(payloads: &Value) -> String {
    let text = payloads["payloads"][0]["data"].as_str().unwrap_or_default();
    let bytes = BASE64_STANDARD.decode(text).expect("base64");
    String::from_utf8_lossy(&bytes).into_owned()
}
