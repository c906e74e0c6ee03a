//! The end of a worker that has nothing left to do, as in a Job that was started for a burst.

use std::time::Duration;

use sealane_client::connection::{PollState, Polls, Work};
use temporalio_sdk::{
    WorkerOptions,
    interceptors::{ActivityInboundInterceptor, ExecuteActivityInput, ExecuteActivityOutput, Next},
};

/// Notices that a worker has had nothing to do for a while. Clones watch the same worker.
#[derive(Clone)]
pub(crate) struct Idle {
    limit: Duration,
    polls: Polls,
    work: Work,
}

impl Idle {
    /// Returns a watch over a worker that does not run yet.
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit,
            polls: Polls::default(),
            work: Work::default(),
        }
    }

    /// The polls of the worker, for its connection.
    pub(crate) fn polls(&self) -> Polls {
        self.polls.clone()
    }

    /// The work of the worker, for its connection.
    pub(crate) fn work(&self) -> Work {
        self.work.clone()
    }

    /// Has the worker's activities, local ones too, count as work for as long as they run.
    pub(crate) fn count_activities(&self, options: &mut WorkerOptions) {
        options.activity_inbound_interceptor(Counted(self.work()));
    }

    /// Completes when the worker is to end: as [`reached`](Self::reached) says, or because it was asked to.
    pub(crate) async fn reached_or(&self, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            () = shutdown => {}
            () = self.reached() => {}
        }
    }

    /// Completes when the worker has polled without success, and had nothing in hand, for the whole
    /// limit. Time in which its polls do not get through does not count: nobody knows what waits.
    async fn reached(&self) {
        let mut polls = self.polls.subscribe();
        let mut seen = polls.borrow_and_update().clone();
        self.work.touch();
        while let Some(wait) = self.remaining(&seen) {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = polls.changed() => {}
            }
            // Both may be ready at once, so a change is looked for whichever was taken.
            let now = polls.borrow_and_update().clone();
            if now != seen {
                self.work.touch();
                seen = now;
            }
        }
        tracing::info!(idle.seconds = self.limit.as_secs(), "nothing to do");
    }

    /// How long it takes at least; `None` if it is over. Whatever is in hand now cannot have been
    /// put down the whole limit ago before the limit has passed once more.
    fn remaining(&self, polls: &PollState) -> Option<Duration> {
        match self.work.quiet_for() {
            Some(quiet) if *polls == PollState::Polling => {
                self.limit.checked_sub(quiet).filter(|left| !left.is_zero())
            }
            _ => Some(self.limit),
        }
    }
}

struct Counted(Work);

impl ActivityInboundInterceptor for Counted {
    fn execute_activity<'a>(
        &'a self,
        input: ExecuteActivityInput,
        next: Next<'a, ExecuteActivityInput, ExecuteActivityOutput<'a>>,
    ) -> ExecuteActivityOutput<'a> {
        let held = self.0.hold();
        Box::pin(async move {
            let _held = held;
            next.run(input).await
        })
    }
}
