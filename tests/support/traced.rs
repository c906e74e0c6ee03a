//! A workflow and an activity that answer with the trace they run in.
#![expect(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "the macros turn each method into a constant without its comment"
)]

use std::time::Duration;

use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt},
};
use sealane_service::telemetry::Ids;
use sealane_worker::{RegistrationError, Settings, WorkerOptions};
use serde::{Deserialize, Serialize};
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, WorkflowContext, WorkflowResult,
    activities::{ActivityContext, ActivityError},
};

/// Registers both.
///
/// # Errors
///
/// If they are registered already.
pub fn register(worker: &mut WorkerOptions, _: &Settings) -> Result<(), RegistrationError> {
    worker
        .register_workflow::<TracedWorkflow>()?
        .register_activities(TracedActivities);
    Ok(())
}

/// What code sees of the trace it runs in.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Within {
    /// The current span, as the header of that name has it.
    pub traceparent: Option<String>,
    /// What log lines would carry.
    pub ids: Option<String>,
}

impl Within {
    fn now() -> Self {
        let context = Context::current();
        let span = context.span().span_context().clone();
        Self {
            traceparent: span.is_valid().then(|| traceparent(&span)),
            ids: context.get::<Ids>().map(|ids| format!("{ids:?}")),
        }
    }
}

/// Returns `span` in the form of W3C Trace Context.
pub fn traceparent(span: &SpanContext) -> String {
    let flags = span.trace_flags().to_u8();
    format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id())
}

/// Answers with what it sees, and with what the activity `look` sees, of the given task queue if
/// there is one.
#[workflow]
#[derive(Default)]
pub struct TracedWorkflow;

#[workflow_methods]
impl TracedWorkflow {
    #[run(name = "TracedWorkflow")]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        elsewhere: Option<String>,
    ) -> WorkflowResult<Vec<Within>> {
        let here = Within::now();
        let options = ActivityOptions::with_start_to_close_timeout(Duration::from_secs(10))
            .maybe_task_queue(elsewhere)
            .build();
        let there = ctx
            .execute_activity(TracedActivities::look, (), options)
            .await?;
        Ok(vec![here, there])
    }
}

pub struct TracedActivities;

#[activities]
impl TracedActivities {
    #[activity(name = "look")]
    pub async fn look(_ctx: ActivityContext, _: ()) -> Result<Within, ActivityError> {
        Ok(Within::now())
    }
}
