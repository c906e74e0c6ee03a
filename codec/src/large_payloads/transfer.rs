//! How one transfer is attempted, how often, and how many at once.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep, timeout},
};

use crate::azure::{AzureError, Operation, pace};

/// Longest attempt to transfer nothing, and longest wait for a seat. A workflow task has as long by default, and nobody waits
/// for it afterwards.
const CALL_LIMIT: Duration = Duration::from_secs(10);

/// The slowest connection on which a transfer is not given up, in bytes a second.
const SLOWEST: usize = 1 << 20;

/// Attempts begin within this time after the first: a transfer that failed late is for Temporal to
/// repeat, with the activity or the workflow task that it belongs to.
const REPEATED_WITHIN: Duration = Duration::from_secs(4);

/// Attempts at most.
const ATTEMPTS: u32 = 3;

/// Longest wait between two.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Transfers at once in one direction; more wait. Bounds the memory of what is serialised to so many times the largest payload.
const SEATS: usize = 8;

/// Longest attempt to transfer `bytes`. A fixed limit would fail a large payload on every attempt of its activity, for ever.
pub(super) fn limit(bytes: usize) -> Duration {
    let seconds = bytes.div_ceil(SLOWEST);
    CALL_LIMIT + Duration::from_secs(seconds as u64)
}

/// The transfers of one direction.
pub(super) struct Lane {
    seats: Semaphore,
    waiting: Operation,
}

impl Lane {
    /// `waiting` says what cannot be done while there is no seat.
    pub(super) fn new(waiting: Operation) -> Self {
        Self {
            seats: Semaphore::new(SEATS),
            waiting,
        }
    }

    /// Waits for a seat, which is free again when it is dropped.
    pub(super) async fn seat(&self) -> Result<SemaphorePermit<'_>, AzureError> {
        let waited = timeout(CALL_LIMIT, self.seats.acquire()).await;
        let timed_out = || AzureError::timed_out(&self.waiting, CALL_LIMIT);
        // It is never closed.
        waited.ok().and_then(Result::ok).ok_or_else(timed_out)
    }
}

/// Makes `attempt` at a transfer, and again if what stands in the way may pass.
pub(super) async fn persistently<T, F>(attempt: impl Fn() -> F) -> Result<T, AzureError>
where
    F: Future<Output = Result<T, AzureError>>,
{
    let began = Instant::now();
    let mut failures = 0;
    loop {
        let error = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        failures += 1;
        let wait = pace::after_failure(failures, LONGEST_WAIT, rand::random());
        let in_time = began.elapsed() + wait <= REPEATED_WITHIN;
        if !error.is_transient() || failures == ATTEMPTS || !in_time {
            return Err(error);
        }
        sleep(wait).await;
    }
}
