//! How long a request may wait for a workflow.

use std::time::Duration;

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
