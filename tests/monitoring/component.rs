//! The files of k8s/components/monitoring, and the pages about them.

use std::path::{Path, PathBuf};

/// Recording rules and alerts.
pub(crate) const RULES: &str = include_str!("../../k8s/components/monitoring/rules.yaml");
/// The same for the operator.
pub(crate) const OPERATOR: &str =
    include_str!("../../k8s/components/monitoring/prometheus-rule.yaml");
/// What is scraped, and how much of it.
pub(crate) const POD_MONITOR: &str =
    include_str!("../../k8s/components/monitoring/pod-monitor.yaml");
/// When each alert fires, and when it does not.
pub(crate) const CASES: [&str; 2] = [
    include_str!("../../k8s/components/monitoring/tests/rules_test.yaml"),
    include_str!("../../k8s/components/monitoring/tests/months_test.yaml"),
];
/// What to do when an alert fires.
pub(crate) const RUNBOOK: &str = include_str!("../../docs/observability.md");
/// What each metric means.
pub(crate) const METRICS: &str = include_str!("../../docs/metrics.md");

/// Returns the path of a file of the component.
pub(crate) fn file(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.join("../k8s/components/monitoring").join(name)
}

/// An alert, as far as it is text for people.
#[derive(Debug)]
pub(crate) struct Alert {
    pub(crate) name: &'static str,
    block: &'static str,
}

impl Alert {
    /// Returns the value of the field `name`; fields are one line each.
    pub(crate) fn field(&self, name: &str) -> Option<&'static str> {
        let lines = self.block.lines().map(str::trim);
        let mut values = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        values.next().map(|value| value.trim_matches('"'))
    }
}

/// Returns all alerts.
pub(crate) fn alerts() -> Vec<Alert> {
    let blocks = RULES.split("      - alert: ").skip(1);
    let named = blocks.filter_map(|block| {
        let (name, block) = block.split_once('\n')?;
        Some(Alert { name, block })
    });
    named.collect()
}

/// Returns the names of what the recording rules record.
pub(crate) fn recorded() -> Vec<&'static str> {
    let lines = RULES.lines().map(str::trim);
    lines
        .filter_map(|line| line.strip_prefix("- record: "))
        .collect()
}

/// Returns the lines of the rules that are `PromQL`, or at least hold it.
pub(crate) fn queries() -> Vec<&'static str> {
    const PROSE: [&str; 6] = [
        "#",
        "- alert:",
        "summary:",
        "description:",
        "runbook_url:",
        "- name:",
    ];
    let lines = RULES.lines().map(str::trim);
    lines
        .filter(|line| !PROSE.iter().any(|prose| line.starts_with(prose)))
        .collect()
}
