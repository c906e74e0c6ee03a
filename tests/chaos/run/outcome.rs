//! What came of a run, for people.

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::{keeper::Ending, plan::Plan};

/// Figures, and everything that is wrong.
pub(super) struct Outcome {
    seed: u64,
    orders: usize,
    faults: BTreeMap<&'static str, usize>,
    pub(super) ends: BTreeMap<String, usize>,
    /// How many requests the gateway got.
    pub(super) requests: usize,
    /// How many of them were repetitions.
    pub(super) repeated: usize,
    pub(super) endings: Vec<Ending>,
    /// The largest that a worker got.
    pub(super) largest_kib: u64,
    pub(super) took: Duration,
    /// From the end of the last fault to the end of the last order.
    pub(super) recovered_in: Duration,
    pub(super) objections: Vec<String>,
}

impl Outcome {
    pub(super) fn new(plan: &Plan) -> Self {
        let mut faults = BTreeMap::new();
        for strike in &plan.strikes {
            *faults.entry(strike.fault.kind()).or_default() += 1;
        }
        Self {
            seed: plan.seed,
            orders: plan.orders,
            faults,
            ends: BTreeMap::new(),
            requests: 0,
            repeated: 0,
            endings: Vec::new(),
            largest_kib: 0,
            took: Duration::ZERO,
            recovered_in: Duration::ZERO,
            objections: Vec::new(),
        }
    }

    /// Returns everything that is wrong, one line each.
    pub(super) fn told(&self) -> String {
        let count = self.objections.len();
        format!("{count} things are wrong:\n{}", self.objections.join("\n"))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} orders, seed {}, {:.0} s, of which {:.0} s after the last fault",
            self.orders,
            self.seed,
            self.took.as_secs_f64(),
            self.recovered_in.as_secs_f64()
        )?;
        writeln!(f, "  faults: {}", counts(&self.faults))?;
        writeln!(f, "  ends: {}", counts(&self.ends))?;
        let Self {
            requests, repeated, ..
        } = self;
        writeln!(
            f,
            "  requests to the gateway: {requests}, of which {repeated} were repetitions"
        )?;
        writeln!(f, "  workers started: {}", self.endings.len())?;
        write!(f, "  largest worker: {} MiB", self.largest_kib / 1024)
    }
}

fn counts<K: fmt::Display>(of: &BTreeMap<K, usize>) -> String {
    let all: Vec<_> = of
        .iter()
        .map(|(what, count)| format!("{what} {count}"))
        .collect();
    all.join(", ")
}
