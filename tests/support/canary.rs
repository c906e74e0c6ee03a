//! Flows that send a marked text down every path on which text can leave a worker.
//!
//! The input is a tag nobody else writes. Each path sends the tag with the path's name behind it,
//! so one search of the database for the tag finds every leak, and the decrypted history shows
//! which paths were really taken.
#![expect(
    missing_docs,
    clippy::missing_errors_doc,
    clippy::needless_pass_by_value,
    clippy::ptr_arg,
    reason = "the macros decide the signatures, and turn each method into a constant without its comment"
)]

use std::{
    collections::HashSet,
    error::Error,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sealane_worker::{RegistrationError, Settings, WorkerOptions};
use temporalio_common::{ActivityError as DefinitionError, RetryPolicy};
use temporalio_macros::{activities, activity_definitions, workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, ApplicationFailure, ChildWorkflowOptions, ContinueAsNewOptions,
    LocalActivityOptions, MemoValue, SyncWorkflowContext, TimerOptions, WorkflowContext,
    WorkflowContextView, WorkflowResult,
    activities::{ActivityContext, ActivityError},
};

/// Returns the text that `path` sends.
pub fn mark(tag: &str, path: &str) -> String {
    format!("{tag}/{path}")
}

/// Registers everything in this module.
///
/// # Errors
///
/// If a type is registered already.
pub fn register(worker: &mut WorkerOptions, _: &Settings) -> Result<(), RegistrationError> {
    worker
        .register_workflow::<CanaryWorkflow>()?
        .register_workflow::<CanaryChildWorkflow>()?
        .register_workflow::<FailingWorkflow>()?
        .register_workflow::<ResendingWorkflow>()?
        .register_workflow::<CountingWorkflow>()?
        .register_activities(CanaryActivities);
    Ok(())
}

/// Returns true the first time it is called with `text`.
fn first_time(text: &str) -> bool {
    static SEEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    seen.get_or_insert_with(HashSet::new)
        .insert(text.to_owned())
}

pub struct CanaryActivities;

#[activities]
impl CanaryActivities {
    #[activity(name = "echo")]
    pub async fn echo(_ctx: ActivityContext, input: String) -> Result<String, ActivityError> {
        Ok(format!("{input}+result"))
    }

    /// Heartbeats and fails once, then answers with what it heartbeat before.
    #[activity(name = "stumble")]
    pub async fn stumble(ctx: ActivityContext, tag: String) -> Result<String, ActivityError> {
        let heartbeat: Option<String> = ctx.heartbeat_details().deserialize()?;
        if let Some(heartbeat) = heartbeat {
            return Ok(heartbeat);
        }
        ctx.record_heartbeat(mark(&tag, "heartbeat")).await?;
        let failure = ApplicationFailure::builder(anyhow::anyhow!(mark(&tag, "activity-failure")))
            .type_name("Stumbled".to_owned())
            .details(mark(&tag, "failure-details"))
            .build();
        Err(ActivityError::application(failure))
    }

    #[activity(name = "panic_once")]
    pub async fn panic_once(_ctx: ActivityContext, tag: String) -> Result<(), ActivityError> {
        let text = mark(&tag, "activity-panic");
        assert!(!first_time(&text), "{text}");
        Ok(())
    }

    #[activity(name = "refuse")]
    pub async fn refuse(_ctx: ActivityContext, text: String) -> Result<(), ActivityError> {
        let failure = ApplicationFailure::non_retryable(anyhow::anyhow!(text));
        Err(ActivityError::application(failure))
    }

    #[activity(name = "count")]
    pub async fn count(_ctx: ActivityContext, number: u64) -> Result<u64, ActivityError> {
        Ok(number + 1)
    }
}

/// The activity `count` as a caller sees it who has the type of its input wrong.
pub struct Misunderstood;

#[activity_definitions]
impl Misunderstood {
    #[activity(name = "count")]
    #[expect(clippy::needless_pass_by_value, reason = "nothing calls its body")]
    pub fn count(text: String) -> Result<u64, DefinitionError> {
        unimplemented!()
    }
}

#[workflow]
#[derive(Default)]
pub struct CanaryWorkflow {
    signalled: bool,
    updated: bool,
}

#[workflow_methods]
impl CanaryWorkflow {
    /// First round: everything a workflow can send, until a signal and an update have come. Second
    /// round, after continue-as-new: panics once, then completes.
    #[run(name = "CanaryWorkflow")]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        input: (String, u32),
    ) -> WorkflowResult<String> {
        let (tag, round) = input;
        if round == 1 {
            Self::say_everything(ctx, &tag).await?;
            ctx.wait_condition(|state| state.signalled && state.updated)
                .await?;
            ctx.continue_as_new(
                (mark(&tag, "continued"), 2),
                ContinueAsNewOptions::default(),
            )?;
        }
        let tag = tag.trim_end_matches("/continued");
        let text = mark(tag, "workflow-panic");
        assert!(!first_time(&text), "{text}");
        Ok(mark(tag, "result"))
    }

    #[signal(name = "note")]
    pub fn note(&mut self, _ctx: &mut SyncWorkflowContext<Self>, text: String) {
        let panic = format!("{text}-panic");
        assert!(!first_time(&panic), "{panic}");
        self.signalled = true;
    }

    #[query(name = "look")]
    pub fn look(
        &self,
        _ctx: &WorkflowContextView,
        text: String,
    ) -> Result<String, Box<dyn Error + Send + Sync>> {
        if text.ends_with("query-failure") {
            return Err(text.into());
        }
        assert!(!text.ends_with("query-panic"), "{text}");
        Ok(format!("{text}+answer"))
    }

    #[update_validator(put)]
    fn validate_put(
        &self,
        _ctx: &WorkflowContextView,
        text: &String,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        if text.ends_with("update-rejection") {
            return Err(text.clone().into());
        }
        Ok(())
    }

    #[update(name = "put")]
    pub fn put(
        &mut self,
        _ctx: &mut SyncWorkflowContext<Self>,
        text: String,
    ) -> Result<String, Box<dyn Error + Send + Sync>> {
        if text.ends_with("update-failure") {
            return Err(text.into());
        }
        self.updated = true;
        Ok(format!("{text}+result"))
    }

    async fn say_everything(ctx: &mut WorkflowContext<Self>, tag: &str) -> WorkflowResult<()> {
        ctx.upsert_memo([("upserted", Some(MemoValue::new(mark(tag, "upserted-memo"))))])?;
        ctx.timer(
            TimerOptions::builder(Duration::from_millis(1))
                .summary(mark(tag, "timer-summary"))
                .build(),
        )
        .await;
        ctx.execute_activity(
            CanaryActivities::echo,
            mark(tag, "activity-input"),
            options(&mark(tag, "activity-summary")),
        )
        .await?;
        ctx.execute_local_activity(
            CanaryActivities::echo,
            mark(tag, "local-activity"),
            LocalActivityOptions::default(),
        )
        .await?;
        ctx.execute_activity(CanaryActivities::stumble, tag.to_owned(), options(""))
            .await?;
        ctx.execute_activity(CanaryActivities::panic_once, tag.to_owned(), options(""))
            .await?;
        let misread = ctx
            .execute_activity(
                Misunderstood::count,
                mark(tag, "activity-wrong-type"),
                once(),
            )
            .await;
        assert!(misread.is_err(), "a text is not a number");
        Self::raise(ctx, tag).await
    }

    async fn raise(ctx: &mut WorkflowContext<Self>, tag: &str) -> WorkflowResult<()> {
        let child = ChildWorkflowOptions::builder()
            .static_summary(mark(tag, "child-summary"))
            .static_details(mark(tag, "child-details"))
            .build();
        let child = ctx
            .start_child_workflow(CanaryChildWorkflow::run, mark(tag, "child-input"), child)
            .await?;
        child.result().await?;
        Ok(())
    }
}

