//! `sealane workflow`: workflows of any type.

mod arguments;
mod end;
mod history;
mod inspect;
mod message;
mod start;
mod wait;

use clap::Subcommand;

use super::{CliError, Globals};

#[derive(Debug, Subcommand)]
pub(super) enum WorkflowCommand {
    /// Start a workflow and return at once
    Start(start::Start),
    /// Start a workflow, wait for it, and print its result
    Run(start::Run),
    /// Show what the server knows about a workflow, decrypted
    Describe(inspect::Describe),
    /// Wait for a workflow to end and print its result, decrypted
    Result(end::WaitForResult),
    /// Send a signal
    Signal(message::Signal),
    /// Ask a query and print the answer, decrypted
    Query(message::Query),
    /// Send an update, wait for it, and print the answer, decrypted
    Update(message::Update),
    /// Request cancellation; the workflow cleans up and ends
    Cancel(end::Cancel),
    /// End a workflow at once, without cleaning up
    Terminate(end::Terminate),
    /// List workflows
    List(inspect::List),
    /// Show the events of a workflow, decrypted
    History(history::History),
}

impl WorkflowCommand {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        match self {
            Self::Start(command) => command.run(globals).await,
            Self::Run(command) => Box::pin(command.run(globals)).await,
            Self::Describe(command) => command.run(globals).await,
            Self::Result(command) => command.run(globals).await,
            Self::Signal(command) => command.run(globals).await,
            Self::Query(command) => command.run(globals).await,
            Self::Update(command) => command.run(globals).await,
            Self::Cancel(command) => command.run(globals).await,
            Self::Terminate(command) => command.run(globals).await,
            Self::List(command) => command.run(globals).await,
            Self::History(command) => command.run(globals).await,
        }
    }
}
