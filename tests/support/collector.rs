//! A receiver of traces (OTLP over HTTP), which keeps what it gets.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::Context;
use axum::{Router, extract::State, routing::post};
use bytes::Bytes;
use http::{StatusCode, header::CONTENT_TYPE};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{Span, span::SpanKind, status::StatusCode as SpanStatus},
};
use prost::Message;
use tokio::{net::TcpListener, runtime, sync::watch};

use crate::orders::patiently;

/// A running receiver. It listens until the process ends, whichever runtime started it.
#[derive(Clone)]
pub struct Collector {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    arrived: watch::Receiver<usize>,
}

#[derive(Default)]
struct Kept {
    spans: Vec<Seen>,
    bodies: Vec<Bytes>,
    headers: Vec<http::HeaderMap>,
}

/// A span as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Service that recorded it.
    pub service: String,
    /// Id of its trace, in hexadecimal digits.
    pub trace_id: String,
    /// Its own id.
    pub span_id: String,
    /// Id of its parent; empty without one.
    pub parent_id: String,
    /// Its name.
    pub name: String,
    /// Whether it is of whoever was asked, not of whoever asked.
    pub is_server: bool,
    /// Whether it says that something failed.
    pub is_error: bool,
    /// What it says in its attributes.
    pub attributes: Vec<(String, String)>,
}

impl Seen {
    /// Returns the attribute `name`.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(key, _)| key == name)?;
        Some(&found.1)
    }

    fn of(service: &str, span: &Span) -> Self {
        let attributes = span.attributes.iter();
        Self {
            service: service.to_owned(),
            trace_id: hex(&span.trace_id),
            span_id: hex(&span.span_id),
            parent_id: hex(&span.parent_span_id),
            name: span.name.clone(),
            is_server: span.kind == SpanKind::Server as i32,
            is_error: span
                .status
                .as_ref()
                .is_some_and(|status| status.code == SpanStatus::Error as i32),
            attributes: attributes.map(|it| (it.key.clone(), text(it))).collect(),
        }
    }
}

impl Collector {
    /// Starts a receiver on a free port.
    ///
    /// # Errors
    ///
    /// If there is no port or no thread to be had.
    pub fn start() -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let kept = Arc::<Mutex<Kept>>::default();
        let (arrivals, arrived) = watch::channel(0);
        let router = Router::new()
            .route("/v1/traces", post(receive))
            .with_state((Arc::clone(&kept), arrivals));
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::spawn(move || {
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener)?;
                axum::serve(listener, router).await
            })
        });
        Ok(Self {
            address,
            kept,
            arrived,
        })
    }

    /// Returns the URL for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the spans of a trace, as soon as `enough` is true of them.
    ///
    /// # Errors
    ///
    /// If the receiver has ended.
    ///
    /// # Panics
    ///
    /// If they do not arrive.
    pub async fn trace(
        &self,
        trace_id: &str,
        enough: impl Fn(&[Seen]) -> bool,
    ) -> anyhow::Result<Vec<Seen>> {
        let mut arrived = self.arrived.clone();
        let come = async {
            loop {
                let spans = self.spans(trace_id);
                if enough(&spans) {
                    return Ok(spans);
                }
                arrived.changed().await.context("the receiver has ended")?;
            }
        };
        patiently("the spans of the trace", come).await
    }

    /// Returns the spans of a trace that have arrived.
    pub fn spans(&self, trace_id: &str) -> Vec<Seen> {
        let kept = lock(&self.kept);
        let spans = kept.spans.iter();
        spans
            .filter(|span| span.trace_id == trace_id)
            .cloned()
            .collect()
    }

    /// Whether `text` is anywhere in what has arrived.
    pub fn has_seen(&self, text: &str) -> bool {
        let kept = lock(&self.kept);
        let mut bodies = kept.bodies.iter();
        bodies.any(|body| {
            let mut windows = body.windows(text.len());
            windows.any(|window| window == text.as_bytes())
        })
    }

    /// Whether a request came with this header.
    pub fn was_sent(&self, name: &str, value: &str) -> bool {
        let kept = lock(&self.kept);
        let mut headers = kept.headers.iter();
        headers.any(|it| it.get(name).is_some_and(|found| found == value))
    }
}

type Shared = (Arc<Mutex<Kept>>, watch::Sender<usize>);

async fn receive(
    State((kept, arrivals)): State<Shared>,
    headers: http::HeaderMap,
    body: Bytes,
) -> StatusCode {
    let is_protobuf = headers
        .get(CONTENT_TYPE)
        .is_some_and(|it| it == "application/x-protobuf");
    let Ok(request) = ExportTraceServiceRequest::decode(body.clone()) else {
        return StatusCode::BAD_REQUEST;
    };
    if !is_protobuf {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    let spans = request.resource_spans.iter().flat_map(|of_resource| {
        let service = service(of_resource.resource.as_ref());
        let scopes = of_resource.scope_spans.iter();
        scopes
            .flat_map(|scope| &scope.spans)
            .map(move |span| Seen::of(&service, span))
    });
    {
        let mut kept = lock(&kept);
        kept.spans.extend(spans);
        kept.bodies.push(body);
        kept.headers.push(headers);
    }
    arrivals.send_modify(|count| *count += 1);
    StatusCode::OK
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn service(resource: Option<&Resource>) -> String {
    let attributes = resource.map(|resource| resource.attributes.iter());
    let name = attributes.and_then(|mut all| all.find(|it| it.key == "service.name"));
    name.map(text).unwrap_or_default()
}

fn text(attribute: &KeyValue) -> String {
    match attribute.value.as_ref().and_then(|it| it.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
