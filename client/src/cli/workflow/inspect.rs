//! `sealane workflow describe` and `list`.

use clap::Args;

use super::arguments::Target;
use crate::{
    cli::{CliError, Globals, output, output::Format},
    failure::Report,
};

/// Shows what the server knows about a workflow: status, memo, pending activities. What cannot be
/// decrypted is shown encrypted, with a warning.
#[derive(Debug, Args)]
pub(crate) struct Describe {
    #[command(flatten)]
    target: Target,
}

impl Describe {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let workflows = globals.session().await?.workflows();
        let (mut description, unreadable) = workflows.describe(&self.target.execution()).await?;
        if let Some(reason) = unreadable {
            eprintln!("sealane: warning: shown encrypted: {reason}");
        }
        if globals.output == Format::Table {
            for activity in &mut description.pending_activities {
                activity.last_failure = activity
                    .last_failure
                    .take()
                    .map(Report::without_stack_traces);
            }
        }
        output::one(globals.output, &description)
    }
}

/// Lists workflows, latest start first.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// List filter, such as `WorkflowType = 'OrderWorkflow' AND ExecutionStatus = 'Running'`
    #[arg(long, short, default_value_t)]
    query: String,
    /// Most rows to print
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let workflows = globals.session().await?.workflows();
        let page = workflows.list(&self.query, self.limit).await?;
        output::many(globals.output, &page.rows)?;
        if page.more {
            eprintln!("sealane: there are more; --limit or --query show others");
        }
        Ok(())
    }
}
