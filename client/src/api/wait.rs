//! How long a request may wait for a workflow.

use std::time::Duration;

use super::state::CALL_LIMIT;

/// The answer says how it is now.
pub(super) const NOT_AT_ALL: Duration = Duration::ZERO;

/// How long `GET /sync` waits, unless it is told otherwise.
pub(super) const FOR_A_RESULT: Duration = Duration::from_secs(30);

/// How long an update is waited for. Handlers are meant to be quick.
pub(super) const FOR_AN_UPDATE: Duration = Duration::from_secs(10);

/// Most load balancers cut a connection on which nothing has happened for longer; Azure's for HTTP after
/// [60 s to 4 min](https://learn.microsoft.com/azure/application-gateway/application-gateway-faq).
const LONGEST: Duration = Duration::from_secs(60);

/// Returns `wait`, or the longest that is allowed.
pub(super) fn bounded(wait: Duration) -> Duration {
    wait.min(LONGEST)
}

/// Returns how long a request waits for a result that may be there already and then only has to be fetched.
pub(super) fn for_result(wait: Duration, is_running: bool) -> Duration {
    match is_running {
        true => bounded(wait),
        false => bounded(wait).max(CALL_LIMIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_that_runs_is_waited_for_as_long_as_was_asked() {
        let asked = Duration::from_secs(1);

        assert_eq!(for_result(asked, true), asked);
        assert_eq!(for_result(NOT_AT_ALL, true), NOT_AT_ALL);
        assert_eq!(for_result(asked, false), CALL_LIMIT);
        assert_eq!(for_result(Duration::from_secs(90), false), LONGEST);
    }
}
