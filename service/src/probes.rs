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

pub use self::{
    health::Health,
    metrics::Metrics,
    readiness::{Phase, Readiness},
    server::{BindError, Server},
};

use self::health::Verdict;

mod health;
mod metrics;
mod readiness;
mod server;

/// Version of the text format that the encoder writes.
const METRICS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Returns the routes for `health` and `metrics`, to be served alone or merged into an API.
pub fn router(health: Health, metrics: Metrics) -> Router {
    Router::new()
        .route("/livez", get(live))
        .route("/health", get(live))
        .route("/readyz", get(ready))
        .route("/ready", get(ready))
        .with_state(health)
        .route("/metrics", get(render).with_state(metrics))
}

async fn live(State(health): State<Health>) -> impl IntoResponse {
    answer(health.live())
}

async fn ready(State(health): State<Health>) -> impl IntoResponse {
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
