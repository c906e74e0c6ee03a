//! Orders: placed at a steady rate, talked to, and waited for, whatever happens meanwhile.

mod customer;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

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

/// How far the orders are placed.
#[derive(Clone, Copy, Default)]
struct Progress {
    placed: usize,
    /// Whether no more will be.
    over: bool,
}

/// All orders of a run.
pub(crate) struct Trade {
    seed: u64,
    orders: usize,
    every: Duration,
    progress: watch::Sender<Progress>,
    deals: Mutex<BTreeMap<usize, Deal>>,
}

impl Trade {
    /// Prepares this many orders, one `every` so often.
    pub(crate) fn new(seed: u64, orders: usize, every: Duration) -> Self {
        Self {
            seed,
            orders,
            every,
            progress: watch::Sender::default(),
            deals: Mutex::default(),
        }
    }

    /// Returns how long it takes to place all orders, if nothing holds them up.
    pub(crate) fn planned(&self) -> Duration {
        self.every.mul_f64(self.orders as f64)
    }

    /// Waits until more than so many orders were placed. False if it never comes to that.
    pub(crate) async fn placed_more_than(&self, orders: usize) -> bool {
        let mut progress = self.progress.subscribe();
        let enough = progress.wait_for(|now| now.over || now.placed > orders);
        enough.await.is_ok_and(|now| now.placed > orders)
    }

    /// Places all orders, and waits for their ends, but not longer than `patience` after the last one was placed. Returns
    /// which customers stumbled over something that is no fault of ours, which is a mistake in here.
    pub(crate) async fn go_on(
        self: &Arc<Self>,
        stage: &Arc<Stage>,
        patience: Duration,
    ) -> Vec<String> {
        let mut customers = self.place_all(stage, patience).await;
        let mut gone = Vec::new();
        let all = async {
            while let Some(ended) = customers.join_next().await {
                gone.extend(
                    ended
                        .err()
                        .map(|error| format!("a customer is gone: {error}")),
                );
            }
        };
        // What has not ended is found by comparing.
        timeout(patience, all).await.ok();
        gone
    }

    /// Places orders until all are, or so many stand still that there was no room for another one for `patience`.
    async fn place_all(self: &Arc<Self>, stage: &Arc<Stage>, patience: Duration) -> JoinSet<()> {
        let mut customers = JoinSet::new();
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0..self.orders {
            ticks.tick().await;
            let Ok(permit) = timeout(patience, Arc::clone(&room).acquire_owned()).await else {
                break;
            };
            let (trade, stage) = (Arc::clone(self), Arc::clone(stage));
            // Handles of workflows stay on their thread.
            customers.spawn_local(async move {
                let _room = permit;
                let wanted = Wanted::new(trade.seed, number);
                let deal = Customer::new(&stage, wanted).order().await;
                trade.deals().insert(number, deal);
            });
            self.progress.send_modify(|now| now.placed += 1);
        }
        self.progress.send_modify(|now| now.over = true);
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
