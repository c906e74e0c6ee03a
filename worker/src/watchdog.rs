//! Notices a workflow that blocks its thread.
//!
//! All workflows of a worker share one thread, and the SDK does not detect one that never yields
//! (a busy loop, blocking I/O): the worker goes silent while its process looks healthy. A ticker in
//! the same task as the worker stops ticking then, and the liveness probe, on another thread, sees
//! the last tick grow old.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Ten ticks within the shortest limit anyone would set.
const TICK: Duration = Duration::from_millis(100);

/// In place of the time of a last tick.
const NOT_TICKING: u64 = u64::MAX;

/// The time of the last tick, shared between the worker's task and the liveness probe.
#[derive(Clone)]
pub(crate) struct Watchdog {
    limit: Duration,
    start: Instant,
    last_tick_millis: Arc<AtomicU64>,
}

impl Watchdog {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit,
            start: Instant::now(),
            last_tick_millis: Arc::new(AtomicU64::new(NOT_TICKING)),
        }
    }

    /// Ticks until it is dropped. Poll it from the task that runs the worker.
    pub(crate) async fn tick(&self) -> Infallible {
        let _stopped = Stopped(&self.last_tick_millis);
        let mut ticks = tokio::time::interval(TICK);
        loop {
            ticks.tick().await;
            self.last_tick_millis
                .store(millis(self.start.elapsed()), Ordering::Relaxed);
        }
    }

    /// Returns why the process is not alive any more, or that it is. Before and after the ticking
    /// there are no workflows that could block anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        let last = match self.last_tick_millis.load(Ordering::Relaxed) {
            NOT_TICKING => return Ok(()),
            millis => Duration::from_millis(millis),
        };
        let silent = self.start.elapsed().saturating_sub(last);
        if silent <= self.limit {
            return Ok(());
        }
        Err(format!(
            "a workflow has blocked the workflow thread for {} s (SEALANE_WATCHDOG is {} s)",
            silent.as_secs(),
            self.limit.as_secs()
        ))
    }
}

/// Marks the end of the ticking, however it ends.
struct Stopped<'a>(&'a AtomicU64);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.store(NOT_TICKING, Ordering::Relaxed);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{NOT_TICKING, Ordering, Watchdog};

    #[tokio::test]
    async fn a_blocked_thread_fails_the_check_until_it_yields() {
        let watchdog = Watchdog::new(Duration::from_millis(300));
        let checked = watchdog.clone();
        let ticking = tokio::spawn(async move { watchdog.tick().await });
        while checked.last_tick_millis.load(Ordering::Relaxed) == NOT_TICKING {
            tokio::task::yield_now().await;
        }
        assert_eq!(checked.check(), Ok(()));

        // What a workflow with a busy loop does to this single-threaded runtime.
        std::thread::sleep(Duration::from_millis(400));
        let problem = checked.check().unwrap_err();
        assert!(problem.contains("blocked"), "{problem}");

        while checked.check().is_err() {
            tokio::task::yield_now().await;
        }
        ticking.abort();
        assert!(ticking.await.is_err());
        std::thread::sleep(Duration::from_millis(400));
        assert_eq!(
            checked.check(),
            Ok(()),
            "nothing ticks, so nothing is blocked"
        );
    }
}
