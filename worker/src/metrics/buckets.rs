//! Bounds of the SDK's histograms, in seconds.
//!
//! The SDK's own are too far apart where it matters. A task that waits for 200 ms is worth an alert
//! ([worker health](https://docs.temporal.io/cloud/worker-health)), and the SDK tells nothing apart
//! between 100 ms and 500 ms, nor beyond a minute of an activity.

use std::collections::HashMap;

use temporalio_common::telemetry::HistogramBucketOverrides;

/// Waiting in a task queue: from at once to an outage of the workers.
const WAITING: [f64; 15] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0,
];

/// Workflow tasks: milliseconds as a rule, 10 s until the server gives them to somebody else.
const DECIDING: [f64; 11] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0,
];

/// Attempts of activities: from a call to something nearby to hours of work.
const WORKING: [f64; 14] = [
    0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0,
];

/// Whole workflows, and activities with all their attempts.
const LASTING: [f64; 15] = [
    0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0, 86400.0,
    604_800.0,
];

/// Requests to the server, which answers most within milliseconds.
const ASKING: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 10.0,
];

/// Long polls: the server answers an idle one after a minute.
const POLLING: [f64; 9] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 20.0, 60.0, 90.0];

/// The SDK takes the first entry whose key is a part of the metric's name, in no order, so no name may
/// contain two keys that differ in their bounds.
const BOUNDS: [(&str, &[f64]); 7] = [
    ("schedule_to_start_latency", &WAITING),
    ("workflow_task_execution_latency", &DECIDING),
    ("workflow_task_replay_latency", &DECIDING),
    ("activity_execution_latency", &WORKING),
    ("endtoend_latency", &LASTING),
    ("temporal_request_latency", &ASKING),
    ("temporal_long_request_latency", &POLLING),
];

/// Returns the bounds in the SDK's form.
pub(super) fn overrides() -> HistogramBucketOverrides {
    let bounds = BOUNDS.map(|(name, bounds)| (name.to_owned(), bounds.to_vec()));
    HistogramBucketOverrides {
        overrides: HashMap::from(bounds),
    }
}

#[cfg(test)]
mod tests {
    use super::BOUNDS;

    /// The SDK's histograms, as its 1.1.1 has them.
    const NAMES: [&str; 11] = [
        "temporal_activity_execution_latency",
        "temporal_activity_schedule_to_start_latency",
        "temporal_activity_succeed_endtoend_latency",
        "temporal_local_activity_execution_latency",
        "temporal_local_activity_succeed_endtoend_latency",
        "temporal_long_request_latency",
        "temporal_request_latency",
        "temporal_workflow_endtoend_latency",
        "temporal_workflow_task_execution_latency",
        "temporal_workflow_task_replay_latency",
        "temporal_workflow_task_schedule_to_start_latency",
    ];

    #[test]
    fn every_histogram_has_bounds_and_only_one_choice() {
        for name in NAMES {
            let choices = BOUNDS.iter().filter(|(part, _)| name.contains(part));
            assert_eq!(choices.count(), 1, "{name}");
        }
    }

    #[test]
    fn bounds_rise() {
        for (name, bounds) in BOUNDS {
            assert!(bounds.is_sorted_by(|a, b| a < b), "{name}: {bounds:?}");
        }
    }
}
