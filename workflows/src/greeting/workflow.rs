//! `GreetingWorkflow`: greet, process, finish.
#![expect(
    missing_docs,
    reason = "the macro turns each method into a constant without its comment"
)]

use std::time::Duration;

use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{ActivityOptions, WorkflowContext, WorkflowResult};

use super::GreetingActivities;

/// How long one attempt of a greeting activity may take.
///
/// The activities only format text, so ten seconds pass only when the worker that took the task is gone. Retries are
/// Temporal's default: without limit, because an activity that cannot fail is retried only after such a loss.
pub const START_TO_CLOSE: Duration = Duration::from_secs(10);

/// Turns a name into `Final result: Processed: Hello, {name}!`.
#[workflow]
#[derive(Default)]
pub struct GreetingWorkflow;

#[workflow_methods]
impl GreetingWorkflow {
    /// Runs the three activities in sequence; each one's answer is the next one's input.
    ///
    /// # Errors
    ///
    /// What an activity failed with for good, or the workflow's cancellation.
    #[run(name = "GreetingWorkflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, name: String) -> WorkflowResult<String> {
        let options = ActivityOptions::start_to_close_timeout(START_TO_CLOSE);
        let greeting = ctx
            .execute_activity(GreetingActivities::greet, name, options.clone())
            .await?;
        let processed = ctx
            .execute_activity(GreetingActivities::process, greeting, options.clone())
            .await?;
        let finished = ctx
            .execute_activity(GreetingActivities::finish, processed, options)
            .await?;
        Ok(finished)
    }
}
