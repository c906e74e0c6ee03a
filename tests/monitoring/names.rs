//! Names of metrics in queries and pages.

use std::collections::BTreeSet;

use crate::component::{METRICS, recorded};

/// Where the names of metrics begin.
const PREFIXES: [&str; 3] = ["process_", "sealane_", "temporal_"];
/// What Prometheus adds to the name of a histogram.
const SUFFIXES: [&str; 3] = ["_bucket", "_count", "_sum"];

/// Returns the metrics that `query` asks for, histograms by their own name.
pub(crate) fn in_query(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_' || it == ':'));
    words
        .filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
        .map(base)
}

/// Returns what `query` asks for that only a rule records.
pub(crate) fn recorded_in(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|it: char| !(it.is_ascii_alphanumeric() || it == '_' || it == ':'));
    words.filter(|word| word.starts_with("sealane:"))
}

fn base(name: &str) -> &str {
    let mut stripped = SUFFIXES
        .iter()
        .filter_map(|suffix| name.strip_suffix(suffix));
    stripped.next().unwrap_or(name)
}

/// Returns the metrics that the tables of docs/metrics.md list below the headings that `wanted` accepts.
pub(crate) fn documented(wanted: impl Fn(&str) -> bool) -> BTreeSet<&'static str> {
    let sections = METRICS.split("\n## ").skip(1);
    let sections = sections.filter(|section| section.lines().next().is_some_and(&wanted));
    let rows = sections.flat_map(str::lines);
    rows.filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect()
}

/// Returns all names that queries of rules and dashboard use.
pub(crate) fn asked() -> anyhow::Result<BTreeSet<String>> {
    let dashboard = crate::dashboard::queries()?;
    let dashboard = dashboard.iter().map(String::as_str);
    let queries = dashboard.chain(crate::component::queries());
    Ok(queries.flat_map(in_query).map(str::to_owned).collect())
}

#[test]
fn a_histogram_is_asked_for_by_its_parts() {
    let query = r#"rate(temporal_request_latency_seconds_bucket{a="b"}[5m]) / sealane:x:ratio5m"#;

    let names: Vec<_> = in_query(query).collect();

    assert_eq!(names, ["temporal_request_latency_seconds"]);
    assert!(recorded_in(query).eq(["sealane:x:ratio5m"]));
}

#[test]
fn everything_that_is_asked_for_is_documented() -> anyhow::Result<()> {
    let documented = documented(|_| true);

    for name in asked()? {
        assert!(
            documented.contains(name.as_str()),
            "not in docs/metrics.md: {name}"
        );
    }
    Ok(())
}

#[test]
fn what_is_recorded_is_known_wherever_it_is_used() -> anyhow::Result<()> {
    let dashboard = crate::dashboard::queries()?;
    let dashboard = dashboard.iter().map(String::as_str);
    let used = dashboard
        .chain(crate::component::queries())
        .chain([METRICS]);
    let recorded = recorded();

    assert!(recorded.len() > 5, "{recorded:?}");
    for name in used.flat_map(recorded_in) {
        assert!(recorded.contains(&name), "nothing records {name}");
    }
    for name in recorded {
        let row = format!("| `{name}` |");
        assert!(
            crate::component::RUNBOOK.contains(&row),
            "not in docs/observability.md: {name}"
        );
    }
    Ok(())
}
