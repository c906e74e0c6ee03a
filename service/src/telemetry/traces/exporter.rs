//! Sends spans as OTLP over HTTP.
//!
//! Sends the requests itself, with the HTTP client that everything here uses: OpenTelemetry's own
//! exporter would read the environment a second time, and tell nobody of a failure.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use opentelemetry_proto::{
    tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    transform::{
        common::tonic::ResourceAttributesWithSchema,
        trace::tonic::group_spans_by_resource_and_scope,
    },
};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{SpanData, SpanExporter},
};
use prost::Message;
use tokio::runtime::{Builder, Runtime};
use url::Url;

use super::{TracesError, metrics::COUNTERS, queue::Taken, withhold::withhold};
use crate::{exit::with_causes, settings::Secret};

/// For one request. Below the time that the end of a process waits for.
const TIMEOUT: Duration = Duration::from_secs(4);

/// Waits before a request is sent again, for a receiver that is being replaced.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// Sends spans to one receiver.
#[derive(Debug)]
pub(super) struct Otlp {
    client: reqwest::Client,
    url: String,
    resource: ResourceAttributesWithSchema,
    taken: Taken,
    failing: AtomicBool,
    /// Of its own, so that spans are sent whatever else the process does, to its very end.
    runtime: Runtime,
}

/// Why a request came to nothing, and whether another may fare better.
struct Refusal {
    reason: String,
    passes: bool,
}

impl Otlp {
    /// Returns an exporter to the OTLP receiver whose base URL is `endpoint`.
    ///
    /// # Errors
    ///
    /// [`TracesError`] if there is no HTTP client to be had.
    pub(super) fn new(
        endpoint: &Url,
        headers: &BTreeMap<String, Secret>,
        taken: Taken,
    ) -> Result<Self, TracesError> {
        let failed = |error: &dyn std::error::Error| TracesError(with_causes(error));
        let client = reqwest::Client::builder()
            .default_headers(all_headers(headers))
            .timeout(TIMEOUT)
            // Elsewhere nobody is to see spans, or the headers that let us in.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| failed(&error))?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self {
            client,
            url: format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/')),
            resource: ResourceAttributesWithSchema::default(),
            taken,
            failing: AtomicBool::new(false),
            runtime,
        })
    }

    async fn send(&self, body: Vec<u8>) -> Result<(), Refusal> {
        for pause in PAUSES {
            match self.attempt(body.clone()).await {
                Err(refusal) if refusal.passes => tokio::time::sleep(pause).await,
                outcome => return outcome,
            }
        }
        self.attempt(body).await
    }

    async fn attempt(&self, body: Vec<u8>) -> Result<(), Refusal> {
        let outcome = self.post(body).await;
        if outcome.is_err() {
            COUNTERS.failures.inc();
        }
        outcome
    }

    async fn post(&self, body: Vec<u8>) -> Result<(), Refusal> {
        let broken = |error: reqwest::Error| Refusal {
            reason: with_causes(&error.without_url()),
            passes: true,
        };
        let request = self.client.post(&self.url).body(body);
        let answer = request.send().await.map_err(broken)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(Refusal {
                reason: format!("the receiver answered {status}"),
                passes: is_passing(status),
            });
        }
        let said = answer.bytes().await.map_err(broken)?;
        // An answer that cannot be read is as good as an empty one: it says that all were taken.
        let said = ExportTraceServiceResponse::decode(said).unwrap_or_default();
        match said.partial_success {
            Some(partly) if partly.rejected_spans > 0 => Err(Refusal {
                reason: format!("the receiver rejected {} spans", partly.rejected_spans),
                passes: false,
            }),
            _ => Ok(()),
        }
    }

    /// Tells of trouble once, and of its end.
    fn tell(&self, outcome: &Result<(), Refusal>) {
        let was_failing = self.failing.swap(outcome.is_err(), Ordering::Relaxed);
        match outcome {
            Err(refusal) if !was_failing => tracing::warn!(
                otel.endpoint = self.url,
                error = refusal.reason,
                "spans cannot be sent and are lost; nothing else is affected"
            ),
            Ok(()) if was_failing => {
                tracing::info!(otel.endpoint = self.url, "spans are sent again");
            }
            _ => {}
        }
    }
}

impl SpanExporter for Otlp {
    /// Blocks the thread it is called on, which is the queue's own.
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        self.taken.note(spans);
        batch.iter_mut().for_each(withhold);
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let outcome = self.runtime.block_on(self.send(body));
        self.tell(&outcome);
        let spans = u64::try_from(spans).unwrap_or(u64::MAX);
        match outcome {
            Ok(()) => {
                COUNTERS.exported.inc_by(spans);
                Ok(())
            }
            Err(refusal) => {
                COUNTERS.refused.inc_by(spans);
                Err(OTelSdkError::InternalFailure(refusal.reason))
            }
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

/// Whether OTLP calls the status worth another attempt
/// ([specification](https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes)).
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// Names and values that HTTP has no words for were refused with the settings.
fn all_headers(headers: &BTreeMap<String, Secret>) -> HeaderMap {
    let protobuf = HeaderValue::from_static("application/x-protobuf");
    let mut map = HeaderMap::from_iter([(CONTENT_TYPE, protobuf)]);
    for (name, value) in headers {
        if let (Ok(name), Ok(mut value)) = (
            HeaderName::try_from(name),
            HeaderValue::try_from(value.expose()),
        ) {
            // Keeps credentials out of `Debug`.
            value.set_sensitive(true);
            map.insert(name, value);
        }
    }
    map
}
