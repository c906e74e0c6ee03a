//! What a process says about itself over HTTP: probes for Kubernetes, metrics for Prometheus.
//!
//! | path | alias | meaning |
//! | --- | --- | --- |
//! | `/livez` | `/health` | the process works; if not, restarting it is the remedy |
//! | `/readyz` | `/ready` | it can do its job now; if not, the answer says why |
//! | `/metrics` | | Prometheus text format |

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use futures_util::future::ready;

pub use crate::http::{BindError, Server};

pub use self::{
    health::Health,
    metrics::Metrics,
    readiness::{Phase, Readiness},
};

use self::health::Verdict;
use crate::http;

mod health;
mod metrics;
mod readiness;

/// Version of the text format that the encoder writes.
const METRICS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Returns the routes for `health` and `metrics`, to be served alone or merged into an API. `metrics`
/// show the health as well from now on, so call this once for each process.
pub fn router(health: Health, metrics: Metrics) -> Router {
    // A second registration shows the same number, so nothing is lost if it is refused.
    metrics
        .registry()
        .register(Box::new(http::evictions()))
        .ok();
    let shown = health.clone();
    metrics.add_source(move || ready(shown.metrics()));
    let routes = Router::new()
        .route("/livez", get(live))
        .route("/health", get(live))
        .route("/readyz", get(readiness))
        .route("/ready", get(readiness))
        .with_state(health)
        .route("/metrics", get(render).with_state(metrics));
    http::outside(routes)
}

async fn live(State(health): State<Health>) -> impl IntoResponse {
    answer(health.live())
}

async fn readiness(State(health): State<Health>) -> impl IntoResponse {
    answer(health.ready())
}

fn answer(verdict: Verdict) -> impl IntoResponse {
    let status = if verdict.ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(verdict))
}

async fn render(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(CONTENT_TYPE, METRICS_TEXT)], metrics.render().await)
}
