//! The SDK's metrics, for our `/metrics`.
//!
//! The SDK keeps its registry to itself and shows it over HTTP only, so its exporter listens on a
//! loopback port of its own and every scrape of ours fetches from there.
//!
//! Left alone, it counts latencies in milliseconds under names that do not say so. Here they are in
//! seconds and say it, and counters end in `_total`, as Prometheus wants names and as Temporal's own
//! queries spell them.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use sealane_service::exit::with_causes;
use temporalio_common::telemetry::{
    PrometheusExporterOptions, TelemetryOptions, metrics::TemporalMeter,
    start_prometheus_metric_exporter, telemetry_init,
};

use crate::error::WorkerError;

mod buckets;

/// The exporter is in this process; if it does not answer at once, something is badly wrong.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(2);

/// The running exporter of the SDK's metrics.
pub(crate) struct SdkMetrics {
    telemetry: TelemetryOptions,
    address: SocketAddr,
}

impl SdkMetrics {
    /// Starts the exporter with `labels` on every metric.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Setup`] if no loopback port is to be had.
    pub(crate) fn start(labels: HashMap<String, String>) -> Result<Self, WorkerError> {
        let options = PrometheusExporterOptions::builder()
            .socket_addr(SocketAddr::from(([127, 0, 0, 1], 0)))
            .global_tags(labels)
            .use_seconds_for_durations(true)
            .unit_suffix(true)
            .counters_total_suffix(true)
            .histogram_bucket_overrides(buckets::overrides())
            .build();
        let exporter = start_prometheus_metric_exporter(options)
            .map_err(|error| WorkerError::Setup(format!("metrics exporter: {error:#}")))?;
        let meter: Arc<_> = exporter.meter;
        Ok(Self {
            telemetry: TelemetryOptions::builder().metrics(meter as Arc<_>).build(),
            address: exporter.bound_addr,
        })
    }

    /// Returns the options with which the SDK's runtime records into this exporter.
    pub(crate) fn telemetry(&self) -> TelemetryOptions {
        self.telemetry.clone()
    }

    /// Returns the meter with which a connection records into this exporter.
    ///
    /// # Errors
    ///
    /// [`WorkerError::Setup`] if the SDK's telemetry cannot be initialised.
    pub(crate) fn meter(&self) -> Result<Option<TemporalMeter>, WorkerError> {
        let instance = telemetry_init(self.telemetry())
            .map_err(|error| WorkerError::Setup(format!("telemetry: {error:#}")))?;
        Ok(instance.get_temporal_metric_meter())
    }

    /// Returns a source of the exporter's text for `/metrics`.
    pub(crate) fn source(
        &self,
    ) -> impl Fn() -> futures_util::future::BoxFuture<'static, String> + use<> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(SCRAPE_TIMEOUT)
            .build();
        let url = format!("http://{}/metrics", self.address);
        move || {
            let client = client.as_ref().ok().cloned();
            let url = url.clone();
            Box::pin(async move {
                let fetched = match client {
                    Some(client) => fetch(&client, &url).await,
                    None => return String::new(),
                };
                fetched.unwrap_or_else(|error| {
                    // The exporter does not come back: the first connection that it cannot accept ends it.
                    let error = with_causes(&error);
                    tracing::warn!(
                        error,
                        "the SDK's metrics cannot be read and are left out of this scrape"
                    );
                    String::new()
                })
            })
        }
    }
}

async fn fetch(client: &reqwest::Client, url: &str) -> reqwest::Result<String> {
    client
        .get(url)
        .send()
        .await?
        .error_for_status()?
        .text()
        .await
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::fetch;

    #[tokio::test]
    async fn an_exporter_that_is_gone_is_no_empty_answer() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/metrics", listener.local_addr().unwrap());
        drop(listener);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();

        let error = fetch(&client, &url).await.unwrap_err();

        assert!(error.is_connect(), "{error}");
    }
}
