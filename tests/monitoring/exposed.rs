//! Names that nothing exposes would make panels empty and alerts silent.

use std::collections::BTreeSet;

use crate::{
    fleet::{Fleet, Samples},
    names::{asked, documented, grouped, queries, selected},
};

/// The metrics below these headings of docs/metrics.md come with events that a fleet need not have, or with a blob
/// container, whose worker has tests of its own.
const RARE: [&str; 2] = ["Large payloads", "Once it happens"];

/// Labels that Prometheus gives to what it scrapes.
const TARGET: [&str; 4] = ["instance", "job", "namespace", "pod"];

#[tokio::test]
async fn everything_that_is_named_can_be_scraped() -> anyhow::Result<()> {
    let always = documented(|heading| !RARE.contains(&heading));
    assert!(always.len() > 60, "the tables were not found: {always:?}");
    let mut named: BTreeSet<String> = always.into_iter().map(str::to_owned).collect();
    named.extend(asked()?);
    let mut fleet = Fleet::start().await?;

    fleet.work().await?;
    fleet.fail().await?;
    let missing = fleet.expose(&named).await?;

    assert!(
        missing.is_empty(),
        "named, and exposed by nothing: {missing:?}"
    );
    let documented = documented(|_| true);
    let unknown: Vec<_> = fleet.seen().keys().collect();
    let unknown: Vec<_> = unknown
        .into_iter()
        .filter(|name| !documented.contains(name.as_str()))
        .collect();
    assert!(unknown.is_empty(), "exposed, not documented: {unknown:?}");
    assert_labels(&queries()?, fleet.seen());
    Ok(())
}

/// Checks that queries select and group by labels that there are.
fn assert_labels(queries: &[String], seen: &Samples) {
    let any: BTreeSet<&str> = seen.values().flatten().map(String::as_str).collect();
    for query in queries {
        for (name, labels) in selected(query) {
            let known = |label: &&str| TARGET.contains(label) || seen[name].contains(*label);
            let unknown: Vec<_> = labels.iter().filter(|label| !known(label)).collect();
            assert!(unknown.is_empty(), "{name} has no {unknown:?}: {query}");
        }
        for label in grouped(query) {
            let known = TARGET.contains(&label) || any.contains(label);
            assert!(known, "nothing has the label {label}: {query}");
        }
    }
}
