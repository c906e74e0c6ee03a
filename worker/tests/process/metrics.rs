use std::collections::BTreeSet;

use anyhow::Context;
use sealane_tests::orders::order;

use crate::support::Yard;

const DOCUMENT: &str = include_str!("../../../docs/metrics.md");

/// How long packing takes in these tests, in milliseconds.
const PACKING_MS: u32 = 300;

/// Takes one order to its receipt and one to its failure, and returns what a scrape shows then.
async fn scrape_after_work() -> anyhow::Result<String> {
    let yard = Yard::open(&[]).await?;
    let worker = yard.start_worker().await?;
    yard.shop
        .gateway
        .turn(|knobs| knobs.parcel_delay_ms = PACKING_MS.into());
    let shipped = yard.shop.place(order("A-1", &["tea"])).await?;
    yard.shop.result(&shipped).await?;
    yard.shop
        .gateway
        .turn(|knobs| knobs.decline = Some("insufficient_funds".to_owned()));
    let declined = yard.shop.place(order("A-2", &["tea"])).await?;
    yard.shop.failure(&declined).await?;
    let scrape = worker.probe("/metrics").await?;
    assert_eq!(scrape.status, 200);
    Ok(scrape.body)
}

/// The names in the first column of the tables below `headings`.
fn documented(headings: &[&str]) -> BTreeSet<String> {
    DOCUMENT
        .split("\n## ")
        .filter(|section| headings.iter().any(|heading| section.starts_with(heading)))
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect()
}

fn exposed(scrape: &str) -> BTreeSet<String> {
    scrape
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn the_document_names_what_a_worker_exposes() -> anyhow::Result<()> {
    let exposed = exposed(&scrape_after_work().await?);

    let always = [
        "Process",
        "Health",
        "Worker",
        "Payload sizes",
        "Keys\n",
        "Traces",
        "In the course of work",
    ];
    let known = documented(&[&always[..], &["Once it happens"]].concat());
    let always = documented(&always);

    assert!(always.len() > 20, "the tables were not found: {always:?}");
    let gone: Vec<_> = always.difference(&exposed).collect();
    let unknown: Vec<_> = exposed.difference(&known).collect();
    assert!(gone.is_empty(), "documented, not exposed: {gone:?}");
    assert!(unknown.is_empty(), "exposed, not documented: {unknown:?}");
    Ok(())
}

#[tokio::test]
async fn latencies_are_in_seconds() -> anyhow::Result<()> {
    let scrape = scrape_after_work().await?;

    let shipping = scrape
        .lines()
        .filter(|line| line.starts_with("temporal_activity_execution_latency_seconds_sum"))
        .find(|line| line.contains(r#"activity_type="ship""#))
        .context("shipping is measured")?;
    let sum: f64 = shipping.rsplit(' ').next().unwrap_or_default().parse()?;
    let least = f64::from(PACKING_MS) / 1000.0;

    assert!((least..least * 100.0).contains(&sum), "{shipping}");
    Ok(())
}

#[tokio::test]
async fn the_bound_that_alerts_ask_for_is_a_bucket() -> anyhow::Result<()> {
    let scrape = scrape_after_work().await?;

    for kind in ["workflow_task", "activity"] {
        let bucket = format!("temporal_{kind}_schedule_to_start_latency_seconds_bucket");
        let bound = |line: &&str| line.starts_with(&bucket) && line.contains(r#"le="0.2""#);
        assert!(scrape.lines().any(|line| bound(&line)), "{kind}");
    }
    Ok(())
}

#[tokio::test]
async fn aliases_of_the_probes_answer_alike() -> anyhow::Result<()> {
    let yard = Yard::open(&[]).await?;
    let worker = yard.start_worker().await?;

    for (path, alias) in [("/livez", "/health"), ("/readyz", "/ready")] {
        let (probe, other) = (worker.probe(path).await?, worker.probe(alias).await?);
        assert_eq!((probe.status, probe.body), (200, other.body));
    }
    Ok(())
}

#[tokio::test]
async fn a_versioned_worker_says_in_its_labels_which_version_it_is() -> anyhow::Result<()> {
    let yard = Yard::open(&[
        ("TEMPORAL_DEPLOYMENT_NAME", "shop/eu"),
        ("TEMPORAL_WORKER_BUILD_ID", "build-7"),
    ])
    .await?;
    let worker = yard.start_worker().await?;

    let scrape = worker.probe("/metrics").await?.body;

    let started = scrape
        .lines()
        .find(|line| line.starts_with("temporal_worker_start_total{"))
        .context("the worker is counted")?;
    for label in [
        r#"temporal_worker_deployment_name="shop_eu""#,
        r#"temporal_worker_build_id="build-7""#,
        r#"temporal_namespace="default""#,
    ] {
        assert!(started.contains(label), "no {label} in {started}");
    }
    Ok(())
}

#[tokio::test]
async fn a_drain_can_be_watched() -> anyhow::Result<()> {
    let yard = Yard::open(&[("SEALANE_DRAIN_TIMEOUT", "60s")]).await?;
    let worker = yard.start_worker().await?;
    let placed = yard.shop.hold_at_parcel(order("A-1", &["tea"]), 0).await?;
    let before = worker.probe("/metrics").await?.body;

    worker.signal("TERM").await?;
    worker.says("\"draining\"").await?;
    let during = worker.probe("/metrics").await?.body;
    yard.shop.resume();
    worker.ends().await?;

    for line in [
        "sealane_ready 1",
        "sealane_worker_draining 0",
        "sealane_worker_drain_seconds 0",
        "sealane_worker_drain_timeout_seconds 60",
    ] {
        assert!(before.lines().any(|found| found == line), "no {line}");
    }
    let elapsed = "sealane_worker_drain_seconds ";
    let elapsed = during.lines().find_map(|line| line.strip_prefix(elapsed));
    let elapsed: f64 = elapsed.context("the drain is shown")?.parse()?;
    assert!(elapsed > 0.0, "{elapsed}");
    for line in ["sealane_ready 0", "sealane_worker_draining 1"] {
        assert!(during.lines().any(|found| found == line), "no {line}");
    }
    drop(placed);
    Ok(())
}
