//! How the sending of spans fares.

use std::sync::LazyLock;

use prometheus::{IntCounter, IntCounterVec, Opts};

use crate::probes::Metrics;

/// Static, because spans are recorded before there is anything that could show numbers.
pub(super) static COUNTERS: LazyLock<Counters> = LazyLock::new(Counters::new);

pub(super) struct Counters {
    pub(super) exported: IntCounter,
    pub(super) queue_full: IntCounter,
    pub(super) refused: IntCounter,
    pub(super) failures: IntCounter,
    dropped: IntCounterVec,
}

impl Counters {
    fn new() -> Self {
        let dropped = Opts::new(
            "sealane_trace_spans_dropped_total",
            "Spans that were lost, by reason",
        );
        let dropped = IntCounterVec::new(dropped, &["reason"]).expect("name and label are valid");
        let counter = |name, help| IntCounter::new(name, help).expect("the name is valid");
        Self {
            exported: counter(
                "sealane_trace_spans_exported_total",
                "Spans that the receiver has taken",
            ),
            queue_full: dropped.with_label_values(&["queue_full"]),
            refused: dropped.with_label_values(&["export_failed"]),
            failures: counter(
                "sealane_trace_export_failures_total",
                "Attempts to send spans that failed",
            ),
            dropped,
        }
    }
}

/// Shows in `metrics` how the sending of spans fares. All stay 0 while traces are off.
pub fn expose(metrics: &Metrics) {
    let counters = &*COUNTERS;
    for counter in [&counters.exported, &counters.failures] {
        // A second registration shows the same numbers, so nothing is lost if it is refused.
        metrics.registry().register(Box::new(counter.clone())).ok();
    }
    let dropped = counters.dropped.clone();
    metrics.registry().register(Box::new(dropped)).ok();
}

#[cfg(test)]
mod tests {
    use super::expose;
    use crate::probes::Metrics;

    #[tokio::test]
    async fn every_counter_is_there_from_the_start() {
        let metrics = Metrics::new();
        expose(&metrics);
        expose(&metrics);

        let text = metrics.render().await;

        for line in [
            "sealane_trace_spans_exported_total ",
            "sealane_trace_export_failures_total ",
            "sealane_trace_spans_dropped_total{reason=\"queue_full\"} ",
            "sealane_trace_spans_dropped_total{reason=\"export_failed\"} ",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
