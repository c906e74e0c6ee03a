//! What is counted.

use prometheus::{IntCounter, IntCounterVec, Opts};

use super::denied::Reason;
use crate::probes::Metrics;

/// Refusals by their reason.
#[derive(Clone, Debug)]
pub(super) struct Counters(IntCounterVec);

impl Counters {
    /// Every reason is there from the start, so that an increase from nothing is seen as one.
    pub(super) fn register(metrics: &Metrics) -> Self {
        let options = Opts::new(
            "sealane_auth_failures_total",
            "Requests that were refused, by reason",
        );
        let failures = IntCounterVec::new(options, &["reason"]).expect("name and label are valid");
        for reason in Reason::ALL {
            failures.with_label_values(&[reason.label()]);
        }
        register(metrics, failures.clone());
        Self(failures)
    }

    pub(super) fn count(&self, reason: Reason) {
        self.0.with_label_values(&[reason.label()]).inc();
    }
}

/// Returns the counter of attempts to get the keys of the issuer that failed.
pub(super) fn key_failures(metrics: &Metrics) -> IntCounter {
    let name = "sealane_auth_jwks_failures_total";
    let help = "Attempts to get the keys of the issuer that failed";
    let failures = IntCounter::new(name, help).expect("the name is valid");
    register(metrics, failures.clone());
    failures
}

/// Returns the age of the issuer's keys as a scrape shows it; nothing while there are none.
pub(super) fn key_age(seconds: Option<f64>) -> String {
    let Some(seconds) = seconds else {
        return String::new();
    };
    let name = "sealane_auth_jwks_age_seconds";
    let help = "Time since the keys of the issuer were last loaded";
    format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {seconds}\n")
}

fn register(metrics: &Metrics, metric: impl prometheus::core::Collector + 'static) {
    let registered = metrics.registry().register(Box::new(metric));
    registered.expect("there is one authenticator in a process");
}
