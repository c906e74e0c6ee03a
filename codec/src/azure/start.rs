//! How a start waits for Azure.

use std::time::Duration;

use tokio::time::Instant;

use super::{AzureError, Cause, pace};

/// How long a start waits for a name that the resolver does not know: long enough for a DNS that
/// starts with the pod, short enough for a misspelt vault.
const UNKNOWN_HOST_LIMIT: Duration = Duration::from_secs(10);

/// Longest wait between two attempts, when somebody is waiting for the process to become ready.
const LONGEST_WAIT: Duration = Duration::from_secs(16);

/// The attempts of one start.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    began: Instant,
    failures: u32,
}

impl Start {
    /// Begins now.
    #[must_use]
    pub fn now() -> Self {
        Self {
            began: Instant::now(),
            failures: 0,
        }
    }

    /// Counts a failure, and returns how long to wait before the next attempt: doubling, and
    /// spread so that pods which were started together drift apart. `None` if that would be later
    /// than `limit` after the beginning.
    pub fn wait(&mut self, limit: Duration) -> Option<Duration> {
        self.failures += 1;
        let wait = pace::after_failure(self.failures, LONGEST_WAIT, rand::random());
        (self.began.elapsed() + wait <= limit).then_some(wait)
    }
}

impl AzureError {
    /// How long a start waits for this to pass, where it waits up to `limit` for what may; zero if
    /// waiting does not help.
    #[must_use]
    pub fn patience(&self, limit: Duration) -> Duration {
        match self.cause() {
            Cause::UnknownHost => limit.min(UNKNOWN_HOST_LIMIT),
            _ if self.is_transient() => limit,
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::Start;
    use crate::azure::{AzureError, Cause, Operation, Role};

    const LIMIT: Duration = Duration::from_secs(120);

    fn patience(cause: Cause) -> Duration {
        let operation = Operation::new("wrap a data key".to_owned(), Role::CryptoUser);
        AzureError::of(&operation, cause, String::new()).patience(LIMIT)
    }

    #[test]
    fn an_unknown_host_is_waited_for_but_not_for_long() {
        assert_eq!(patience(Cause::Throttled), LIMIT);
        assert_eq!(patience(Cause::UnknownHost), Duration::from_secs(10));
        assert_eq!(patience(Cause::NotFound), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_are_spread_and_end_with_the_limit() {
        let (mut first, mut second) = (Start::now(), Start::now());
        let mut apart = false;

        while let (Some(one), Some(other)) = (first.wait(LIMIT), second.wait(LIMIT)) {
            apart |= one != other;
            advance(one.max(other)).await;
        }

        assert!(apart, "all pods ask at the same time");
        assert_eq!(Start::now().wait(Duration::ZERO), None);
        assert!(first.began.elapsed() <= LIMIT);
    }
}
