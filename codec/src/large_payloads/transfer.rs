//! How one transfer is attempted, and how often.

use std::time::Duration;

use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

use crate::azure::{AzureError, pace};

/// Longest attempt. A workflow task has as long by default, and nobody waits for it afterwards.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(10);

/// Attempts begin within this time after the first: a transfer that failed late is for Temporal to
/// repeat, with the activity or the workflow task that it belongs to.
const REPEATED_WITHIN: Duration = Duration::from_secs(4);

/// Attempts at most.
const ATTEMPTS: u32 = 3;

/// Longest wait between two.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Makes `attempt` when there is a seat among `seats`, and again if what stands in the way may pass.
pub(super) async fn persistently<T, F>(
    seats: &Semaphore,
    attempt: impl Fn() -> F,
) -> Result<T, AzureError>
where
    F: Future<Output = Result<T, AzureError>>,
{
    // It is never closed.
    let _seat = seats.acquire().await.ok();
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
