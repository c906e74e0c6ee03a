//! What the edge counts, in the Prometheus text format.

use std::time::Instant;

use axum::http::{Method, StatusCode};
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, core::Collector,
};

/// Seconds: from what a probe needs to the default timeout of a request.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// The limits that turn requests away.
const REASONS: [&str; 5] = [
    "body_limit",
    "body_memory",
    "concurrency",
    "slow_body",
    "timeout",
];

/// The client was gone before there was an answer. No answer has this status; it is what nginx logs.
const CLIENT_GONE: StatusCode = match StatusCode::from_u16(499) {
    Ok(status) => status,
    Err(_) => StatusCode::BAD_REQUEST,
};

/// Metrics of one edge. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct EdgeMetrics {
    requests: IntCounterVec,
    duration: HistogramVec,
    in_flight: IntGauge,
    rejected: IntCounterVec,
}

impl EdgeMetrics {
    /// Returns metrics with the label `process`, shown by `registry`.
    pub(super) fn register(registry: &Registry, process: &'static str) -> Self {
        let metrics = Self::new(process);
        let Self {
            requests,
            duration,
            in_flight,
            rejected,
        } = &metrics;
        let all: [Box<dyn Collector>; 4] = [
            Box::new(requests.clone()),
            Box::new(duration.clone()),
            Box::new(in_flight.clone()),
            Box::new(rejected.clone()),
        ];
        // Rates need a first value to compare with.
        for reason in REASONS {
            rejected.with_label_values(&[reason]).inc_by(0);
        }
        for metric in all {
            if let Err(error) = registry.register(metric) {
                tracing::warn!(error = %error, "a metric of HTTP requests is not shown");
            }
        }
        metrics
    }

    fn new(process: &'static str) -> Self {
        let named = |name: &str, help: &str| Opts::new(name, help).const_label("process", process);
        let counter = |name, help, labels: &[&str]| {
            IntCounterVec::new(named(name, help), labels).expect("name and labels are valid")
        };
        let buckets = HistogramOpts {
            common_opts: named(
                "sealane_http_request_duration_seconds",
                "Time until an answer began, in seconds",
            ),
            buckets: BUCKETS.into(),
        };
        let in_flight = named("sealane_http_in_flight", "Requests that are being answered");
        Self {
            requests: counter(
                "sealane_http_requests_total",
                "Requests answered, or given up by the client (499)",
                &["route", "method", "status"],
            ),
            duration: HistogramVec::new(buckets, &["route", "method"])
                .expect("name, labels and buckets are valid"),
            in_flight: IntGauge::with_opts(in_flight).expect("name and label are valid"),
            rejected: counter(
                "sealane_http_rejected_total",
                "Requests that were not carried out because of a limit",
                &["reason"],
            ),
        }
    }

    /// Counts a request that met a limit.
    pub(super) fn reject(&self, reason: &'static str) {
        debug_assert!(REASONS.contains(&reason), "{reason} has no first value");
        self.rejected.with_label_values(&[reason]).inc();
    }

    /// Counts a request from now until it is [`answered`](Flight::answered) or dropped.
    pub(super) fn begin(&self, route: String, method: &Method) -> Flight {
        self.in_flight.inc();
        Flight {
            metrics: self.clone(),
            route,
            method: known(method),
            started: Instant::now(),
            status: CLIENT_GONE,
        }
    }
}

/// A request that is being answered.
pub(super) struct Flight {
    metrics: EdgeMetrics,
    pub(super) route: String,
    pub(super) method: &'static str,
    pub(super) started: Instant,
    status: StatusCode,
}

impl Flight {
    /// Notes the status of the answer.
    pub(super) fn answered(&mut self, status: StatusCode) {
        self.status = status;
    }

    /// Returns the status, 499 as long as there is none.
    pub(super) fn status(&self) -> u16 {
        self.status.as_u16()
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let metrics = &self.metrics;
        metrics.in_flight.dec();
        metrics
            .requests
            .with_label_values(&[&self.route, self.method, self.status.as_str()])
            .inc();
        metrics
            .duration
            .with_label_values(&[self.route.as_str(), self.method])
            .observe(self.started.elapsed().as_secs_f64());
    }
}

/// A method may be any word, and whoever invents words must not invent time series.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
