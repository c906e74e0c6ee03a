//! A workflow of local activities that take their time, which the server does not see run.
#![expect(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "the macros turn each method into a constant without its comment"
)]

use std::time::Duration;

use anyhow::anyhow;
use sealane_worker::{RegistrationError, Settings, WorkerOptions};
use temporalio_common::RetryPolicy;
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::{
    LocalActivityOptions, WorkflowContext, WorkflowResult,
    activities::{ActivityContext, ActivityError},
};

/// How long the first activity runs, and the second waits before it is tried again.
pub const LONG: Duration = Duration::from_secs(5);

pub struct Slow;

#[activities]
impl Slow {
    #[activity(name = "run_long")]
    pub async fn run_long(_ctx: ActivityContext) -> Result<(), ActivityError> {
        tokio::time::sleep(LONG).await;
        Ok(())
    }

    /// Fails once, after which it is tried again only after a while, in which nothing runs.
    #[activity(name = "stumble")]
    pub async fn stumble(ctx: ActivityContext) -> Result<u32, ActivityError> {
        match ctx.info().attempt {
            1 => Err(anyhow!("once more").into()),
            attempt => Ok(attempt),
        }
    }
}

#[workflow]
#[derive(Default)]
pub struct LocalWorkflow;

#[workflow_methods]
impl LocalWorkflow {
    #[run(name = "LocalWorkflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<u32> {
        ctx.execute_local_activity(Slow::run_long, (), LocalActivityOptions::default())
            .await?;
        let later = RetryPolicy::builder().initial_interval(LONG).build();
        let later = LocalActivityOptions::builder().retry_policy(later).build();
        let attempt = ctx.execute_local_activity(Slow::stumble, (), later).await?;
        Ok(attempt)
    }
}

/// Registers the workflow and its activities.
///
/// # Errors
///
/// If they are registered already.
pub fn register(worker: &mut WorkerOptions, _: &Settings) -> Result<(), RegistrationError> {
    worker
        .register_workflow::<LocalWorkflow>()?
        .register_activities(Slow);
    Ok(())
}
