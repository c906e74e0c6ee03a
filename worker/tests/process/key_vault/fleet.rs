//! Everybody who shares the keys of a scene, and the trade between them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{bail, ensure};
use sealane_client::handles::{OrderHandle, UpdateError};
use sealane_tests::{
    VaultClient,
    orders::{address, order, patiently},
};
use sealane_workflows::orders::Receipt;
use temporalio_client::errors::WorkflowInteractionError;

use super::scene::{Scene, Watched, until};

/// Two workers, a `sealane trigger` that starts greetings, and a client that places orders. Each of them
/// looks at the vault in its own time.
pub(super) struct Fleet {
    pub(super) workers: [Watched; 2],
    pub(super) trigger: Watched,
    pub(super) client: VaultClient,
}

/// How far the trade is.
#[derive(Default)]
pub(super) struct Trade {
    orders: AtomicUsize,
    over: AtomicBool,
}

impl Fleet {
    /// Starts everybody, one after the other.
    pub(super) async fn start(scene: &Scene) -> anyhow::Result<Self> {
        let workers = [scene.start_worker().await?, scene.start_worker().await?];
        let input = r#""no. {{counter}}""#;
        let trigger = scene.start_sealane(&[
            "trigger",
            "GreetingWorkflow",
            "--every=400ms",
            "--wait",
            "--input-template",
            input,
        ])?;
        Ok(Self {
            workers,
            trigger: Watched::of(trigger, "answering probes").await?,
            client: scene.vault.client().await?,
        })
    }

    fn processes(&self) -> [&Watched; 3] {
        [&self.workers[0], &self.workers[1], &self.trigger]
    }

    /// Waits until everybody can decrypt with the key `id`.
    pub(super) async fn holds(&self, id: &str) -> anyhow::Result<()> {
        let held = format!(r#"sealane_key_active{{key_id="{id}"}}"#);
        for process in self.processes() {
            process.reaches(&held, |_| true).await?;
        }
        until("the client to have the key", async || {
            Ok(self.client.holds(id))
        })
        .await
    }

    /// Waits until everybody encrypts under the key `id`, and the processes have done so.
    pub(super) async fn seals_under(&self, id: &str) -> anyhow::Result<()> {
        let seals = format!(r#"sealane_key_seals_total{{key_id="{id}"}}"#);
        for process in self.processes() {
            process.reaches(&seals, |seals| seals > 0.0).await?;
        }
        let active = async || Ok(self.client.active().as_deref() == Some(id));
        until("the client to use the key", active).await
    }

    /// Waits until nobody has the key `id` any more.
    pub(super) async fn forgets(&self, id: &str) -> anyhow::Result<()> {
        let held = format!(r#"sealane_key_active{{key_id="{id}"}}"#);
        for process in self.processes() {
            let gone = async || Ok(process.metric(&held).await?.is_none());
            until("a process to forget the key", gone).await?;
        }
        until("the client to forget the key", async || {
            Ok(!self.client.holds(id))
        })
        .await
    }

    /// Returns how many payloads each process could not read because it had no key.
    pub(super) async fn unknown_keys(&self) -> anyhow::Result<Vec<Option<f64>>> {
        let mut unknown = Vec::new();
        for process in self.processes() {
            unknown.push(process.metric("sealane_key_unknown_total").await?);
        }
        Ok(unknown)
    }
}

impl Trade {
    /// Places one order after the other until it is over: some are asked for, some readdressed, some
    /// cancelled, and each has to come to its right end.
    pub(super) async fn go_on(&self, scene: &Scene, client: &VaultClient) -> anyhow::Result<()> {
        while !self.over.load(Ordering::Relaxed) {
            let number = self.orders.fetch_add(1, Ordering::Relaxed);
            one_order(scene, client, number).await?;
        }
        Ok(())
    }

    /// Returns how many orders were placed.
    pub(super) fn placed(&self) -> usize {
        self.orders.load(Ordering::Relaxed)
    }

    /// Waits until some more orders were placed.
    pub(super) async fn some_more(&self) -> anyhow::Result<()> {
        let now = self.placed();
        let more = async || Ok(self.placed() > now + 3);
        until("more orders", more).await
    }

    /// Places no more orders.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

async fn one_order(scene: &Scene, client: &VaultClient, number: usize) -> anyhow::Result<()> {
    let id = format!("order-{number}");
    let options = scene.options(&id);
    let handle = OrderHandle::start(&client.client, order(&id, &["tea"]), options).await?;
    patiently("the status", handle.status()).await?;
    match number % 3 {
        0 => match handle.cancel("ordered twice".to_owned()).await {
            // It may have ended meanwhile.
            Ok(()) | Err(WorkflowInteractionError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        },
        1 => match patiently(
            "the update",
            handle.change_address(address("Lindenstraße 5")),
        )
        .await
        {
            Ok(stands) => ensure!(stands == address("Lindenstraße 5"), "{stands:?}"),
            // It may be shipped already, or have ended.
            Err(UpdateError::Refused { .. }) => {}
            Err(error) => return Err(error.into()),
        },
        _ => {}
    }
    match patiently("the order", handle.result()).await? {
        Receipt::Shipped { .. } => Ok(()),
        Receipt::Cancelled { .. } if number.is_multiple_of(3) => Ok(()),
        other => bail!("order {number} ended with {other:?}"),
    }
}
