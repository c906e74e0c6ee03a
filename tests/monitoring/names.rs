//! Names of metrics in queries and pages.

use std::{collections::BTreeSet, fs};

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

/// Returns the metrics that `query` selects by labels, each with those labels.
pub(crate) fn selected(query: &str) -> impl Iterator<Item = (&str, Vec<&str>)> {
    let opened = query.match_indices('{').map(|(at, _)| at);
    opened.filter_map(move |at| {
        let (before, selectors) = (&query[..at], &query[at + 1..]);
        let start =
            before.rfind(|it: char| !(it.is_ascii_alphanumeric() || it == '_' || it == ':'));
        let name = &before[start.map_or(0, |at| at + 1)..];
        let labels = labels(selectors.split_once('}')?.0);
        in_query(name).next().map(|name| (name, labels))
    })
}

/// Returns the labels by which `query` groups.
pub(crate) fn grouped(query: &str) -> impl Iterator<Item = &str> {
    let groups = query.split("by (").skip(1);
    let groups = groups.filter_map(|rest| Some(rest.split_once(')')?.0));
    groups.flat_map(|labels| labels.split(", "))
}

/// Returns the metrics of a scrape in the text format, with the labels of each sample.
pub(crate) fn in_scrape(scrape: &str) -> impl Iterator<Item = (String, Vec<String>)> {
    let samples = scrape.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| {
        let end = line.find(['{', ' '])?;
        let text = line[end..].strip_prefix('{').map_or("", |rest| {
            rest.rsplit_once('}').map_or("", |(labels, _)| labels)
        });
        let labels = labels(text).into_iter().map(str::to_owned).collect();
        Some((base(&line[..end]).to_owned(), labels))
    })
}

/// The names before `=`, `!=`, `=~` and `!~`, as far as they stand outside of quotes.
fn labels(text: &str) -> Vec<&str> {
    let outside = text.split('"').step_by(2);
    let names = outside.map(|name| name.trim_matches([',', ' ', '=', '!', '~']));
    names.filter(|name| !name.is_empty()).collect()
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

/// Returns all queries of rules and dashboard, those of rules by line.
pub(crate) fn queries() -> anyhow::Result<Vec<String>> {
    let mut queries = crate::dashboard::queries()?;
    queries.extend(crate::component::queries().into_iter().map(str::to_owned));
    Ok(queries)
}

/// Returns all names that queries of rules and dashboard use.
pub(crate) fn asked() -> anyhow::Result<BTreeSet<String>> {
    let queries = queries()?;
    let names = queries.iter().flat_map(|query| in_query(query));
    Ok(names.map(str::to_owned).collect())
}

#[test]
fn labels_are_told_from_their_values() {
    let query = r#"sum by (job, le) (rate(sealane_x_bucket{a="b, c=", d!~"e|f"}[5m])) / up{g="h"}"#;
    let scrape = "# TYPE sealane_x histogram\nsealane_x_bucket{a=\"b}\",le=\"1\"} 2\nsealane_y 3\n";

    let selected: Vec<_> = selected(query).collect();
    let scraped: Vec<_> = in_scrape(scrape).collect();

    assert_eq!(selected, [("sealane_x", vec!["a", "d"])]);
    assert!(grouped(query).eq(["job", "le"]));
    let both = vec!["a".to_owned(), "le".to_owned()];
    let expected = [
        ("sealane_x".to_owned(), both),
        ("sealane_y".to_owned(), vec![]),
    ];
    assert_eq!(scraped, expected);
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

#[test]
fn pages_name_only_documented_metrics() -> anyhow::Result<()> {
    let documented = documented(|_| true);
    // Crates and modules begin like metrics, and do not end like them.
    let endings = ["_info", "_ratio", "_seconds", "_total"];
    let mut found = 0;

    for page in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs"))? {
        let page = page?.path();
        if page.extension().is_none_or(|it| it != "md") {
            continue;
        }
        let text = fs::read_to_string(&page)?;
        let names = in_query(&text).filter(|name| endings.iter().any(|end| name.ends_with(end)));
        for name in names {
            found += 1;
            assert!(documented.contains(name), "{}: {name}", page.display());
        }
    }

    assert!(found > 80, "only {found} names were found");
    Ok(())
}
