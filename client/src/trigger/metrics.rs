//! Numbers about a trigger.

use prometheus::{Gauge, IntCounterVec, Opts, Registry};

use super::{Event, event::FailureKind};

/// Starts, failures and back-off of one trigger.
#[derive(Clone)]
pub struct TriggerMetrics {
    starts: IntCounterVec,
    failures: IntCounterVec,
    backoff: Gauge,
}

impl TriggerMetrics {
    /// Registers the metrics with `registry`.
    ///
    /// # Errors
    ///
    /// [`prometheus::Error::AlreadyReg`] if it holds metrics of another trigger.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let starts = Opts::new(
            "sealane_trigger_starts_total",
            "Workflows started, by type.",
        );
        let failures = Opts::new(
            "sealane_trigger_start_failures_total",
            "Attempts to start a workflow that failed, by kind.",
        );
        let metrics = Self {
            starts: IntCounterVec::new(starts, &["workflow_type"])?,
            failures: IntCounterVec::new(failures, &["kind"])?,
            backoff: Gauge::new(
                "sealane_trigger_backoff_seconds",
                "Wait before the next attempt to start a workflow; 0 after a success.",
            )?,
        };
        registry.register(Box::new(metrics.starts.clone()))?;
        registry.register(Box::new(metrics.failures.clone()))?;
        registry.register(Box::new(metrics.backoff.clone()))?;
        // A rate can only be computed over a series that was there before the first failure.
        for kind in FailureKind::RETRIED {
            metrics.failures.with_label_values(&[kind.as_str()]);
        }
        Ok(metrics)
    }

    /// Counts `event`.
    pub fn observe(&self, event: &Event) {
        match event {
            Event::Started { workflow_type, .. } => {
                self.starts.with_label_values(&[workflow_type]).inc();
                self.backoff.set(0.0);
            }
            Event::StartFailed { kind, retry_in, .. } => {
                self.failures.with_label_values(&[kind.as_str()]).inc();
                self.backoff.set(retry_in.as_secs_f64());
            }
            Event::Finished { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prometheus::{Registry, TextEncoder};

    use super::{Event, FailureKind, TriggerMetrics};

    #[test]
    fn failures_show_until_a_start_succeeds() {
        let registry = Registry::new();
        let metrics = TriggerMetrics::register(&registry).unwrap();
        let text = || {
            TextEncoder::new()
                .encode_to_string(&registry.gather())
                .unwrap()
        };

        metrics.observe(&Event::StartFailed {
            counter: 1,
            workflow_id: "T-1".to_owned(),
            kind: FailureKind::Unreachable,
            reason: "no answer".to_owned(),
            retry_in: Duration::from_secs(4),
        });
        assert!(text().contains("sealane_trigger_backoff_seconds 4"));
        assert!(text().contains(r#"start_failures_total{kind="unreachable"} 1"#));

        metrics.observe(&Event::Started {
            counter: 1,
            workflow_type: "T".to_owned(),
            workflow_id: "T-1".to_owned(),
            run_id: None,
        });
        assert!(text().contains("sealane_trigger_backoff_seconds 0"));
        assert!(text().contains(r#"starts_total{workflow_type="T"} 1"#));
    }
}
