//! Until when a request must be answered.

use std::{
    convert::Infallible,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{extract::FromRequestParts, http::request::Parts};
use tokio::time::{Instant, timeout_at};

/// When the edge gives up on a request. A handler takes it as an argument to ask for more time.
#[derive(Clone, Debug)]
pub struct Deadline(Arc<Mutex<Instant>>);

/// The request was not answered before its deadline.
pub(super) struct Missed;

impl Deadline {
    /// Returns the deadline that is `limit` from now.
    pub(super) fn after(limit: Duration) -> Self {
        Self(Arc::new(Mutex::new(Instant::now() + limit)))
    }

    /// Moves the deadline to at least `wait` from now: for an answer that is meant to take that long.
    pub fn allow(&self, wait: Duration) {
        let mut deadline = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *deadline = (*deadline).max(Instant::now() + wait);
    }

    /// Returns how long there is left.
    pub fn remaining(&self) -> Duration {
        self.instant().saturating_duration_since(Instant::now())
    }

    fn instant(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for `work`, until the deadline as it stands by then.
    pub(super) async fn limit<F: Future>(&self, work: F) -> Result<F::Output, Missed> {
        tokio::pin!(work);
        loop {
            let deadline = self.instant();
            match timeout_at(deadline, &mut work).await {
                Ok(output) => return Ok(output),
                // It may have been moved while we waited.
                Err(_) if self.instant() > deadline => {}
                Err(_) => return Err(Missed),
            }
        }
    }
}

/// Without an edge around the handler there is no deadline, so one that is far away.
const NEVER: Duration = Duration::from_hours(24);

impl<S: Sync> FromRequestParts<S> for Deadline {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let deadline = parts.extensions.get().cloned();
        Ok(deadline.unwrap_or_else(|| Self::after(NEVER)))
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use tokio::time::{Instant, sleep};

    use super::Deadline;

    #[tokio::test(start_paused = true)]
    async fn work_is_given_up_at_the_deadline() {
        let started = Instant::now();
        let deadline = Deadline::after(Duration::from_secs(30));

        assert!(deadline.limit(pending::<()>()).await.is_err());
        assert_eq!(started.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn work_may_ask_for_more_time_and_never_for_less() {
        let deadline = Deadline::after(Duration::from_secs(30));
        let extended = deadline.clone();
        let work = async {
            sleep(Duration::from_secs(20)).await;
            extended.allow(Duration::from_secs(60));
            extended.allow(Duration::from_secs(1));
            sleep(Duration::from_secs(59)).await;
        };

        assert!(deadline.limit(work).await.is_ok());
    }
}
