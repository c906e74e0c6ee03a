//! `sealane workflow history`.

mod row;

use clap::Args;
use sealane_service::exit;
use serde_json::Value;

use self::row::Row;
use super::arguments::Target;
use crate::{
    cli::{CliError, Globals, output, output::Format},
    workflow::{Execution, Workflows},
};

/// Shows the events of a workflow. With `--output json` it is what the replayer of the Rust SDK reads
/// (`WorkflowHistory::from_json`).
#[derive(Debug, Args)]
pub(crate) struct History {
    #[command(flatten)]
    target: Target,
    /// As the server has it, payloads encrypted; needs no key
    #[arg(long)]
    encrypted: bool,
}

impl History {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let workflows = globals.session().await?.workflows();
        let document = self.document(&workflows).await?;
        match globals.output {
            Format::Json => output::one(Format::Json, &document),
            Format::Table => output::many(Format::Table, &Row::all(&document)),
        }
    }

    async fn document(self, workflows: &Workflows) -> Result<Value, CliError> {
        let execution: Execution = self.target.execution();
        if self.encrypted {
            let history = workflows.encrypted_history(&execution).await?;
            serde_json::to_value(history)
                .map_err(|error| CliError::new(exit::INTERNAL, error.to_string()))
        } else {
            Ok(workflows.history(&execution).await?)
        }
    }
}
