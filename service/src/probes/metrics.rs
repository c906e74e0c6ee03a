//! Metrics of the process in the Prometheus text format.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use prometheus::{Gauge, IntGauge, Opts, Registry, TextEncoder, core::Collector};
use tokio::time::timeout;

type Text = Pin<Box<dyn Future<Output = String> + Send>>;
type Source = Arc<dyn Fn() -> Text + Send + Sync>;

/// A source that takes longer is left out, so that it cannot make the whole scrape fail.
/// Prometheus gives up after 10 s by default.
const SOURCE_TIMEOUT: Duration = Duration::from_secs(3);

/// What `/metrics` shows: a registry of ours, and text from elsewhere. Clones share it.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    sources: Arc<RwLock<Vec<Source>>>,
}

impl Metrics {
    /// Returns metrics that say which build runs since when.
    pub fn new() -> Self {
        let metrics = Self {
            registry: Registry::new(),
            sources: Arc::default(),
        };
        metrics.register(build_info());
        metrics.register(start_time());
        metrics
    }

    /// Returns the registry for metrics of our own, named `sealane_…`.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Adds text in the Prometheus format, made at each scrape and left out if that takes over 3 s.
    ///
    /// Its metrics must have names that nothing else here uses.
    pub fn add_source<F>(&self, source: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = String> + Send + 'static,
    {
        let source: Source = Arc::new(move || Box::pin(source()));
        self.sources
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(source);
    }

    /// Returns all metrics as text.
    pub async fn render(&self) -> String {
        let mut text = self.encode();
        let sources = self
            .sources
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for source in sources {
            match timeout(SOURCE_TIMEOUT, source()).await {
                Ok(more) => append(&mut text, &more),
                Err(_) => tracing::warn!(
                    timeout_seconds = SOURCE_TIMEOUT.as_secs(),
                    "a source of metrics did not answer in time and is left out of this scrape",
                ),
            }
        }
        text
    }

    fn register(&self, metric: impl Collector + 'static) {
        self.registry
            .register(Box::new(metric))
            .expect("a new registry has no metric of that name");
    }

    fn encode(&self) -> String {
        let encoded = TextEncoder::new().encode_to_string(&self.registry.gather());
        encoded.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "own metrics cannot be encoded and are left out");
            String::new()
        })
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

fn append(text: &mut String, more: &str) {
    text.push_str(more);
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

fn build_info() -> IntGauge {
    let options = Opts::new(
        "sealane_build_info",
        "Always 1; the label says which version runs",
    )
    .const_label("version", env!("CARGO_PKG_VERSION"));
    let gauge = IntGauge::with_opts(options).expect("name and label are valid");
    gauge.set(1);
    gauge
}

fn start_time() -> Gauge {
    let options = Opts::new(
        "process_start_time_seconds",
        "Start of the process since unix epoch in seconds",
    );
    let gauge = Gauge::with_opts(options).expect("the name is valid");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    gauge.set(now.as_secs_f64());
    gauge
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::Metrics;

    #[tokio::test]
    async fn the_build_and_every_source_are_shown() {
        let metrics = Metrics::new();
        metrics.add_source(async || "temporal_long_request 1".to_owned());
        metrics.add_source(async || "other 2\n".to_owned());

        let text = metrics.render().await;

        let version = env!("CARGO_PKG_VERSION");
        assert!(
            text.contains(&format!("sealane_build_info{{version=\"{version}\"}} 1\n")),
            "{text}"
        );
        assert!(text.contains("\nprocess_start_time_seconds "), "{text}");
        assert!(
            text.ends_with("\ntemporal_long_request 1\nother 2\n"),
            "{text}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_hangs_is_left_out() {
        let metrics = Metrics::new();
        metrics.add_source(pending);
        metrics.add_source(async || "other 2".to_owned());

        let text = metrics.render().await;

        assert!(
            text.contains("sealane_build_info") && text.ends_with("other 2\n"),
            "{text}"
        );
    }
}
