//! The loop of a trigger.

use std::time::SystemTime;

use temporalio_common::protos::temporal::api::common::v1::Payload;
use tokio::{
    task::JoinSet,
    time::{Duration, Instant, sleep_until},
};

use super::{
    Event, FailureKind, Target, TriggerError, TriggerOptions, backoff,
    identity::Identity,
    starter::{Failure, Starter},
};

type Outcome = (String, Result<Vec<Payload>, String>);

/// All starts of one run, and the workflows still waited for.
pub(super) struct Round<S, C, F> {
    starter: S,
    options: TriggerOptions,
    /// Random numbers from 0 to 1.
    chance: C,
    on_event: F,
    waiting: JoinSet<Outcome>,
    started: u64,
}

impl<S, C, F> Round<S, C, F>
where
    S: Starter,
    C: FnMut() -> f64,
    F: FnMut(Event),
{
    pub(super) fn new(starter: S, options: TriggerOptions, chance: C, on_event: F) -> Self {
        Self {
            starter,
            options,
            chance,
            on_event,
            waiting: JoinSet::new(),
            started: 0,
        }
    }

    /// Starts everything that is due, then waits for what is still running.
    pub(super) async fn all(&mut self) -> Result<(), TriggerError> {
        let targets = std::mem::take(&mut self.options.targets);
        let mut due = Instant::now();
        for target in targets.iter().cycle().take(self.total()) {
            self.pass_until(due).await;
            self.start(target).await?;
            due = self.next_after(due);
        }
        while let Some(joined) = self.waiting.join_next().await {
            self.finished(joined);
        }
        Ok(())
    }

    fn total(&self) -> usize {
        let count = self.options.count.map(std::num::NonZeroU64::get);
        count.map_or(usize::MAX, |it| usize::try_from(it).unwrap_or(usize::MAX))
    }

    /// Keeps the beat of the times that were due; after an outage a new beat begins.
    fn next_after(&mut self, due: Instant) -> Instant {
        let period = self
            .options
            .jitter
            .apply(self.options.every, (self.chance)());
        let now = Instant::now();
        if due + period < now {
            now + period
        } else {
            due + period
        }
    }

    /// Starts one workflow, however often it takes.
    async fn start(&mut self, target: &Target) -> Result<(), TriggerError> {
        let mut identity = self.identity(target);
        let mut input = target.input.render(&identity);
        let mut failures = 0;
        // Whether an earlier attempt under this id may have succeeded without our knowing.
        let mut in_doubt = false;
        loop {
            let attempt = self
                .starter
                .start(&target.workflow_type, &identity.workflow_id, &input)
                .await;
            let failure = match ours(attempt, in_doubt) {
                Ok(run_id) => {
                    self.succeeded(target, identity, run_id);
                    return Ok(());
                }
                Err(failure) => failure,
            };
            failures += 1;
            in_doubt = failure.kind != FailureKind::IdTaken;
            self.failed(&identity, failure, failures).await?;
            if !in_doubt {
                identity = self.identity(target);
                input = target.input.render(&identity);
            }
        }
    }

    fn identity(&self, target: &Target) -> Identity {
        Identity::new(&target.workflow_type, self.started + 1, SystemTime::now())
    }

    fn succeeded(&mut self, target: &Target, identity: Identity, run_id: Option<String>) {
        self.started += 1;
        if self.options.wait {
            let id = identity.workflow_id.clone();
            let outcome = self.starter.clone().outcome(id.clone());
            self.waiting.spawn(async move { (id, outcome.await) });
        }
        (self.on_event)(Event::Started {
            counter: identity.counter,
            workflow_type: target.workflow_type.clone(),
            workflow_id: identity.workflow_id,
            run_id,
        });
    }

    /// Waits before the next attempt, if there is any point in one.
    async fn failed(
        &mut self,
        identity: &Identity,
        failure: Failure,
        failures: u32,
    ) -> Result<(), TriggerError> {
        let Failure { kind, reason, .. } = failure;
        let workflow_id = identity.workflow_id.clone();
        if kind.is_final(self.started > 0) {
            return Err(TriggerError {
                workflow_id,
                kind,
                reason,
            });
        }
        let retry_in = backoff::delay(failures, (self.chance)());
        (self.on_event)(Event::StartFailed {
            counter: identity.counter,
            workflow_id,
            kind,
            reason,
            retry_in,
        });
        self.pass(retry_in).await;
        Ok(())
    }

    async fn pass(&mut self, time: Duration) {
        self.pass_until(Instant::now() + time).await;
    }

    /// Reports results while time passes.
    async fn pass_until(&mut self, time: Instant) {
        loop {
            tokio::select! {
                biased;
                Some(joined) = self.waiting.join_next() => self.finished(joined),
                () = sleep_until(time) => return,
            }
        }
    }

    fn finished(&mut self, joined: Result<Outcome, tokio::task::JoinError>) {
        // A task that was aborted or has panicked has no result to report.
        if let Ok((workflow_id, outcome)) = joined {
            (self.on_event)(Event::Finished {
                workflow_id,
                outcome,
            });
        }
    }
}

/// An id that is taken after an attempt in doubt was taken by that attempt.
fn ours(
    attempt: Result<Option<String>, Failure>,
    in_doubt: bool,
) -> Result<Option<String>, Failure> {
    match attempt {
        Err(failure) if in_doubt && failure.kind == FailureKind::IdTaken => Ok(failure.run_id),
        other => other,
    }
}

#[cfg(test)]
mod tests;
