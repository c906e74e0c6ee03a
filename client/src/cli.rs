//! The command line `sealane`.

mod completions;
mod config;
mod doctor;
mod error;
pub mod input;
mod keys;
mod load;
mod manifests;
pub mod output;
mod schedule;
mod serve;
mod session;
mod tokens;
mod trigger;
mod workflow;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use sealane_service::{build, core_dumps, exit};

pub use self::{
    error::{CliError, INTERRUPTED, NOT_DONE, STILL_RUNNING},
    session::Session,
};

use self::output::Format;

/// Shown below `--help`; docs/cli.md says the same at length.
const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  not done: the workflow failed, does not exist, or said no; manifests have mistakes
   64  bad arguments or malformed JSON
   69  the Temporal server cannot be reached
   70  a fault in sealane or in the server
   75  --timeout passed, or no worker answered; ask again later
   77  the server refused the credentials
   78  bad settings, key ring or namespace
  130  stopped waiting because of Ctrl-C";

/// Starts, watches and steers encrypted Temporal workflows.
#[derive(Debug, Parser)]
#[command(name = "sealane", version = build::version(), after_help = EXIT_CODES, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, clap::Args)]
pub struct Globals {
    /// File of KEY=VALUE settings; the environment overrides it. Default: `SEALANE_CONFIG`
    #[arg(long, global = true, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// How to print results
    #[arg(
        long,
        short,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub output: Format,
}

impl Globals {
    /// Loads the settings and connects, as [`Session::open`].
    ///
    /// # Errors
    ///
    /// As for [`Session::open`].
    pub async fn session(&self) -> Result<Session, CliError> {
        Session::open(self.config.as_deref()).await
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start, watch and steer workflows of any type
    #[command(subcommand)]
    Workflow(Box<workflow::WorkflowCommand>),
    /// Start workflows at set times, by Temporal Schedules
    #[command(subcommand)]
    Schedule(Box<schedule::ScheduleCommand>),
    /// Start workflows periodically for as long as this process runs
    Trigger(trigger::TriggerCommand),
    /// Start many workflows at once, check their results and measure how long they take
    Load(Box<load::LoadCommand>),
    /// Serve the HTTP API
    Serve(serve::ServeCommand),
    /// Make keys, see what needs them, decrypt with them
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Make tokens for callers of the HTTP API and the codec server
    #[command(subcommand)]
    Tokens(tokens::TokensCommand),
    /// Look at the settings
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Find mistakes in rendered Kubernetes manifests, offline
    #[command(subcommand)]
    Manifests(manifests::ManifestsCommand),
    /// Find out what keeps a worker from its keys and its server
    Doctor(doctor::DoctorCommand),
    /// Print a completion script for a shell
    Completions(completions::CompletionsCommand),
}

/// Runs the command that the arguments of this process name.
pub async fn main() -> ExitCode {
    core_dumps::prevent("sealane");
    match parse(std::env::args_os()) {
        Ok(cli) => exit::conclude("sealane", Box::pin(cli.run()).await),
        Err(error) => usage(&error),
    }
}

/// Parses `arguments`, the first of which is the program's name.
///
/// # Errors
///
/// What clap objects to, or the help text that was asked for.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let matches = Cli::command().try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

/// Prints what clap has to say. Help and version are no errors.
fn usage(error: &clap::Error) -> ExitCode {
    // A closed terminal leaves nobody to tell.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() {
        exit::USAGE
    } else {
        exit::OK
    })
}

impl Cli {
    async fn run(self) -> Result<(), CliError> {
        let globals = &self.globals;
        match self.command {
            Command::Workflow(command) => Box::pin(command.run(globals)).await,
            Command::Schedule(command) => Box::pin(command.run(globals)).await,
            Command::Trigger(command) => Box::pin(command.run(globals)).await,
            Command::Load(command) => Box::pin(command.run(globals)).await,
            Command::Serve(command) => Box::pin(command.run(globals)).await,
            Command::Keys(command) => Box::pin(command.run(globals)).await,
            Command::Tokens(command) => command.run(globals),
            Command::Config(command) => command.run(globals).await,
            Command::Manifests(command) => command.run(globals),
            Command::Doctor(command) => Box::pin(command.run(globals)).await,
            Command::Completions(command) => command.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
