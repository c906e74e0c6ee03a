use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceState},
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use sealane_client::workflow::{Ending, Execution, Outcome, Start, Workflows};
use sealane_service::{encryption, telemetry::traces::TraceGuard};
use sealane_tests::{
    World,
    collector::{Collector, Seen},
    orders::patiently,
    process::Process,
    traced::traceparent,
};
use sealane_worker::traces;
use serde_json::Value;
use temporalio_common::protos::temporal::api::common::v1::Payload;
use tokio::sync::OnceCell;

/// Returns the receiver to which this process, and the workers of its worlds, send their spans.
pub(crate) async fn collector() -> &'static Collector {
    static COLLECTOR: OnceCell<(Collector, TraceGuard)> = OnceCell::const_new();
    let started = COLLECTOR.get_or_init(|| async {
        let collector = Collector::start().expect("a receiver");
        let mut world = World::new().await;
        world
            .set("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
            .set("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=caller-key");
        let guard = traces::start(&world.settings().traces, "caller").expect("traces");
        (collector, guard)
    });
    &started.await.0
}

/// A world whose workers send their spans to [`collector`].
pub(crate) async fn world() -> World {
    let mut world = World::new().await;
    world.set("OTEL_EXPORTER_OTLP_ENDPOINT", collector().await.url());
    world
}

/// Starts the worker binary, and waits until it takes work.
pub(crate) async fn worker(world: &World) -> anyhow::Result<Process> {
    let program = env!("CARGO_BIN_EXE_sealane-worker");
    let worker = Process::start(program, &[], world.variables())?;
    worker.says("polling for tasks").await?;
    Ok(worker)
}

/// Whoever asks for something: the trace context that comes with a request.
pub(crate) struct Asker(SpanContext);

impl Asker {
    pub(crate) fn new() -> Self {
        let ids = RandomIdGenerator::default();
        Self(SpanContext::new(
            ids.new_trace_id(),
            ids.new_span_id(),
            TraceFlags::SAMPLED,
            true,
            TraceState::default(),
        ))
    }

    pub(crate) fn trace_id(&self) -> String {
        self.0.trace_id().to_string()
    }

    pub(crate) fn span_id(&self) -> String {
        self.0.span_id().to_string()
    }

    pub(crate) fn traceparent(&self) -> String {
        traceparent(&self.0)
    }

    pub(crate) fn context(&self) -> Context {
        Context::new().with_remote_span_context(self.0.clone())
    }
}

pub(crate) async fn workflows(world: &World) -> anyhow::Result<Workflows> {
    let codec = encryption::codec(&world.settings().encryption).await?;
    Ok(Workflows::new(world.client().await, codec))
}

/// Returns what to start in `world`.
pub(crate) fn start(world: &World, workflow_type: &str, input: &Value) -> Start {
    Start {
        workflow_type: workflow_type.to_owned(),
        workflow_id: world.id(workflow_type),
        task_queue: world.task_queue().to_owned(),
        input: vec![sealane_client::payload::from_json(input)],
        ..Start::default()
    }
}

pub(crate) async fn result(workflows: &Workflows, execution: &Execution) -> anyhow::Result<Value> {
    let outcome: Outcome = patiently("the end", workflows.outcome(execution)).await?;
    match outcome.ending {
        Ending::Completed(value) => Ok(value),
        other => anyhow::bail!("{other:?}"),
    }
}

/// Returns the one span of that name.
pub(crate) fn only<'a>(spans: &'a [Seen], name: &str) -> &'a Seen {
    let mut found = spans.iter().filter(|span| span.name == name);
    let span = found.next();
    let span = span.unwrap_or_else(|| panic!("no span {name:?} among {spans:#?}"));
    assert!(found.next().is_none(), "several {name:?} among {spans:#?}");
    span
}

/// Whether a span of that name has arrived.
pub(crate) fn has(spans: &[Seen], name: &str) -> bool {
    spans.iter().any(|span| span.name == name)
}

/// The JSON in a payload that is not encrypted.
pub(crate) fn readable(payload: &Payload) -> Option<Value> {
    serde_json::from_slice(&payload.data).ok()
}
