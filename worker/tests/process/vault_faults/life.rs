//! A worker that runs, the orders it works on, and how it is.

use std::collections::BTreeMap;

use anyhow::Context;
use sealane_tests::{
    World,
    orders::{Shop, order},
    process::Process,
};
use sealane_workflows::orders::Receipt;

use super::Pod;

/// The key that [`World`] makes.
const KEY_ID: &str = "test-key";

/// A worker with keys from a vault, for a client that has the same key from a file.
pub(super) struct Life {
    pub(super) pod: Pod,
    pub(super) worker: Process,
    shop: Shop,
    orders: usize,
}

/// What a worker's metrics say about its keys.
pub(super) struct Scrape(String);

impl Life {
    pub(super) async fn begin(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut pod = Pod::without_key().await?;
        let world = World::new().await;
        pod.share_key(world.key_file(), KEY_ID)?;
        for name in ["TEMPORAL_ADDRESS", "TEMPORAL_TASK_QUEUE"] {
            pod.set(name, &world.variables()[name]);
        }
        let shop = Shop::without_workers(world).await?;
        pod.set("ORDERS_GATEWAY_URL", shop.gateway.url());
        pod.set("SEALANE_KEY_REFRESH", "1s");
        for (name, value) in settings {
            pod.set(name, *value);
        }
        let worker = pod.start()?;
        worker.says("polling for tasks").await?;
        Ok(Self {
            pod,
            worker,
            shop,
            orders: 0,
        })
    }

    /// Takes one order to its receipt.
    pub(super) async fn work(&mut self) -> anyhow::Result<()> {
        self.orders += 1;
        let order = order(&format!("A-{}", self.orders), &["tea"]);
        let placed = self.shop.place(order).await?;
        let receipt = self.shop.result(&placed).await?;
        assert!(matches!(receipt, Receipt::Shipped { .. }), "{receipt:?}");
        Ok(())
    }

    pub(super) async fn scrape(&self) -> anyhow::Result<Scrape> {
        Ok(Scrape(self.worker.probe("/metrics").await?.body))
    }

    /// Checks that the worker is ready, whatever goes on.
    pub(super) async fn assert_ready(&self) -> anyhow::Result<()> {
        let probe = self.worker.probe("/readyz").await?;
        assert_eq!(probe.status, 200, "{probe:?}");
        Ok(())
    }

    /// Checks what only shows in the end: that nothing failed and nothing secret was said.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        let scrape = self.worker.probe("/metrics").await?.body;
        let failed = "temporal_workflow_task_execution_failed_total";
        assert!(!scrape.contains(failed), "a workflow task failed");
        self.pod.assert_secrets_kept(&[scrape]);
        self.pod.assert_secrets_kept(&self.worker.lines());
        self.shop.close().await
    }
}

impl Scrape {
    /// Returns how many refreshes have failed, by reason.
    pub(super) fn failures(&self) -> BTreeMap<String, u64> {
        let start = "sealane_key_refresh_failures_total{reason=\"";
        let lines = self.0.lines().filter_map(|line| line.strip_prefix(start));
        let counts = lines.filter_map(|rest| {
            let (reason, count) = rest.split_once("\"} ")?;
            Some((reason.to_owned(), count.parse().ok()?))
        });
        counts.collect()
    }

    /// Returns when the last refresh began that did not fail.
    pub(super) fn last_success(&self) -> anyhow::Result<f64> {
        let name = "sealane_key_refresh_last_success_timestamp_seconds ";
        let mut values = self.0.lines().filter_map(|line| line.strip_prefix(name));
        Ok(values.next().context("there was a success")?.parse()?)
    }

    /// Returns the ids of the keys in the ring.
    pub(super) fn keys(&self) -> usize {
        let lines = self.0.lines();
        lines
            .filter(|line| line.starts_with("sealane_key_active{"))
            .count()
    }
}
