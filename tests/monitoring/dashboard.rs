//! The dashboard.

use std::{collections::BTreeSet, fs};

use anyhow::Context;
use serde_json::{Value, json};

use crate::{component::file, promtool::promtool};

/// What Grafana puts in for its variables, with all namespaces and pods chosen.
const VARIABLES: [(&str, &str); 3] = [
    ("$__rate_interval", "5m"),
    ("$namespace", ".*"),
    ("$pod", ".*"),
];

fn dashboard() -> anyhow::Result<Value> {
    let text = fs::read_to_string(file("dashboards/sealane.json"))?;
    Ok(serde_json::from_str(&text)?)
}

fn list<'a>(value: &'a Value, member: &str) -> Vec<&'a Value> {
    value[member].as_array().into_iter().flatten().collect()
}

fn panels(dashboard: &Value) -> Vec<&Value> {
    let panels = list(dashboard, "panels");
    panels
        .into_iter()
        .filter(|panel| panel["type"] != "row")
        .collect()
}

/// Returns the queries of all panels, with variables replaced.
pub(crate) fn queries() -> anyhow::Result<Vec<String>> {
    let dashboard = dashboard()?;
    let targets = panels(&dashboard)
        .into_iter()
        .flat_map(|panel| list(panel, "targets"));
    targets
        .map(|target| {
            let query = target["expr"].as_str().context("a target without query")?;
            let replaced = VARIABLES
                .iter()
                .fold(query.to_owned(), |query, (name, value)| {
                    query.replace(name, value)
                });
            Ok(replaced)
        })
        .collect()
}

#[test]
fn promtool_accepts_every_query() -> anyhow::Result<()> {
    let queries = queries()?;
    assert!(queries.len() > 50, "only {} queries", queries.len());
    let left: Vec<_> = queries.iter().filter(|query| query.contains('$')).collect();
    assert!(left.is_empty(), "unknown variables: {left:?}");
    let rules: Vec<_> = queries
        .iter()
        .enumerate()
        .map(|(number, query)| json!({"record": format!("query:{number}"), "expr": query}))
        .collect();
    // JSON is YAML.
    let groups = json!({"groups": [{"name": "dashboard", "rules": rules}]});
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("dashboard.yaml");
    fs::write(&path, groups.to_string())?;

    promtool(["check".into(), "rules".into(), path])
}

#[test]
fn panels_have_a_unit_a_text_and_the_chosen_data_source() -> anyhow::Result<()> {
    let dashboard = dashboard()?;

    for panel in panels(&dashboard) {
        let title = &panel["title"];
        assert!(
            panel["fieldConfig"]["defaults"]["unit"].is_string(),
            "{title}"
        );
        assert!(panel["description"].as_str() > Some(""), "{title}");
        let sources = list(panel, "targets").into_iter().chain([panel]);
        for source in sources {
            assert_eq!(source["datasource"]["uid"], "${datasource}", "{title}");
        }
    }
    Ok(())
}

#[test]
fn panels_are_told_apart_and_do_not_overlap() -> anyhow::Result<()> {
    let dashboard = dashboard()?;
    let all = list(&dashboard, "panels");

    let ids: BTreeSet<_> = all
        .iter()
        .filter_map(|panel| panel["id"].as_u64())
        .collect();
    assert_eq!(ids.len(), all.len());
    let mut taken = BTreeSet::new();
    for panel in all {
        let at = |side: &str| panel["gridPos"][side].as_u64().unwrap_or(u64::MAX);
        assert!(at("x") + at("w") <= 24, "{}", panel["title"]);
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "{} at {x}, {y}", panel["title"]);
            }
        }
    }
    Ok(())
}

#[test]
fn the_rows_are_those_that_the_page_lists() -> anyhow::Result<()> {
    let dashboard = dashboard()?;
    let rows = list(&dashboard, "panels")
        .into_iter()
        .filter(|panel| panel["type"] == "row");
    let page = crate::component::RUNBOOK.to_lowercase().replace('\n', " ");

    for row in rows {
        let title = row["title"].as_str().unwrap_or_default().to_lowercase();
        assert!(page.contains(&title), "{title}");
    }
    Ok(())
}
