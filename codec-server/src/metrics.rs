//! How many payloads went through, and which keys could not be used.

use prometheus::{IntCounterVec, Opts, Registry};

use crate::{target::Operation, transcode::Cause};

/// Stands for every key id that the ring does not hold: anybody can make those up.
pub(crate) const OTHER: &str = "other";

/// What became of a payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// Encrypted or decrypted.
    Done,
    /// Was not encrypted, and went back as it came.
    Plain,
    /// Refers to a payload that is stored elsewhere, and went back as it came.
    Reference,
    /// Could not be encrypted or decrypted.
    Failed,
}

impl Outcome {
    pub(crate) const ALL: [Self; 4] = [Self::Done, Self::Plain, Self::Reference, Self::Failed];

    fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Plain => "plain",
            Self::Reference => "reference",
            Self::Failed => "failed",
        }
    }
}

/// The counters. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Counters {
    payloads: IntCounterVec,
    failures: IntCounterVec,
}

impl Counters {
    /// Registers the counters.
    ///
    /// # Errors
    ///
    /// If `registry` holds metrics of these names already.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let payloads = Opts::new(
            "sealane_codec_server_payloads_total",
            "Payloads of answered requests, by what became of them",
        );
        let failures = Opts::new(
            "sealane_codec_server_decode_failures_total",
            "Payloads that could not be decrypted, by the key they name",
        );
        let counters = Self {
            payloads: IntCounterVec::new(payloads, &["operation", "outcome"])?,
            failures: IntCounterVec::new(failures, &["key_id", "reason"])?,
        };
        registry.register(Box::new(counters.payloads.clone()))?;
        registry.register(Box::new(counters.failures.clone()))?;
        counters.begin();
        Ok(counters)
    }

    /// Rates need a first value to compare with.
    fn begin(&self) {
        for operation in Operation::ALL {
            for outcome in Outcome::ALL {
                self.add(operation, outcome, 0);
            }
        }
        for cause in Cause::ALL {
            let labels = [OTHER, cause.label()];
            self.failures.with_label_values(&labels).inc_by(0);
        }
    }

    /// Counts `payloads` with the same outcome.
    pub(crate) fn add(&self, operation: Operation, outcome: Outcome, payloads: u64) {
        let labels = [operation.label(), outcome.label()];
        self.payloads.with_label_values(&labels).inc_by(payloads);
    }

    /// Counts a payload that was not decrypted. `key_id` is one of the ring's, or [`OTHER`].
    pub(crate) fn failed(&self, key_id: &str, reason: &str) {
        self.failures.with_label_values(&[key_id, reason]).inc();
    }
}
