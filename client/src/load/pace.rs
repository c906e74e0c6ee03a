//! When the next workflow starts, and when no more do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

use super::{Recorder, one::Starts};

/// When to stop starting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Volume {
    /// After this many workflows.
    Count(u64),
    /// After this long.
    Duration(Duration),
}

impl Volume {
    /// Says whether the workflow number `number`, from 0, belongs to the load at all.
    fn admits(self, number: u64, elapsed: Duration) -> bool {
        match self {
            Self::Count(count) => number < count,
            Self::Duration(duration) => elapsed < duration,
        }
    }
}

/// When the next workflow starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// When one has ended.
    Closed,
    /// At a fixed rate.
    Open {
        /// Starts per second; more than 0.
        per_second: f64,
    },
}

impl Pace {
    /// Returns Temporal-neutral words for reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
        }
    }
}

/// Keeps `concurrency` workflows in flight until the volume is reached.
pub(super) async fn closed_loop(starts: &Arc<Starts>, volume: Volume, concurrency: usize) {
    let begin = Instant::now();
    let next = Arc::new(AtomicU64::new(0));
    let mut lanes = JoinSet::new();
    let needed = match volume {
        Volume::Count(count) => usize::try_from(count)
            .unwrap_or(concurrency)
            .min(concurrency),
        Volume::Duration(_) => concurrency,
    };
    for _ in 0..needed {
        let (starts, next) = (Arc::clone(starts), Arc::clone(&next));
        lanes.spawn(async move {
            while volume.admits(next.fetch_add(1, Ordering::Relaxed), begin.elapsed()) {
                starts.one(Instant::now()).await;
            }
        });
    }
    while lanes.join_next().await.is_some() {}
}

/// Starts workflows when they are due, as long as there is room, until the volume is reached.
pub(super) async fn open_loop(
    starts: &Arc<Starts>,
    recorder: &Recorder,
    volume: Volume,
    per_second: f64,
    concurrency: usize,
) {
    let begin = Instant::now();
    recorder.expect(volume, per_second);
    let room = Arc::new(Semaphore::new(concurrency));
    let mut flights = JoinSet::new();
    for number in 0.. {
        let after = due_after(number, per_second);
        if !volume.admits(number, after) {
            break;
        }
        let due = begin + after;
        tokio::time::sleep_until(due).await;
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            break;
        };
        let starts = Arc::clone(starts);
        flights.spawn(async move {
            starts.one(due).await;
            drop(permit);
        });
        // Those that have ended are let go here, or a long load would keep them all.
        while flights.try_join_next().is_some() {}
    }
    while flights.join_next().await.is_some() {}
}

/// Returns when the workflow number `number`, from 0, is due, counted from the first.
#[expect(
    clippy::cast_precision_loss,
    reason = "a load of 2^53 workflows is beyond any clock"
)]
fn due_after(number: u64, per_second: f64) -> Duration {
    Duration::from_secs_f64(number as f64 / per_second)
}

#[cfg(test)]
mod tests {
    use super::{Duration, Volume, due_after};

    #[test]
    fn due_times_do_not_drift() {
        assert_eq!(due_after(0, 3.0), Duration::ZERO);
        assert_eq!(due_after(3, 3.0), Duration::from_secs(1));
        assert_eq!(due_after(3_000_000, 3.0), Duration::from_secs(1_000_000));
    }

    #[test]
    fn a_volume_ends_by_number_or_by_time() {
        let count = Volume::Count(2);
        assert!(count.admits(1, Duration::MAX) && !count.admits(2, Duration::ZERO));

        let time = Volume::Duration(Duration::from_secs(1));
        assert!(time.admits(u64::MAX, Duration::ZERO) && !time.admits(0, Duration::from_secs(1)));
    }
}
