//! Names that nothing exposes would make panels empty and alerts silent.

use std::collections::BTreeSet;

use crate::{
    fleet::Fleet,
    names::{asked, documented},
};

/// The metrics below this heading of docs/metrics.md come with events that a healthy fleet need not have.
const RARE: &str = "Once it happens";

#[tokio::test]
async fn everything_that_is_named_can_be_scraped() -> anyhow::Result<()> {
    let documented = documented(|heading| heading != RARE);
    assert!(
        documented.len() > 60,
        "the tables were not found: {documented:?}"
    );
    let mut named: BTreeSet<String> = documented.into_iter().map(str::to_owned).collect();
    named.extend(asked()?);
    let mut fleet = Fleet::start().await?;

    fleet.work().await?;
    fleet.fail().await?;
    let missing = fleet.expose(&named).await?;

    assert!(
        missing.is_empty(),
        "named, and exposed by nothing: {missing:?}"
    );
    Ok(())
}
