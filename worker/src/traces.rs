//! Traces of workflows and activities.
//!
//! The SDK's plugin makes the spans; what it needs is a tracer whose ids are the same when a
//! workflow replays. [`start`] sets that up, so a program that runs a worker uses it and not the one
//! of `sealane_service`. Requests are traced where they leave, by `sealane_client::connection`.

use opentelemetry_sdk::trace::TracerProviderBuilder;
use sealane_service::{
    settings::Traces,
    telemetry::traces::{self, SpanQueue, TraceGuard, TracesError},
};
use temporalio_sdk::{
    SimplePlugin, WorkerOptions, WorkerPlugin,
    opentelemetry::{OpenTelemetryPlugin, WorkflowIdGenerator, WorkflowSpanProcessor},
};

/// Starts to send the spans of this process, workers among them. Does nothing without an endpoint.
///
/// To be called before the worker runs, and kept until it has ended.
///
/// # Errors
///
/// [`TracesError`] if the HTTP client for spans cannot be made.
pub fn start(settings: &Traces, service: &str) -> Result<TraceGuard, TracesError> {
    traces::start_with(settings, service, replay_safe)
}

/// Spans of workflow code get the ids of the first run in every replay, and are sent only once.
fn replay_safe(builder: TracerProviderBuilder, queue: SpanQueue) -> TracerProviderBuilder {
    builder
        .with_id_generator(WorkflowIdGenerator::default())
        .with_span_processor(WorkflowSpanProcessor::new(queue))
}

/// Returns the plugin that workers get while traces are on, for a replayer.
pub fn plugin() -> SimplePlugin {
    OpenTelemetryPlugin::builder()
        .propagator(traces::propagator())
        .build()
}

/// Has workflows and activities traced, if traces are on.
pub(crate) fn follow(options: &mut WorkerOptions) {
    if traces::is_on() {
        // Only plugins that bring workflows can be refused.
        plugin().configure_worker_options(options).ok();
    }
}