/// Short waits between attempts: the retries are wanted here, not the wait.
fn options(summary: &str) -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(Duration::from_secs(10))
        .heartbeat_timeout(Duration::from_secs(5))
        .summary(summary.to_owned())
        .retry_policy(
            RetryPolicy::builder()
                .initial_interval(Duration::from_millis(10))
                .build(),
        )
        .build()
}

fn once() -> ActivityOptions {
    ActivityOptions::with_start_to_close_timeout(Duration::from_secs(10))
        .retry_policy(RetryPolicy::builder().maximum_attempts(1).build())
        .build()
}

#[workflow]
#[derive(Default)]
pub struct CanaryChildWorkflow;

#[workflow_methods]
impl CanaryChildWorkflow {
    #[run(name = "CanaryChildWorkflow")]
    pub async fn run(_ctx: &mut WorkflowContext<Self>, text: String) -> WorkflowResult<String> {
        Ok(format!("{text}+result"))
    }
}

#[workflow]
#[derive(Default)]
pub struct FailingWorkflow;

#[workflow_methods]
impl FailingWorkflow {
    #[run(name = "FailingWorkflow")]
    pub async fn run(_ctx: &mut WorkflowContext<Self>, tag: String) -> WorkflowResult<()> {
        let cause = anyhow::anyhow!(mark(&tag, "failure-cause"));
        Err(
            ApplicationFailure::builder(cause.context(mark(&tag, "workflow-failure")))
                .non_retryable(true)
                .build()
                .into(),
        )
    }
}

/// Ends with the failure of a local activity, as it comes back from the history: with the text that
/// was decoded on the way in.
#[workflow]
#[derive(Default)]
pub struct ResendingWorkflow;

#[workflow_methods]
impl ResendingWorkflow {
    #[run(name = "ResendingWorkflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, tag: String) -> WorkflowResult<()> {
        let text = mark(&tag, "local-failure");
        let refused = ctx
            .execute_local_activity(
                CanaryActivities::refuse,
                text,
                LocalActivityOptions::default(),
            )
            .await;
        // Without a cache, the task after this timer replays everything before it.
        ctx.timer(Duration::from_millis(1)).await;
        refused?;
        Ok(())
    }
}

/// Wants numbers, so that texts sent to it end in deserialisation errors, which quote them.
#[workflow]
#[derive(Default)]
pub struct CountingWorkflow {
    count: u64,
}

#[workflow_methods]
impl CountingWorkflow {
    #[run(name = "CountingWorkflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, until: u64) -> WorkflowResult<u64> {
        ctx.wait_condition(move |state| state.count >= until)
            .await?;
        Ok(ctx.state(|state| state.count))
    }

    #[signal(name = "add")]
    pub fn add(&mut self, _ctx: &mut SyncWorkflowContext<Self>, number: u64) {
        self.count += number;
    }

    #[query(name = "more_than")]
    pub fn more_than(&self, _ctx: &WorkflowContextView, number: u64) -> bool {
        self.count > number
    }

    #[update(name = "set")]
    pub fn set(&mut self, _ctx: &mut SyncWorkflowContext<Self>, number: u64) -> u64 {
        std::mem::replace(&mut self.count, number)
    }
}
