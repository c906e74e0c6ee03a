//! The HTTP API: starts, watches and steers workflows, in JSON.
//!
//! Routes and answers are in docs/http-api.md and, for programs, in the OpenAPI document that the API
//! serves. A route reaches the server only through [`Workflows`](crate::workflow::Workflows), which it
//! gets only after its caller was found to be allowed to.
#![expect(
    unused_qualifications,
    reason = "the macro that documents a route writes paths in full"
)]

mod access;
mod answer;
mod browse;
mod document;
mod error;
mod extract;
mod greetings;
mod index;
mod orders;
mod page;
mod problem;
mod request;
mod routes;
mod run;
mod state;
mod wait;
mod workflows;

/// How this process is named in traces, metrics and histories.
pub const PROCESS: &str = "sealane-api";

pub use self::{error::ApiError, routes::openapi, run::run};

/// What a caller may add to the settings.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// HTML that browsers see at `/`. It may have styles, but no scripts, and loads nothing.
    pub start_page: Option<String>,
}

/// Returns every problem that this API has beside the common ones: `type`, status, title.
pub fn problems() -> Vec<(String, u16, &'static str)> {
    let row =
        |kind: &sealane_service::http::Kind| (kind.uri(), kind.status().as_u16(), kind.title());
    problem::ALL.iter().map(row).collect()
}
