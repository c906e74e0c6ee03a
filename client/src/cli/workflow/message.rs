//! `sealane workflow signal`, `query` and `update`.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    arguments::{Inputs, Patience, Target},
    wait,
};
use crate::{
    cli::{CliError, Globals, NOT_DONE, output},
    workflow::Updated,
};

/// Sends a signal. The server takes any name; one that the workflow does not know has no effect.
#[derive(Debug, Args)]
pub(crate) struct Signal {
    #[command(flatten)]
    target: Target,
    /// Name of the signal
    #[arg(long)]
    name: String,
    #[command(flatten)]
    inputs: Inputs,
}

/// A signal that was delivered.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Signaled {
    workflow_id: String,
    signal: String,
}

impl Signal {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let input = self.inputs.payloads()?;
        let workflows = globals.session().await?.workflows();
        let execution = self.target.execution();
        workflows.signal(&execution, &self.name, input).await?;
        let signaled = Signaled {
            workflow_id: execution.workflow_id,
            signal: self.name,
        };
        output::one(globals.output, &signaled)
    }
}

/// Asks a query and prints the answer. Works on ended workflows too; a worker has to be running.
#[derive(Debug, Args)]
pub(crate) struct Query {
    #[command(flatten)]
    target: Target,
    /// Name of the query
    #[arg(long, alias = "type")]
    name: String,
    #[command(flatten)]
    inputs: Inputs,
}

/// The answer to a query.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    workflow_id: String,
    query: String,
    result: Value,
}

impl Query {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let input = self.inputs.payloads()?;
        let workflows = globals.session().await?.workflows();
        let execution = self.target.execution();
        let asked = workflows.query(&execution, &self.name, input);
        let result = wait::until(&workflows, &execution, None, "ask again", asked).await?;
        let answer = Answer {
            workflow_id: execution.workflow_id,
            query: self.name,
            result,
        };
        output::one(globals.output, &answer)
    }
}

/// Sends an update and waits for its answer. The workflow may refuse it, which makes the command
/// fail. Ctrl-C and `--timeout` stop the waiting, not an update that was accepted.
#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    target: Target,
    /// Name of the update
    #[arg(long)]
    name: String,
    /// Id of this update, so that repeating the command does nothing twice. Default: random
    #[arg(long)]
    update_id: Option<String>,
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    patience: Patience,
}

/// An update that the workflow made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    workflow_id: String,
    update: String,
    update_id: String,
    result: Value,
}

impl Update {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let input = self.inputs.payloads()?;
        let workflows = globals.session().await?.workflows();
        let execution = self.target.execution();
        let update_id = self.update_id.unwrap_or_else(|| Uuid::new_v4().to_string());
        let again = format!("repeat the command with --update-id {update_id}");
        let done = workflows.update(&execution, &self.name, &update_id, input);
        match wait::until(&workflows, &execution, self.patience.timeout, &again, done).await? {
            Updated::Completed(result) => {
                let workflow_id = execution.workflow_id;
                let made = Made {
                    workflow_id,
                    update: self.name,
                    update_id,
                    result,
                };
                output::one(globals.output, &made)
            }
            Updated::Failed(report) => {
                let message = format!("update {:?} failed: {report}", self.name);
                Err(CliError::new(NOT_DONE, message))
            }
        }
    }
}
