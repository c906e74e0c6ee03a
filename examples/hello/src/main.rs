//! One workflow, one activity, one worker.

use std::{process::ExitCode, time::Duration};

use sealane_worker::{RegistrationError, Settings, WorkerOptions};
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::{
    ActivityOptions, WorkflowContext, WorkflowResult,
    activities::{ActivityContext, ActivityError},
};

#[workflow]
#[derive(Default)]
struct HelloWorkflow;

#[workflow_methods]
impl HelloWorkflow {
    #[run(name = "HelloWorkflow")]
    async fn run(ctx: &mut WorkflowContext<Self>, name: String) -> WorkflowResult<String> {
        let options = ActivityOptions::start_to_close_timeout(Duration::from_secs(10));
        Ok(ctx.execute_activity(Hello::say, name, options).await?)
    }
}

struct Hello;

#[activities]
impl Hello {
    #[activity(name = "say")]
    async fn say(_ctx: ActivityContext, name: String) -> Result<String, ActivityError> {
        Ok(format!("Hello, {name}!"))
    }
}

fn register(worker: &mut WorkerOptions, _: &Settings) -> Result<(), RegistrationError> {
    worker
        .register_workflow::<HelloWorkflow>()?
        .register_activities(Hello);
    Ok(())
}

fn main() -> ExitCode {
    sealane_worker::main(register)
}

#[cfg(test)]
mod tests;
