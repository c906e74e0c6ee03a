//! Every timeout and retry number of the order workflow, with its reason.

use std::time::Duration;

use temporalio_workflow::{
    ActivityCancellationType, ActivityCloseTimeouts, ActivityOptions, RetryPolicy,
    WorkflowCancellationToken,
};

/// One attempt of a single request to the gateway. The HTTP client gives up a little earlier, so that an unanswered
/// request is reported as such and not as a timeout that explains nothing.
pub const REQUEST_START_TO_CLOSE: Duration = Duration::from_secs(10);

/// All attempts of reserving or charging together. A customer who waits longer than an hour for a confirmation has
/// ordered elsewhere; undoing beats surprising them.
pub const REQUEST_SCHEDULE_TO_CLOSE: Duration = Duration::from_hours(1);

/// One attempt of shipping. Packing a large order takes a warehouse hours; a worker that is lost meanwhile is noticed
/// by [`SHIP_HEARTBEAT`], so this may be generous.
pub const SHIP_START_TO_CLOSE: Duration = Duration::from_hours(8);

/// All attempts of shipping together: a warehouse may be closed over a long weekend, and the money is taken already.
pub const SHIP_SCHEDULE_TO_CLOSE: Duration = Duration::from_hours(96);

/// Silence after which a shipping attempt counts as lost. The activity beats every second while it waits, so this
/// tolerates several lost beats and still hands over within seconds.
pub const SHIP_HEARTBEAT: Duration = Duration::from_secs(5);

/// First pause between two attempts: short, because most gateway hiccups are over by then.
const FIRST_RETRY: Duration = Duration::from_millis(500);

/// Growth of the pause: doubling reaches [`LONGEST_RETRY`] in seven attempts.
const RETRY_GROWTH: f64 = 2.0;

/// Longest pause between two attempts. Short enough to pick up soon after an outage ends.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// Options of a step that is one request to the gateway. `stop` cancels it.
pub(super) fn request(stop: &WorkflowCancellationToken) -> ActivityOptions {
    forward(
        REQUEST_SCHEDULE_TO_CLOSE,
        REQUEST_START_TO_CLOSE,
        None,
        stop,
    )
}

/// Options of the shipping step. `stop` cancels it.
pub(super) fn ship(stop: &WorkflowCancellationToken) -> ActivityOptions {
    forward(
        SHIP_SCHEDULE_TO_CLOSE,
        SHIP_START_TO_CLOSE,
        Some(SHIP_HEARTBEAT),
        stop,
    )
}

/// Options of undoing a step: attempts without limit, and out of reach of the cancellation that may have caused it.
/// Giving up would leave a customer charged for nothing, so only the gateway's refusal ends it.
pub(super) fn undo() -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(REQUEST_START_TO_CLOSE)
        .retry_policy(retry())
        .cancellation_token(WorkflowCancellationToken::new())
        .build()
}

fn forward(
    schedule_to_close: Duration,
    start_to_close: Duration,
    heartbeat: Option<Duration>,
    stop: &WorkflowCancellationToken,
) -> ActivityOptions {
    ActivityOptions::with_close_timeouts(ActivityCloseTimeouts::ScheduleAndStartToClose {
        schedule_to_close,
        start_to_close,
    })
    .maybe_heartbeat_timeout(heartbeat)
    .retry_policy(retry())
    // Undoing an attempt that is still running would race with it, so its end is awaited first.
    .cancellation_type(ActivityCancellationType::WaitCancellationCompleted)
    .cancellation_token(stop.clone())
    .build()
}

fn retry() -> RetryPolicy {
    RetryPolicy::builder()
        .initial_interval(FIRST_RETRY)
        .backoff_coefficient(RETRY_GROWTH)
        .maximum_interval(LONGEST_RETRY)
        .build()
}
