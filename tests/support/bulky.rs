//! Flows that send as many bytes as they are told down one path.
#![expect(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::needless_pass_by_value,
    reason = "the macros decide the signatures, and turn each method into a constant without its comment"
)]

use std::{
    error::Error,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use sealane_worker::{RegistrationError, Settings, WorkerOptions};
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, ApplicationFailure, ChildWorkflowOptions, ContinueAsNewOptions,
    LocalActivityOptions, MemoValue, SignalWorkflowOptions, SyncWorkflowContext, WorkflowContext,
    WorkflowContextView, WorkflowResult,
    activities::{ActivityContext, ActivityError},
};

/// Well above what encryption and encoding add.
pub const MUCH: usize = 100_000;

/// Whether the path `mended` has come to its senses, as if other code had been deployed.
pub static MENDED: AtomicBool = AtomicBool::new(false);

/// Returns text of that many bytes.
pub fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// Registers everything in this module.
///
/// # Errors
///
/// If a type is registered already.
pub fn register(worker: &mut WorkerOptions, _: &Settings) -> Result<(), RegistrationError> {
    worker
        .register_workflow::<BulkyWorkflow>()?
        .register_workflow::<BulkyChildWorkflow>()?
        .register_activities(BulkyActivities);
    Ok(())
}

pub struct BulkyActivities;

#[activities]
impl BulkyActivities {
    /// Takes text and returns how long it is.
    #[activity(name = "take")]
    pub async fn take(_ctx: ActivityContext, text: String) -> Result<usize, ActivityError> {
        Ok(text.len())
    }

    /// Returns that many bytes, the way `path` says.
    #[activity(name = "give")]
    pub async fn give(
        ctx: ActivityContext,
        (path, bytes): (String, usize),
    ) -> Result<String, ActivityError> {
        let failure = |message: String| ApplicationFailure::builder(anyhow::anyhow!(message));
        match path.as_str() {
            "activity-failure" => Err(ActivityError::application(failure(text(bytes)).build())),
            "failure-details" => Err(ActivityError::application(
                failure("with details".to_owned())
                    .details(text(bytes))
                    .build(),
            )),
            "heartbeat" => {
                ctx.record_heartbeat(text(bytes)).await?;
                ctx.cancelled().await;
                Err(ActivityError::cancelled())
            }
            "last-heartbeat" => {
                ctx.record_heartbeat("small").await?;
                ctx.record_heartbeat(text(bytes)).await?;
                Err(ActivityError::application(
                    failure("late".to_owned()).build(),
                ))
            }
            _ => Ok(text(bytes)),
        }
    }
}

#[workflow]
#[derive(Default)]
pub struct BulkyWorkflow {
    done: bool,
}

#[workflow_methods]
impl BulkyWorkflow {
    /// Sends `bytes` down `path`.
    #[run(name = "BulkyWorkflow")]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        (path, bytes): (String, usize),
    ) -> WorkflowResult<String> {
        match path.as_str() {
            "wait" => ctx.wait_condition(|state| state.done).await?,
            "activity-input" => {
                ctx.execute_activity(BulkyActivities::take, text(bytes), options())
                    .await?;
            }
            "many-inputs" => {
                let take = || ctx.execute_activity(BulkyActivities::take, text(bytes), options());
                let (one, two, three) = futures::join!(take(), take(), take());
                one?;
                two?;
                three?;
            }
            "local-result" => {
                let give = ("local-result".to_owned(), bytes);
                let options = LocalActivityOptions::default();
                ctx.execute_local_activity(BulkyActivities::give, give, options)
                    .await?;
            }
            "child-input" => {
                let options = ChildWorkflowOptions::default();
                let child = ctx
                    .start_child_workflow(BulkyChildWorkflow::run, text(bytes), options)
                    .await?;
                child.result().await?;
            }
            "external-signal" => {
                let options = SignalWorkflowOptions::default();
                ctx.external_workflow("nobody", None)
                    .signal(Self::take, text(bytes), options)
                    .await?;
            }
            "memo" => {
                ctx.upsert_memo([("bulk", Some(MemoValue::new(text(bytes))))])?;
            }
            "continued" => {
                let options = ContinueAsNewOptions::default();
                ctx.continue_as_new((text(bytes), 0), options)?;
            }
            "mended" if MENDED.load(Ordering::Relaxed) => {}
            "result" | "mended" => return Ok(text(bytes)),
            "failure" => {
                let failure = ApplicationFailure::builder(anyhow::anyhow!(text(bytes)));
                return Err(failure.non_retryable(true).build().into());
            }
            _ => {
                let give = (path.clone(), bytes);
                ctx.execute_activity(BulkyActivities::give, give, options())
                    .await?;
            }
        }
        Ok(format!("{path} done"))
    }

    #[signal(name = "take")]
    pub fn take(&mut self, _ctx: &mut SyncWorkflowContext<Self>, text: String) {
        self.done = text == "end";
    }

    #[query(name = "give")]
    pub fn give(
        &self,
        _ctx: &WorkflowContextView,
        bytes: usize,
    ) -> Result<String, Box<dyn Error + Send + Sync>> {
        Ok(text(bytes))
    }

    #[update_validator(put)]
    fn validate_put(
        &self,
        _ctx: &WorkflowContextView,
        (text_in, bytes): &(String, usize),
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        if text_in == "refuse" {
            return Err(text(*bytes).into());
        }
        Ok(())
    }

    #[update(name = "put")]
    pub fn put(
        &mut self,
        _ctx: &mut SyncWorkflowContext<Self>,
        (text_in, bytes): (String, usize),
    ) -> Result<String, Box<dyn Error + Send + Sync>> {
        if text_in == "fail" {
            return Err(text(bytes).into());
        }
        Ok(text(bytes))
    }
}

/// Longer than the slowest machine takes for the largest text: a second attempt is to mean something.
fn options() -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(Duration::from_secs(120))
        .heartbeat_timeout(Duration::from_secs(60))
        .build()
}

#[workflow]
#[derive(Default)]
pub struct BulkyChildWorkflow;

#[workflow_methods]
impl BulkyChildWorkflow {
    #[run(name = "BulkyChildWorkflow")]
    pub async fn run(_ctx: &mut WorkflowContext<Self>, text: String) -> WorkflowResult<usize> {
        Ok(text.len())
    }
}
