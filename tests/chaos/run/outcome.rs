//! What came of a run, for people.

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::{
    keeper::{Asked, Ending},
    plan::Plan,
};

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
    /// How large the worker that is never ended was, early and late, if there is one.
    pub(super) sizes: Option<[Option<u64>; 2]>,
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
            sizes: None,
            took: Duration::ZERO,
            recovered_in: Duration::ZERO,
            objections: Vec::new(),
        }
    }

    /// Puts down what is wrong.
    pub(super) fn object(&mut self, to: impl Into<String>) {
        self.objections.push(to.into());
    }

    /// Returns what should have been found out about `what`, and objects if it was not.
    pub(super) fn expect<T>(&mut self, what: &str, found: anyhow::Result<T>) -> Option<T> {
        found
            .map_err(|error| self.object(format!("{what}: {error:#}")))
            .ok()
    }

    /// Returns everything that is wrong, one line each.
    pub(super) fn told(&self) -> String {
        let count = self.objections.len();
        format!("wrong, {count} in all:\n{}", self.objections.join("\n"))
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
        let limited = self
            .endings
            .iter()
            .filter(|it| it.asked == Some(Asked::NotToGrow));
        let survived = limited.clone().filter(|it| it.was_killed()).count();
        let limited = limited.count();
        writeln!(
            f,
            "  workers limited: {limited}, of which {survived} lived on until they were killed"
        )?;
        if let Some([Some(early), Some(late)]) = self.sizes {
            let [early, late] = [early, late].map(|kib| kib / 1024);
            writeln!(
                f,
                "  the worker that was never ended: {early} MiB early, {late} MiB late"
            )?;
        }
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
