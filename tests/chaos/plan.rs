//! What goes wrong, to whom, and after how much work: decided by the seed alone.
//!
//! When that is by the clock, and what it meets there, is not decided by the seed: processes and the network take
//! the time they take.

mod fault;

use std::{collections::BTreeSet, fmt};

pub(crate) use fault::{Fault, Outage, Target, Trouble};

use crate::chance::Chance;

/// How many workers there are. The last one has its keys from a file, the others from the vault.
pub(crate) const WORKERS: usize = 3;

/// The worker with keys from a file.
pub(crate) const FILE_WORKER: usize = WORKERS - 1;

/// What the short run is made from, unless somebody wants another one. Not just any seed: see the tests below.
pub(crate) const SHORT_SEED: u64 = 19_901;

/// How many orders the short run has.
pub(crate) const SHORT_ORDERS: usize = 300;

/// From so many orders on, one worker is never ended, so that a leak has the time to show.
const SPARED_FROM: usize = 1000;

/// This one. It has its keys from the vault, and must not be the last one.
const SPARED: usize = 0;

/// Orders per round, in which everything goes wrong once.
const ORDERS_PER_ROUND: usize = 300;

/// Faults of any kind on top, so that rounds are not all alike.
const EXTRA: usize = 5;

/// Nothing goes wrong before this part of the work, in percent, and nothing new after that one.
const FROM_TO: (usize, usize) = (4, 94);

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Strike {
    /// After how many orders were placed.
    pub(crate) after: usize,
    /// What.
    pub(crate) fault: Fault,
}

/// All that goes wrong in one run, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// What it was made from.
    pub(crate) seed: u64,
    /// How many orders are placed.
    pub(crate) orders: usize,
    /// The worker that is never ended, if there is one.
    pub(crate) spared: Option<usize>,
    /// What goes wrong.
    pub(crate) strikes: Vec<Strike>,
}

impl Plan {
    /// Returns the plan of `seed` for this many orders. Each kind of fault is in it at least once.
    pub(crate) fn new(seed: u64, orders: usize) -> Self {
        let mut chance = Chance::of(seed);
        let mut faults = faults(&mut chance, orders);
        let spared = (orders >= SPARED_FROM).then_some(SPARED);
        for worker in faults.iter_mut().filter_map(Fault::ends_worker) {
            if Some(*worker) == spared {
                *worker += 1;
            }
        }
        let (from, to) = FROM_TO;
        let count = faults.len();
        let strikes = faults.into_iter().enumerate().map(|(index, fault)| Strike {
            after: orders * (from * count + (to - from) * index) / (100 * count),
            fault,
        });
        Self {
            seed,
            orders,
            spared,
            strikes: strikes.collect(),
        }
    }

    /// Returns how many different kinds of faults are in it.
    pub(crate) fn kinds(&self) -> usize {
        let kinds: BTreeSet<_> = self.strikes.iter().map(|it| it.fault.kind()).collect();
        kinds.len()
    }
}

fn faults(chance: &mut Chance, orders: usize) -> Vec<Fault> {
    let rounds = orders.div_ceil(ORDERS_PER_ROUND).max(1);
    let round = |_| {
        let mut round = Fault::one_of_each(chance);
        round.extend((0..EXTRA).map(|_| Fault::any(chance)).collect::<Vec<_>>());
        chance.shuffle(&mut round);
        round
    };
    (0..rounds).flat_map(round).collect()
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "plan of SEALANE_CHAOS_SEED={} SEALANE_CHAOS_WORKFLOWS={}",
            self.seed, self.orders
        )?;
        if let Some(worker) = self.spared {
            writeln!(f, "  worker {worker} is never ended")?;
        }
        for Strike { after, fault } in &self.strikes {
            writeln!(f, "  after {after:5} orders: {fault}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Fault, Plan, SHORT_ORDERS, SHORT_SEED, SPARED, SPARED_FROM};

    #[test]
    fn a_plan_is_a_function_of_its_seed() {
        assert_eq!(Plan::new(7, 300), Plan::new(7, 300));
        assert_ne!(Plan::new(7, 300).strikes, Plan::new(8, 300).strikes);
    }

    #[test]
    fn every_kind_of_fault_is_in_every_plan_while_there_is_work() {
        for seed in 0..50 {
            for orders in [1, 300, 2000] {
                let plan = Plan::new(seed, orders);
                assert_eq!(plan.kinds(), Fault::KINDS, "{plan}");
                assert!(plan.strikes.iter().all(|it| it.after < orders), "{plan}");
                assert!(plan.strikes.is_sorted_by_key(|it| it.after), "{plan}");
            }
        }
    }

    /// Every kind is in every plan, but not every way in which it can go.
    #[test]
    fn the_short_run_has_the_worst_of_what_comes_in_two_ways() {
        // Longer than the heartbeat timeout of shipping.
        let long = Duration::from_secs(5);
        let plan = Plan::new(SHORT_SEED, SHORT_ORDERS);
        let has = |what: fn(&Fault, Duration) -> bool| {
            let has = plan.strikes.iter().any(|it| what(&it.fault, long));
            assert!(has, "{plan}");
        };
        has(|it, _| matches!(it, Fault::SetClock { seconds, .. } if *seconds > 0));
        has(|it, _| matches!(it, Fault::SetClock { seconds, .. } if *seconds < 0));
        has(|it, _| matches!(it, Fault::RotateKey { by_command: true }));
        has(|it, _| matches!(it, Fault::RotateKey { by_command: false }));
        has(|it, long| matches!(it, Fault::HoldLine { lasting, .. } if *lasting > long));
        has(|it, long| matches!(it, Fault::LoseVault { lasting, .. } if *lasting > long));
        assert_eq!(plan.kinds(), Fault::KINDS, "{plan}");
    }

    #[test]
    fn a_long_run_never_ends_one_of_its_workers() {
        for seed in 0..50 {
            let mut plan = Plan::new(seed, SPARED_FROM);
            let mut ended = plan
                .strikes
                .iter_mut()
                .filter_map(|it| it.fault.ends_worker());
            assert!(ended.all(|worker| *worker != SPARED), "seed {seed}");
            assert_eq!(plan.spared, Some(SPARED));
            assert_eq!(Plan::new(seed, SPARED_FROM - 1).spared, None);
        }
    }
}
