//! What is here, and which version of it.

use axum::{
    Extension,
    http::{
        HeaderMap, HeaderValue,
        header::{ACCEPT, CONTENT_SECURITY_POLICY, VARY},
    },
    response::{Html, IntoResponse, Response},
};
use sealane_service::{build, http::Json};
use serde::Serialize;
use utoipa::ToSchema;

/// The start page is one file of its own: nothing else is loaded, and no script runs.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// HTML to show at `/` to browsers, if there is any.
#[derive(Clone)]
pub(super) struct StartPage(pub(super) Option<String>);

/// Where things are.
#[derive(Serialize, ToSchema)]
pub(super) struct Index {
    /// The OpenAPI document.
    openapi: &'static str,
    /// The same to browse.
    docs: &'static str,
    /// Workflows of any type.
    workflows: &'static str,
    /// Orders.
    orders: &'static str,
    /// Whether the process works.
    livez: &'static str,
    /// Whether it can do its job now.
    readyz: &'static str,
    /// For Prometheus.
    metrics: &'static str,
}

const INDEX: Index = Index {
    openapi: "/openapi.json",
    docs: "/docs/",
    workflows: "/api/v1/workflows",
    orders: "/orders",
    livez: "/livez",
    readyz: "/readyz",
    metrics: "/metrics",
};

/// See what is here
#[utoipa::path(
    get,
    path = "/",
    operation_id = "index",
    tag = "about",
    responses((status = 200, description = "Where things are; a page for browsers, if this process has one", content((Index = "application/json"), (String = "text/html"))))
)]
pub(super) async fn index(
    Extension(StartPage(page)): Extension<StartPage>,
    headers: HeaderMap,
) -> Response {
    let vary = (VARY, HeaderValue::from_static("accept"));
    match page {
        Some(page) if prefers_html(&headers) => {
            let policy = (CONTENT_SECURITY_POLICY, PAGE_POLICY);
            ([vary, policy], Html(page)).into_response()
        }
        _ => ([vary], Json(INDEX)).into_response(),
    }
}

/// Every browser names HTML when it opens a page; curl and other clients do not.
fn prefers_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Which build answers.
#[derive(Serialize, ToSchema)]
pub(super) struct Pong {
    /// `sealane-api`.
    service: &'static str,
    /// Version of the release.
    version: &'static str,
    /// Git commit, if the build was told: `SEALANE_COMMIT` at build time.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'static str>,
}

/// See which build answers
#[utoipa::path(
    get,
    path = "/ping",
    operation_id = "ping",
    tag = "about",
    responses((status = 200, description = "The build", body = Pong))
)]
pub(super) async fn ping() -> Json<Pong> {
    Json(Pong {
        service: super::PROCESS,
        version: build::VERSION,
        commit: build::COMMIT,
    })
}
