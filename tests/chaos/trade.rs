//! Orders: placed at a steady rate, talked to, and waited for, whatever happens meanwhile.

mod customer;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::bail;
use sealane_workflows::orders::Receipt;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{stage::Stage, wish::Wanted};
use customer::Customer;

/// Orders that are on their way at once, at most: what a client of this size would have.
const AT_ONCE: usize = 400;

/// How an order ended, as its customer was told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// With a receipt.
    With(Box<Receipt>),
    /// With a failure of this type.
    Failed(String),
    /// Cancelled by Temporal, as was asked.
    Withdrawn,
    /// In a way that no order may end.
    Odd(String),
}

/// One order from its start to its end.
#[derive(Clone, Debug)]
pub(crate) struct Deal {
    /// What was ordered, and wanted.
    pub(crate) wanted: Wanted,
    /// Whether an update was confirmed.
    pub(crate) readdressed: bool,
    /// How it ended.
    pub(crate) end: End,
}

/// All orders of a run.
pub(crate) struct Trade {
    seed: u64,
    orders: usize,
    every: Duration,
    placed: watch::Sender<usize>,
    deals: Mutex<BTreeMap<usize, Deal>>,
}

impl Trade {
    /// Prepares this many orders, one `every` so often.
    pub(crate) fn new(seed: u64, orders: usize, every: Duration) -> Self {
        Self {
            seed,
            orders,
            every,
            placed: watch::Sender::new(0),
            deals: Mutex::default(),
        }
    }

    /// Returns how many orders were placed, as it changes.
    pub(crate) fn placed(&self) -> watch::Receiver<usize> {
        self.placed.subscribe()
    }

    /// Places all orders, and waits for their ends, but not longer than `patience` after the last one was placed.
    ///
    /// # Errors
    ///
    /// If a customer stumbles over something that is no fault of ours, which is a mistake in here.
    pub(crate) async fn go_on(
        self: &Arc<Self>,
        stage: &Arc<Stage>,
        patience: Duration,
    ) -> anyhow::Result<()> {
        let mut customers = self.place_all(stage).await;
        let all = async {
            while let Some(ended) = customers.join_next().await {
                if let Err(error) = ended {
                    bail!("a customer is gone: {error}");
                }
            }
            Ok(())
        };
        // What has not ended is found by comparing.
        timeout(patience, all).await.unwrap_or(Ok(()))
    }

    async fn place_all(self: &Arc<Self>, stage: &Arc<Stage>) -> JoinSet<()> {
        let mut customers = JoinSet::new();
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0..self.orders {
            ticks.tick().await;
            let permit = Arc::clone(&room).acquire_owned().await;
            let (trade, stage) = (Arc::clone(self), Arc::clone(stage));
            // Handles of workflows stay on their thread.
            customers.spawn_local(async move {
                let _room = permit;
                let wanted = Wanted::new(trade.seed, number);
                let deal = Customer::new(&stage, wanted).order().await;
                trade.deals().insert(number, deal);
            });
            self.placed.send_modify(|placed| *placed += 1);
        }
        customers
    }

    /// Returns the orders that have ended, by number.
    pub(crate) fn ended(&self) -> BTreeMap<usize, Deal> {
        self.deals().clone()
    }

    fn deals(&self) -> std::sync::MutexGuard<'_, BTreeMap<usize, Deal>> {
        self.deals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
