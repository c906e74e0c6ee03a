//! Traces: spans of this process, sent to an OTLP receiver. Off unless the settings name one.
//!
//! See `docs/tracing.md` for the spans and what they hold.

mod exporter;
mod metrics;
mod propagator;
mod queue;
mod share;
mod withhold;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracerProvider, TracerProviderBuilder},
};

use crate::{
    exit::{self, ExitStatus},
    settings::Traces,
};

pub(crate) use self::share::Stranger;
use self::{exporter::Otlp, share::Share};
pub use self::{metrics::expose, propagator::Propagator, queue::SpanQueue};

/// Name under which Sealane's own spans are recorded.
pub const SCOPE: &str = "sealane";

/// How long the end of a process waits for its last spans to be taken.
const FLUSH: Duration = Duration::from_secs(5);

/// Whether this process has a receiver of spans.
static ON: AtomicBool = AtomicBool::new(false);

/// Spans cannot be sent: the HTTP client for them cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be sent: {0}; unset OTEL_EXPORTER_OTLP_ENDPOINT to go without")]
pub struct TracesError(String);

impl ExitStatus for TracesError {
    fn exit_code(&self) -> u8 {
        exit::INTERNAL
    }
}

/// Keeps traces going. Dropping it sends what has not been sent yet, for which it blocks up to 5 s.
#[derive(Debug)]
#[must_use = "traces end when this is dropped"]
pub struct TraceGuard(Option<SdkTracerProvider>);

impl Drop for TraceGuard {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take() {
            ON.store(false, Ordering::Relaxed);
            // The exporter has told of any trouble.
            provider.shutdown_with_timeout(FLUSH).ok();
        }
    }
}

/// Starts to send the spans of this process, as `service` unless the settings name it otherwise.
///
/// Does nothing without an endpoint, or if traces are on already: a process has one receiver.
///
/// # Errors
///
/// [`TracesError`]. A receiver that cannot be reached is no error, now or later.
pub fn start(settings: &Traces, service: &str) -> Result<TraceGuard, TracesError> {
    start_with(
        settings,
        service,
        TracerProviderBuilder::with_span_processor,
    )
}

/// Like [`start`], where `finish` may choose another generator of ids and look at spans before they
/// enter the queue.
///
/// # Errors
///
/// As for [`start`].
pub fn start_with(
    settings: &Traces,
    service: &str,
    finish: impl FnOnce(TracerProviderBuilder, SpanQueue) -> TracerProviderBuilder,
) -> Result<TraceGuard, TracesError> {
    let Some(endpoint) = &settings.endpoint else {
        return Ok(TraceGuard(None));
    };
    let (queue, taken) = SpanQueue::prepare();
    let exporter = Otlp::new(endpoint, &settings.headers, taken)?;
    if ON.swap(true, Ordering::Relaxed) {
        return Ok(TraceGuard(None));
    }
    let service = settings.service_name.as_deref().unwrap_or(service);
    let builder = SdkTracerProvider::builder()
        .with_resource(resource(service))
        .with_sampler(Share::of(settings.sample_ratio));
    let provider = finish(builder, queue.before(exporter)).build();
    global::set_tracer_provider(provider.clone());
    tracing::info!(otel.endpoint = %endpoint, service.name = service, "traces are sent");
    Ok(TraceGuard(Some(provider)))
}

/// Whether traces are on. If not, nothing should be spent on spans.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Returns what puts trace context into carriers and takes it out, everywhere: W3C Trace Context
/// alone. Baggage, which can hold anything, is neither taken over nor passed on.
pub fn propagator() -> Propagator {
    Propagator::default()
}

/// `OTEL_RESOURCE_ATTRIBUTES` is read by the SDK; what is said here wins over it.
fn resource(service: &str) -> Resource {
    Resource::builder()
        .with_service_name(service.to_owned())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}

#[cfg(test)]
mod tests {
    use super::{is_on, resource};

    #[test]
    fn a_process_is_told_apart_by_service_and_version() {
        let resource = resource("sealane-worker");

        let found = |name: &str| {
            resource
                .get(&name.to_owned().into())
                .map(|it| it.to_string())
        };
        assert_eq!(found("service.name").as_deref(), Some("sealane-worker"));
        assert_eq!(
            found("service.version").as_deref(),
            Some(env!("CARGO_PKG_VERSION"))
        );
        assert!(!is_on(), "nothing is on by itself");
    }
}
