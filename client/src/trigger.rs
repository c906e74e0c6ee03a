//! Starts workflows periodically, and goes on doing so through outages of the server.
//!
//! A start is never lost and never doubled: it is retried under its own workflow id until the server
//! has taken it, and the server takes an id only once. Times that pass meanwhile are skipped, not
//! made up for in a burst.
//!
//! Where the server can do the starting, prefer a [schedule](crate::schedule): it needs no process
//! of its own.

mod backoff;
mod event;
mod identity;
mod jitter;
mod metrics;
mod round;
mod starter;
mod template;

use std::{num::NonZeroU64, time::Duration};

use temporalio_client::Client;

pub(crate) use self::identity::Identity;
pub use self::{
    event::{Event, FailureKind},
    jitter::{Jitter, JitterError},
    metrics::TriggerMetrics,
    template::{InputTemplate, TemplateError},
};
use self::{round::Round, starter::Server};

/// What to start, how often.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerOptions {
    /// What to start, in turns. Nothing is started if it is empty.
    pub targets: Vec<Target>,
    /// Task queue of the workflows.
    pub task_queue: String,
    /// Time between two starts. The first one is due at once.
    pub every: Duration,
    /// How far the time between two starts may stray from `every`.
    pub jitter: Jitter,
    /// How many workflows to start in all. `None` goes on until told to stop.
    pub count: Option<NonZeroU64>,
    /// Report the result of every workflow, and end only after the last one.
    pub wait: bool,
}

/// One kind of workflow to start.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Its type name; its ids begin with it.
    pub workflow_type: String,
    /// Its arguments.
    pub input: InputTemplate,
}

/// Why starting ended although nobody asked for it.
///
/// Everything that a later attempt may overcome is retried instead.
#[derive(Debug, thiserror::Error)]
#[error("workflow {workflow_id:?} was not started: {reason}{remedy}", remedy = kind.remedy())]
#[non_exhaustive]
pub struct TriggerError {
    /// Id under which it was tried.
    pub workflow_id: String,
    /// What stood in the way.
    pub kind: FailureKind,
    /// The same in the words of the server or the codec.
    pub reason: String,
}

/// Starts workflows until `options.count` is reached or `shutdown` completes.
///
/// `on_event` is told of every start, failure and result, in order.
///
/// # Errors
///
/// [`TriggerError`] if a start can never succeed: the server finds it invalid, its input cannot be
/// encrypted, or, before anything has been started at all, the server refuses us or has no such
/// namespace.
pub async fn run(
    client: Client,
    options: TriggerOptions,
    shutdown: impl Future<Output = ()>,
    on_event: impl FnMut(Event),
) -> Result<(), TriggerError> {
    let starter = Server::new(client, options.task_queue.clone());
    let mut round = Round::new(starter, options, rand::random::<f64>, on_event);
    tokio::select! {
        () = shutdown => Ok(()),
        ended = round.all() => ended,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::{Client, TriggerOptions, run};

    #[test]
    fn a_trigger_can_run_in_a_task_of_its_own() {
        fn spawnable<F: Future + Send>(_: impl FnOnce(Client, TriggerOptions) -> F) {}

        spawnable(|client, options| run(client, options, pending(), |_| {}));
    }
}
