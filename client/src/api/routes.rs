//! All routes, and the document that describes them: both come from one list, so they cannot differ.

use axum::{Extension, Router, middleware::from_fn};
use sealane_service::{
    auth,
    http::{Edge, local},
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    browse, document, greetings,
    index::{self, StartPage},
    orders,
    state::Api,
    workflows::{end, inspect, message, start, update},
};

/// Returns everything but the probes, with the layers around it.
pub(super) fn router(api: &Api, start_page: Option<String>, edge: &Edge) -> Router {
    let authenticator = api.authenticator().clone();
    let (guarded, _) = guarded().split_for_parts();
    let (open, _) = open().split_for_parts();
    let guarded = auth::protect(guarded.with_state(api.clone()), authenticator);
    let guarded = match api.asks_who() {
        true => guarded,
        false => guarded.layer(from_fn(local::only)),
    };
    // What is not there is nobody's secret: the fallback is that of the open routes.
    let router = open
        .with_state(api.clone())
        .merge(guarded)
        .layer(Extension(StartPage(start_page)))
        .merge(browse::router(openapi()));
    edge.protect(router)
}

/// Returns the OpenAPI document.
pub fn openapi() -> OpenApi {
    let (_, guarded) = guarded().split_for_parts();
    let (_, open) = open().split_for_parts();
    document::complete(guarded, open)
}

/// What only those may use who prove who they are.
fn guarded() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(inspect::list, start::start))
        .routes(routes!(inspect::describe))
        .routes(routes!(inspect::result))
        .routes(routes!(message::signal))
        .routes(routes!(message::query))
        .routes(routes!(update::update))
        .routes(routes!(end::cancel))
        .routes(routes!(end::terminate))
        .routes(routes!(orders::place))
        .routes(routes!(orders::look))
        .routes(routes!(orders::cancel))
        .routes(routes!(greetings::start_async))
        .routes(routes!(greetings::start_sync))
}

/// What says nothing about anybody's workflows.
fn open() -> OpenApiRouter<Api> {
    OpenApiRouter::default()
        .routes(routes!(index::index))
        .routes(routes!(index::ping))
}
