//! How far a walk has come.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// How far a walk has come. All clones show the same walk.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    expected: AtomicU64,
    workflows: AtomicU64,
    schedules: AtomicU64,
}

impl Progress {
    /// Returns how many workflows there were when the walk began, 0 if the server did not say.
    pub fn expected(&self) -> u64 {
        self.0.expected.load(Ordering::Relaxed)
    }

    /// Returns how many workflows have been looked at.
    pub fn workflows(&self) -> u64 {
        self.0.workflows.load(Ordering::Relaxed)
    }

    /// Returns how many schedules have been looked at.
    pub fn schedules(&self) -> u64 {
        self.0.schedules.load(Ordering::Relaxed)
    }

    pub(super) fn expect(&self, workflows: u64) {
        self.0.expected.store(workflows, Ordering::Relaxed);
    }

    pub(super) fn workflow(&self) {
        self.0.workflows.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn schedule(&self) {
        self.0.schedules.fetch_add(1, Ordering::Relaxed);
    }
}
