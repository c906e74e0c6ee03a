//! `sealane schedule`: Temporal Schedules, inputs and memos encrypted.

mod calendar;
mod fields;
mod inspect;
mod overlap;
mod steer;
mod view;
mod write;

use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};
use sealane_service::exit::{self, ExitStatus};

use super::{CliError, Globals, NOT_DONE, Session};
use crate::schedule::{ScheduleError, Schedules};

/// What everybody who may list schedules can read.
const PLAINTEXT: &str = "\
Inputs and memo values are encrypted. Ids, workflow types, task queues, memo names, notes and calendar
comments are plaintext on the server, by design: keep secrets out of them.";

#[derive(Debug, Subcommand)]
#[command(after_help = PLAINTEXT)]
pub(super) enum ScheduleCommand {
    /// Create a schedule
    #[command(after_help = PLAINTEXT)]
    Create(Box<write::Create>),
    /// List schedules
    List(inspect::List),
    /// Show a schedule with its input, memo and actions, decrypted
    Describe(inspect::Describe),
    /// Take no more actions until the schedule is unpaused
    #[command(after_help = PLAINTEXT)]
    Pause(steer::Pause),
    /// Take actions again
    #[command(after_help = PLAINTEXT)]
    Unpause(steer::Unpause),
    /// Start one workflow now, paused or not
    Trigger(steer::Trigger),
    /// Change a schedule; what is not named stays as it is, the encrypted input included
    #[command(after_help = PLAINTEXT)]
    Update(Box<write::Update>),
    /// Delete a schedule; workflows it has started go on
    Delete(steer::Delete),
}

impl ScheduleCommand {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        match self {
            Self::Create(command) => Box::pin(command.run(globals)).await,
            Self::List(command) => command.run(globals).await,
            Self::Describe(command) => command.run(globals).await,
            Self::Pause(command) => command.run(globals).await,
            Self::Unpause(command) => command.run(globals).await,
            Self::Trigger(command) => command.run(globals).await,
            Self::Update(command) => command.run(globals).await,
            Self::Delete(command) => command.run(globals).await,
        }
    }
}

/// Which schedule is meant.
#[derive(Debug, Args)]
struct Id {
    /// Id of the schedule
    #[arg(long, short, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    schedule_id: String,
}

async fn open(globals: &Globals) -> Result<Schedules, CliError> {
    Ok(schedules(globals.session().await?))
}

fn schedules(session: Session) -> Schedules {
    Schedules::new(session.client, session.codec)
}

impl From<ScheduleError> for CliError {
    fn from(error: ScheduleError) -> Self {
        match error {
            // With what the user can do about it.
            ScheduleError::Call(error) => error.into(),
            error => Self::new(error.exit_code(), exit::with_causes(&error)),
        }
    }
}

impl ExitStatus for ScheduleError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound { .. } | Self::AlreadyExists { .. } | Self::Conflict { .. } => NOT_DONE,
            Self::Encode { .. } => exit::SETTINGS,
            Self::Call(error) => error.exit_code(),
        }
    }
}
