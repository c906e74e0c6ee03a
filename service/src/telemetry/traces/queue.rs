//! Where ended spans wait to be sent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor},
};

use super::metrics::COUNTERS;

/// How many spans may wait; OpenTelemetry's default. Beyond, spans are dropped and counted.
const CAPACITY: usize = 2048;

/// How many spans go in one request; OpenTelemetry's default.
const BATCH: usize = 512;

/// How long the first span of a batch waits for others.
const DELAY: Duration = Duration::from_secs(2);

/// Holds ended spans until a thread of its own sends them. Never blocks who ends a span.
#[derive(Debug)]
pub struct SpanQueue {
    inner: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
}

/// A queue that nobody empties yet.
pub(super) struct Prepared(Arc<AtomicUsize>);

/// Told by the exporter how many spans have left the queue.
#[derive(Debug)]
pub(super) struct Taken(Arc<AtomicUsize>);

impl SpanQueue {
    pub(super) fn prepare() -> (Prepared, Taken) {
        let waiting = Arc::<AtomicUsize>::default();
        (Prepared(Arc::clone(&waiting)), Taken(waiting))
    }
}

impl Prepared {
    /// Returns the queue, emptied by `exporter`.
    pub(super) fn before(self, exporter: impl SpanExporter + 'static) -> SpanQueue {
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(CAPACITY)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        SpanQueue {
            inner: BatchSpanProcessor::builder(exporter)
                .with_batch_config(config)
                .build(),
            waiting: self.0,
        }
    }
}

impl Taken {
    pub(super) fn note(&self, spans: usize) {
        self.0.fetch_sub(spans, Ordering::Relaxed);
    }
}

impl SpanProcessor for SpanQueue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    /// The SDK's queue drops what does not fit and tells nobody how much, so it is never overfilled.
    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) < CAPACITY {
            self.inner.on_end(span);
        } else {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            COUNTERS.queue_full.inc();
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc};

    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::{
        error::OTelSdkResult,
        trace::{SdkTracerProvider, SpanData, SpanExporter},
    };

    use super::{BATCH, CAPACITY, SpanQueue, Taken};
    use crate::telemetry::traces::metrics::COUNTERS;

    /// A receiver that takes nothing before it is let.
    #[derive(Debug)]
    struct Stuck {
        taken: Taken,
        let_go: Mutex<mpsc::Receiver<()>>,
        got: mpsc::Sender<usize>,
    }

    impl SpanExporter for Stuck {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.let_go.lock().unwrap().recv().ok();
            self.taken.note(batch.len());
            self.got.send(batch.len()).ok();
            Ok(())
        }
    }

    #[test]
    fn a_stuck_receiver_costs_spans_and_no_time_and_each_loss_is_counted() {
        let (let_go, waits) = mpsc::channel();
        let (got, arrived) = mpsc::channel();
        let (queue, taken) = SpanQueue::prepare();
        let queue = queue.before(Stuck {
            taken,
            let_go: Mutex::new(waits),
            got,
        });
        let provider = SdkTracerProvider::builder()
            .with_span_processor(queue)
            .build();
        let tracer = provider.tracer("test");
        let before = COUNTERS.queue_full.get();

        let ended = CAPACITY + 100;
        for _ in 0..ended {
            tracer.start("span");
        }

        assert_eq!(COUNTERS.queue_full.get() - before, 100);
        drop(let_go);
        provider.shutdown().unwrap();
        let arrived: Vec<usize> = arrived.iter().collect();
        assert_eq!(arrived.iter().sum::<usize>(), CAPACITY);
        assert!(arrived.iter().all(|spans| *spans <= BATCH));
    }
}
