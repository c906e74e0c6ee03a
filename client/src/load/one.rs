//! One workflow of the load, from its start to its result.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use sealane_service::exit::with_causes;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Expected, LoadOptions, Recorder, recorder::Mishap};
use crate::{
    payload,
    trigger::{Identity, InputTemplate},
    workflow::{Ending, Start, Workflows},
};

/// Starts workflows, one after the other, and records how each of them went.
pub(super) struct Starts {
    workflows: Workflows,
    start: Start,
    input: InputTemplate,
    expected: Expected,
    timeout: Duration,
    recorder: Arc<Recorder>,
    /// Tells the ids of this load from those of others.
    load: String,
    counter: AtomicU64,
}

impl Starts {
    pub(super) fn new(
        workflows: Workflows,
        options: &LoadOptions,
        recorder: Arc<Recorder>,
    ) -> Self {
        let random = Uuid::new_v4().simple().to_string();
        let start = Start {
            workflow_type: options.workflow_type.clone(),
            task_queue: options.task_queue.clone(),
            ..Start::default()
        };
        Self {
            workflows,
            start,
            input: options.input.clone(),
            expected: options.expected.clone(),
            timeout: options.timeout,
            recorder,
            load: random.chars().take(8).collect(),
            counter: AtomicU64::new(0),
        }
    }

    /// Runs one workflow. Its time counts from `due`.
    pub(super) async fn one(&self, due: Instant) {
        self.recorder.started();
        let outcome = tokio::time::timeout(self.timeout, self.result(due)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(Mishap::no_result(self.timeout)));
        self.recorder.ended(due.elapsed(), outcome);
    }

    async fn result(&self, due: Instant) -> Result<(), Mishap> {
        let identity = self.identity();
        let input = self.input.render(&identity);
        let start = Start {
            workflow_id: identity.workflow_id.clone(),
            input: input.iter().map(payload::from_json).collect(),
            ..self.start.clone()
        };
        let mishap = |kind, reason: &str| Mishap::new(kind, &identity.workflow_id, reason);
        let started = self.workflows.start(start).await;
        let started = started.map_err(|error| mishap("not-started", &with_causes(&error)))?;
        self.recorder.accepted(due.elapsed());
        let outcome = self.workflows.outcome(&started.execution()).await;
        let outcome = outcome.map_err(|error| mishap("no-result", &with_causes(&error)))?;
        match outcome.ending {
            Ending::Completed(result) if self.expected.is_met_by(&identity, &result) => Ok(()),
            // The result is the user's plaintext; the id is enough to look it up.
            Ending::Completed(_) => Err(mishap("wrong-result", "")),
            Ending::Failed(report) => Err(mishap("failed", &report.to_string())),
            other => Err(mishap("ended-otherwise", other.status())),
        }
    }

    /// Returns what tells the next workflow from all others. Its id is `load-<load>-<counter>`, always
    /// of the same length, so that payloads that hold it are of one size.
    fn identity(&self) -> Identity {
        let counter = self.counter.fetch_add(1, Ordering::Relaxed) + 1;
        Identity {
            counter,
            timestamp: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            workflow_id: format!("load-{}-{counter:09}", self.load),
        }
    }
}
