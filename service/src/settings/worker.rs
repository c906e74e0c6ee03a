//! How much a worker does at once, and how it stops.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    time::Duration,
};

use super::values::{Noted, Values};

/// How much a worker does at once, and how it stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Workflow tasks handled at once.
    pub max_workflow_tasks: NonZeroUsize,
    /// Activities run at once.
    pub max_activities: NonZeroUsize,
    /// Local activities run at once.
    pub max_local_activities: NonZeroUsize,
    /// Workflows kept in memory between their tasks.
    pub max_cached_workflows: usize,
    /// Concurrent polls for each kind of task.
    pub pollers: Pollers,
    /// How long running activities may finish once the worker is asked to stop.
    pub drain_timeout: Duration,
    /// How long a workflow may block its thread before `/livez` fails.
    pub watchdog: Duration,
    /// How much memory the process may take, in bytes. It drains before.
    pub memory_limit: Option<NonZeroU64>,
}

/// How many polls run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pollers {
    /// As many as the load needs.
    Autoscaling {
        /// Never more than this.
        max: NonZeroUsize,
    },
    /// Always this many.
    Fixed(NonZeroUsize),
}

const MAX_SLOTS: usize = 100_000;
const MAX_CACHED_WORKFLOWS: usize = 1_000_000;
const MAX_POLLERS: usize = 1_000;

/// Autoscaling stays below this; the SDK's own default.
const MAX_AUTOSCALED_POLLERS: NonZeroUsize = NonZeroUsize::new(100).expect("100 is not zero");

/// The SDK needs one poll or task for the normal queue and one for the sticky queue of cached workflows.
const LEAST_WITH_CACHE: usize = 2;

/// Ten minutes is more than any sensible `terminationGracePeriodSeconds`.
const WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));

/// From a mebibyte, which is too little for any worker but shows what happens then, to more than a machine has: what
/// Kubernetes gives for a container without a limit is the node's memory.
const MEMORY: (u64, u64) = (1 << 20, 1 << 50);

pub(super) fn read(values: &mut Values) -> Result<Worker, Noted> {
    let max_workflow_tasks = slots(values, "SEALANE_MAX_WORKFLOW_TASKS");
    let max_activities = slots(values, "SEALANE_MAX_ACTIVITIES");
    let max_local_activities = slots(values, "SEALANE_MAX_LOCAL_ACTIVITIES");
    let max_cached_workflows = values.parse("SEALANE_MAX_CACHED_WORKFLOWS", |text| {
        text.parse()
            .ok()
            .filter(|count| *count <= MAX_CACHED_WORKFLOWS)
    });
    let pollers = values.parse("SEALANE_POLLERS", parse_pollers);
    let drain_timeout = values.parse("SEALANE_DRAIN_TIMEOUT", |text| duration(text, WAIT));
    let watchdog = values.parse("SEALANE_WATCHDOG", |text| duration(text, WAIT));
    let memory_limit = values.optional("SEALANE_MEMORY_LIMIT", |text| {
        let bytes: NonZeroU64 = text.parse().ok()?;
        (MEMORY.0..=MEMORY.1)
            .contains(&bytes.get())
            .then_some(bytes)
    });
    let worker = Worker {
        max_workflow_tasks: max_workflow_tasks?,
        max_activities: max_activities?,
        max_local_activities: max_local_activities?,
        max_cached_workflows: max_cached_workflows?,
        pollers: pollers?,
        drain_timeout: drain_timeout?,
        watchdog: watchdog?,
        memory_limit: memory_limit?,
    };
    enough_for_the_cache(values, &worker)?;
    Ok(worker)
}

/// Parses a duration such as `15s` and checks that it is within both bounds.
pub(super) fn duration(text: &str, (least, most): (Duration, Duration)) -> Option<Duration> {
    let parsed = humantime::parse_duration(text).ok()?;
    (least..=most).contains(&parsed).then_some(parsed)
}

fn slots(values: &mut Values, name: &'static str) -> Result<NonZeroUsize, Noted> {
    values.parse(name, |text| count(text, MAX_SLOTS))
}

fn count(text: &str, most: usize) -> Option<NonZeroUsize> {
    text.parse()
        .ok()
        .filter(|count: &NonZeroUsize| count.get() <= most)
}

fn parse_pollers(text: &str) -> Option<Pollers> {
    match text {
        "auto" => Some(Pollers::Autoscaling {
            max: MAX_AUTOSCALED_POLLERS,
        }),
        number => count(number, MAX_POLLERS).map(Pollers::Fixed),
    }
}

fn enough_for_the_cache(values: &mut Values, worker: &Worker) -> Result<(), Noted> {
    if worker.max_cached_workflows == 0 {
        return Ok(());
    }
    let expected = "at least 2, or SEALANE_MAX_CACHED_WORKFLOWS=0";
    let tasks = if worker.max_workflow_tasks.get() < LEAST_WITH_CACHE {
        Err(values.reject_as("SEALANE_MAX_WORKFLOW_TASKS", expected))
    } else {
        Ok(())
    };
    match worker.pollers {
        Pollers::Fixed(count) if count.get() < LEAST_WITH_CACHE => {
            Err(values.reject_as("SEALANE_POLLERS", expected))
        }
        _ => tasks,
    }
}
