//! The layers around every public router.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state, map_response},
    response::Response,
};
use ipnet::IpNet;
use tokio::sync::Semaphore;

use super::{body::Room, fallback, limits, metrics::EdgeMetrics, record, trace};
use crate::{probes::Metrics, settings::Http, telemetry::traces};

/// Everything that a public router gets around it. Routers protected by one edge share its concurrency limit.
#[derive(Clone, Debug)]
pub struct Edge(Arc<Parts>);

#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) metrics: EdgeMetrics,
    pub(super) permits: Arc<Semaphore>,
    pub(super) body_limit: usize,
    pub(super) room: Room,
    pub(super) timeout: Duration,
    pub(super) trusted_proxies: Vec<IpNet>,
}

impl Edge {
    /// Returns the edge that `settings` describe. Its metrics, `sealane_http_…`, have the label `process`.
    pub fn new(settings: &Http, metrics: &Metrics, process: &'static str) -> Self {
        traces::expose(metrics);
        Self(Arc::new(Parts {
            metrics: EdgeMetrics::register(metrics.registry(), process),
            permits: Arc::new(Semaphore::new(settings.max_concurrent)),
            body_limit: settings.max_body,
            room: Room::for_bodies_of(settings.max_body),
            timeout: settings.timeout,
            trusted_proxies: settings.trusted_proxies.clone(),
        }))
    }

    /// Takes bodies of up to `bytes`, instead of what the settings say. Eight of that size are held at once.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        let parts = Arc::make_mut(&mut self.0);
        parts.body_limit = bytes;
        parts.room = Room::for_bodies_of(bytes);
        self
    }

    /// Gives requests this long, instead of what the settings say. A handler may ask for more: see
    /// [`Deadline`](super::Deadline).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        Arc::make_mut(&mut self.0).timeout = timeout;
        self
    }

    /// Puts the layers around `router`, whose routes are complete by now. Merge the probes afterwards, so that
    /// overload does not look like illness.
    pub fn protect(&self, router: Router) -> Router {
        let with = || self.0.clone();
        // The last layer is the outermost: what it adds is on every answer, what it notes is about every request.
        router
            .fallback(fallback::not_found)
            .method_not_allowed_fallback(fallback::wrong_method)
            .layer(DefaultBodyLimit::disable())
            .layer(from_fn_with_state(with(), limits::size_and_time))
            .layer(from_fn_with_state(with(), limits::concurrency))
            .layer(from_fn(limits::panics))
            .layer(from_fn(fallback::no_bare_errors))
            .layer(from_fn_with_state(with(), record::record))
            .layer(from_fn(trace::trace))
    }
}

/// Puts around `router` only what refuses nobody: for probes, which stay outside of every limit.
pub(crate) fn outside(router: Router) -> Router {
    router
        .method_not_allowed_fallback(fallback::wrong_method)
        .layer(map_response(async |mut response: Response| {
            record::harden(response.headers_mut());
            response
        }))
}
