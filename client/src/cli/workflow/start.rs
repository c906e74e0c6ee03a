//! `sealane workflow start` and `run`.

use clap::Args;

use super::{
    arguments::{NewWorkflow, Patience},
    end,
};
use crate::{
    cli::{CliError, Globals, Session, output, session},
    workflow::{Started, Workflows},
};

/// Starts a workflow and prints its id and run. Arguments, memo, summary and details are encrypted.
#[derive(Debug, Args)]
pub(crate) struct Start {
    #[command(flatten)]
    workflow: NewWorkflow,
}

impl Start {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let (_, started) = start(self.workflow, globals).await?;
        output::one(globals.output, &started)
    }
}

/// Starts a workflow, waits for it and prints its result. A workflow that ends otherwise makes the
/// command fail. Ctrl-C and `--timeout` stop the waiting, not the workflow.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    workflow: NewWorkflow,
    #[command(flatten)]
    patience: Patience,
}

impl Run {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let (workflows, started) = start(self.workflow, globals).await?;
        let verb = if started.started {
            "started"
        } else {
            "runs already"
        };
        eprintln!(
            "sealane: workflow {:?} {verb}, run {}",
            started.workflow_id, started.run_id
        );
        end::report(
            &workflows,
            &started.execution(),
            &self.patience,
            globals.output,
        )
        .await
    }
}

/// The input is read before anything is connected, so that a typo in it costs no time.
async fn start(workflow: NewWorkflow, globals: &Globals) -> Result<(Workflows, Started), CliError> {
    let settings = session::settings(globals.config.as_deref())?;
    let request = workflow.read(&settings.temporal.task_queue)?;
    let workflows = Session::with(settings).await?.workflows();
    let started = workflows.start(request).await?;
    Ok((workflows, started))
}
