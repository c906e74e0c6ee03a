//! A workflow with a history as long as Temporal warns of, which another worker takes over.

use std::time::{Duration, Instant};

use sealane_tests::{TestWorker, World};
use sealane_worker::{RegistrationError, Settings, WorkerOptions};
use temporalio_client::{
    WorkflowDescribeOptions, WorkflowGetResultOptions, WorkflowSignalOptions, WorkflowStartOptions,
};
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, SyncWorkflowContext, WorkflowContext, WorkflowResult,
    activities::{ActivityContext, ActivityError},
    workflows::join_all,
};
use tokio::time::timeout;

/// Activities that run side by side, and how often as many run.
const AT_ONCE: u32 = 100;
const ROUNDS: u32 = 34;

/// Events after which the server begins to warn ([limits]). Every activity leaves three: scheduled, started, completed.
///
/// [limits]: https://docs.temporal.io/workflow-execution/limits
const LONG: usize = 10_240;

/// How long that, and the replay, may take on a busy machine, on which even a task may take a minute; about ten seconds
/// and one on an idle machine.
const LIMIT: Duration = Duration::from_secs(300);

pub(crate) struct Twice;

#[activities]
impl Twice {
    #[activity(name = "twice")]
    pub(crate) async fn twice(_ctx: ActivityContext, number: u32) -> Result<u32, ActivityError> {
        Ok(number * 2)
    }
}

#[workflow]
#[derive(Default)]
pub(crate) struct LongWorkflow {
    asked: bool,
}

#[workflow_methods]
impl LongWorkflow {
    /// Adds up what all activities return, and returns it when asked.
    #[run(name = "LongWorkflow")]
    pub(crate) async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<u32> {
        let limit = ActivityOptions::with_start_to_close_timeout(Duration::from_secs(60)).build();
        let mut sum = 0;
        for round in 0..ROUNDS {
            let numbers = (0..AT_ONCE).map(|number| round * AT_ONCE + number);
            let running =
                numbers.map(|number| ctx.execute_activity(Twice::twice, number, limit.clone()));
            for doubled in join_all(running).await {
                sum += doubled?;
            }
        }
        ctx.wait_condition(|state| state.asked).await?;
        Ok(sum)
    }

    #[signal(name = "ask")]
    pub(crate) fn ask(&mut self, _ctx: &mut SyncWorkflowContext<Self>) {
        self.asked = true;
    }
}

fn register(worker: &mut WorkerOptions, _: &Settings) -> Result<(), RegistrationError> {
    worker
        .register_workflow::<LongWorkflow>()?
        .register_activities(Twice);
    Ok(())
}

#[tokio::test]
async fn ten_thousand_events_are_replayed_by_the_next_worker() -> anyhow::Result<()> {
    let world = World::new().await;
    let first = TestWorker::start(world.settings(), register);
    let client = world.client().await;
    // So that a slow machine is not taken for a task that is tried again.
    let options = WorkflowStartOptions::new(world.task_queue(), world.id("long"))
        .task_timeout(Duration::from_secs(60))
        .build();
    let handle = client
        .start_workflow(LongWorkflow::run, (), options)
        .await?;
    let events = async || {
        let description = handle.describe(WorkflowDescribeOptions::default()).await;
        description.map(|it| it.history_length())
    };
    let grown = async {
        while events().await? < LONG {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::Ok(())
    };
    timeout(LIMIT, grown).await??;
    first.stop().await?;

    let second = TestWorker::start(world.settings(), register);
    let asked = Instant::now();
    handle
        .signal(LongWorkflow::ask, (), WorkflowSignalOptions::default())
        .await?;
    let result = handle.get_result(WorkflowGetResultOptions::default());
    let sum: u32 = timeout(LIMIT, result).await??;
    eprintln!(
        "{} events, of which a worker that had none of them made the result in {:.1} s",
        events().await?,
        asked.elapsed().as_secs_f64()
    );

    let numbers = ROUNDS * AT_ONCE;
    assert_eq!(sum, numbers * (numbers - 1));
    second.stop().await?;
    Ok(())
}
