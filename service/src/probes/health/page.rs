//! Health in the Prometheus text format, for alerts that should name what is wrong.

use prometheus::{IntGaugeVec, Opts, Registry, TextEncoder};

use super::{Health, Verdict};

/// Name and help of a metric.
type Metric = (&'static str, &'static str);

const READY: Metric = ("sealane_ready", "Whether /readyz answers 200");
const CONDITION: Metric = (
    "sealane_ready_condition",
    "Whether a condition of readiness is met, by condition",
);
const LIVE: Metric = (
    "sealane_live_check",
    "Whether a check of liveness passes, by check",
);

impl Health {
    /// Returns what the probes would answer now as metrics: 1 for good, 0 for bad. Reasons are left
    /// to `/readyz`: as labels they would be a new series each.
    pub(in crate::probes) fn metrics(&self) -> String {
        let page = Registry::new();
        let ready = self.ready();
        gauge(&page, READY, &[], [(Vec::new(), ready.ok)]);
        gauge(&page, CONDITION, &["condition"], by_name(&ready));
        gauge(&page, LIVE, &["check"], by_name(&self.live()));
        let encoded = TextEncoder::new().encode_to_string(&page.gather());
        encoded.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "health cannot be encoded and is left out of this scrape");
            String::new()
        })
    }
}

fn by_name(verdict: &Verdict) -> impl Iterator<Item = (Vec<&str>, bool)> {
    let checks = verdict.checks.iter();
    checks.map(|(name, outcome)| (vec![name.as_str()], outcome.ok))
}

fn gauge<'a>(
    page: &Registry,
    (name, help): Metric,
    labels: &[&str],
    samples: impl IntoIterator<Item = (Vec<&'a str>, bool)>,
) {
    let gauge = IntGaugeVec::new(Opts::new(name, help), labels);
    let gauge = gauge.expect("names and labels of this file are valid");
    for (values, good) in samples {
        gauge.with_label_values(&values).set(good.into());
    }
    let registered = page.register(Box::new(gauge));
    registered.expect("each metric of this file has a name of its own");
}

#[cfg(test)]
mod tests {
    use super::Health;

    fn shows(health: &Health, line: &str) -> bool {
        health.metrics().lines().any(|found| found == line)
    }

    #[test]
    fn readiness_and_each_of_its_conditions_are_shown() {
        let health = Health::new();
        health.require("pollers");
        health.set("key_ring", Ok(()));
        health.readiness().ready();

        assert!(shows(&health, "sealane_ready 0"));
        assert!(shows(
            &health,
            r#"sealane_ready_condition{condition="pollers"} 0"#
        ));
        assert!(shows(
            &health,
            r#"sealane_ready_condition{condition="key_ring"} 1"#
        ));

        health.set("pollers", Ok(()));
        assert!(shows(&health, "sealane_ready 1"));

        health.readiness().drain();
        assert!(shows(&health, "sealane_ready 0"));
    }

    #[test]
    fn a_failed_liveness_check_shows_without_its_reason() {
        let health = Health::new();
        health.add_liveness("workflow_thread", || Err("blocked for 12 s".to_owned()));

        assert!(shows(
            &health,
            r#"sealane_live_check{check="workflow_thread"} 0"#
        ));
        assert!(!health.metrics().contains("blocked"));
    }
}
