//! Load: starts many workflows, waits for their results, checks each one, and tells how long they took.
//!
//! Two paces. In a *closed* loop, a fixed number of workflows is in flight and the next one starts
//! when one has ended: that finds the greatest throughput. In an *open* loop, workflows are due at a
//! fixed rate whether or not earlier ones have ended, as requests of the world outside are. There, time
//! counts from when a workflow was due, not from when it could be started: otherwise a server that
//! stalls would be asked nothing while it stalls, and look fast ("coordinated omission").

mod expected;
mod one;
mod pace;
mod plot;
mod recorder;
mod report;

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

pub use self::{
    expected::Expected,
    pace::{Pace, Volume},
    plot::plot,
    recorder::{Progress, Recorder},
    report::{Errors, Latency, LoadReport, Second},
};
use self::{
    one::Starts,
    pace::{closed_loop, open_loop},
};
use crate::{trigger::InputTemplate, workflow::Workflows};

/// How many of the warm-up are in flight at most: it is to wake everybody up, not to flood them.
const WARM_UP_LANES: usize = 50;

/// What to start, how much of it, how fast, and what has to come of it.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadOptions {
    /// Type of the workflows.
    pub workflow_type: String,
    /// Their task queue.
    pub task_queue: String,
    /// Their arguments.
    pub input: InputTemplate,
    /// What their result has to be.
    pub expected: Expected,
    /// When to stop starting.
    pub volume: Volume,
    /// When the next one starts.
    pub pace: Pace,
    /// How many may be in flight at once. In an open loop, a workflow that is due and finds no room
    /// waits, and that time counts.
    pub concurrency: NonZeroUsize,
    /// How many to run, in a closed loop, before anything is measured.
    pub warm_up: u64,
    /// After how long a workflow without a result counts as an error.
    pub timeout: Duration,
}

/// Runs the load until its volume is reached or `stop` completes, and waits for what is in flight.
///
/// Errors of single workflows are counted, not returned. What is in flight when `stop` completes, or was
/// due and found no room, is waited for no longer, and counted as unfinished; the workflows themselves go
/// on. Stopped during the warm-up, the report is that of an empty load.
pub async fn run(
    workflows: Workflows,
    options: LoadOptions,
    recorder: Arc<Recorder>,
    stop: impl Future<Output = ()>,
) -> LoadReport {
    tokio::pin!(stop);
    let starts = Arc::new(Starts::new(workflows, &options, Arc::clone(&recorder)));
    let load = async {
        if options.warm_up > 0 {
            let lanes = options.concurrency.get().min(WARM_UP_LANES);
            closed_loop(&starts, Volume::Count(options.warm_up), lanes).await;
        }
        recorder.begin();
        let concurrency = options.concurrency.get();
        match options.pace {
            Pace::Closed => closed_loop(&starts, options.volume, concurrency).await,
            Pace::Open { per_second } => {
                open_loop(&starts, &recorder, options.volume, per_second, concurrency).await;
            }
        }
    };
    tokio::select! {
        () = load => {}
        () = &mut stop => recorder.stop(),
    }
    LoadReport::of(&options, &recorder)
}
