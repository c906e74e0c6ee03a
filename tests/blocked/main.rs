//! A worker as others write one, with a workflow that does what a workflow must never do.

use std::{process::ExitCode, thread};

use sealane_worker::{RegistrationError, Settings, WorkerOptions};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{WorkflowContext, WorkflowResult};

fn main() -> ExitCode {
    sealane_worker::main(register)
}

fn register(worker: &mut WorkerOptions, _: &Settings) -> Result<(), RegistrationError> {
    worker.register_workflow::<BlockedWorkflow>()?;
    Ok(())
}

#[workflow]
#[derive(Default)]
struct BlockedWorkflow;

#[workflow_methods]
impl BlockedWorkflow {
    /// Blocks its thread for good.
    #[run(name = "BlockedWorkflow")]
    async fn run(_ctx: &mut WorkflowContext<Self>) -> WorkflowResult<()> {
        tracing::warn!("blocked for good");
        loop {
            thread::park();
        }
    }
}
