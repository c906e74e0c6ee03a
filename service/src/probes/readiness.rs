//! Whether the process takes work.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use serde::Serialize;

/// Where a process is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Phase {
    /// It is not yet able to take work.
    Starting,
    /// It takes work.
    Ready,
    /// It finishes what it has and takes no more.
    Draining,
}

/// A latch from starting over ready to draining. It never goes back; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicU8>);

impl Readiness {
    /// Returns a latch that is starting.
    pub fn new() -> Self {
        Self::default()
    }

    /// The process takes work from now on, unless it is draining already.
    pub fn ready(&self) {
        self.advance(Phase::Ready);
    }

    /// The process takes no more work, for good.
    pub fn drain(&self) {
        self.advance(Phase::Draining);
    }

    /// Returns the current phase.
    pub fn phase(&self) -> Phase {
        match self.0.load(Ordering::SeqCst) {
            0 => Phase::Starting,
            1 => Phase::Ready,
            _ => Phase::Draining,
        }
    }

    fn advance(&self, phase: Phase) {
        self.0.fetch_max(phase as u8, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::{Phase, Readiness};

    #[test]
    fn a_process_starts_gets_ready_and_drains() {
        let readiness = Readiness::new();
        assert_eq!(readiness.phase(), Phase::Starting);

        readiness.ready();
        assert_eq!(readiness.phase(), Phase::Ready);

        readiness.clone().drain();
        assert_eq!(readiness.phase(), Phase::Draining);
    }

    #[test]
    fn draining_wins_for_ever_even_before_the_process_got_ready() {
        let readiness = Readiness::new();
        readiness.drain();

        readiness.ready();

        assert_eq!(readiness.phase(), Phase::Draining);
    }
}
