//! `create` and `update`.

use clap::Args;
use sealane_service::exit::ExitStatus;

use super::{Id, fields::FieldArgs, open, schedules, view::Confirmation};
use crate::{
    call::CallError,
    cli::{CliError, Globals, input, output},
    schedule::{Begin, ScheduleError, ScheduleFields},
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Create {
    #[command(flatten)]
    id: Id,
    #[command(flatten)]
    fields: FieldArgs,
    /// Take no action until `sealane schedule unpause`
    #[arg(long)]
    paused: bool,
    /// Start one workflow at once as well
    #[arg(long)]
    trigger_immediately: bool,
    /// Memo entry of the schedule itself, encrypted, shown by `list`. Repeatable
    #[arg(long, value_name = "NAME=JSON")]
    schedule_memo: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Update {
    #[command(flatten)]
    id: Id,
    #[command(flatten)]
    fields: FieldArgs,
}

impl Create {
    pub(in crate::cli) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let id = self.id.schedule_id;
        let begin = Begin {
            paused: self.paused,
            trigger_immediately: self.trigger_immediately,
            memo: input::named("--schedule-memo", &self.schedule_memo)?,
        };
        let mut fields = complete(self.fields.into_fields()?)?;
        let session = globals.session().await?;
        let task_queue = &session.settings.temporal.task_queue;
        fields.workflow_id.get_or_insert_with(|| id.clone());
        fields.task_queue.get_or_insert_with(|| task_queue.clone());
        let crons = crons(&fields);
        let created = schedules(session).create(&id, fields, begin).await;
        created.map_err(|error| naming(&crons, error))?;
        output::one(globals.output, &Confirmation::new(id, "created"))
    }
}

/// Refuses what the server would take, although it never does anything.
fn complete(fields: ScheduleFields) -> Result<ScheduleFields, CliError> {
    if fields.times.is_none() {
        let message = "schedule has no times, expected --cron, --interval or --calendar";
        return Err(CliError::usage(message));
    }
    if fields.workflow_type.is_none() {
        return Err(CliError::usage("schedule starts nothing, expected --type"));
    }
    Ok(fields)
}

impl Update {
    pub(in crate::cli) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let id = self.id.schedule_id;
        let fields = self.fields.into_fields()?;
        if fields == ScheduleFields::default() {
            let message = "nothing to update, expected a flag that says what to change";
            return Err(CliError::usage(message));
        }
        let crons = crons(&fields);
        let updated = open(globals).await?.update(&id, fields).await;
        updated.map_err(|error| naming(&crons, error))?;
        output::one(globals.output, &Confirmation::new(id, "updated"))
    }
}

/// Returns the cron expressions as they were given.
fn crons(fields: &ScheduleFields) -> String {
    let crons = fields.times.iter().flat_map(|times| &times.crons);
    let quoted: Vec<String> = crons.map(|cron| format!("{cron:?}")).collect();
    quoted.join(", ")
}

/// The server says what is wrong with a cron expression, but not with which one.
fn naming(crons: &str, error: ScheduleError) -> CliError {
    match error {
        ScheduleError::Call(CallError::Rejected { .. }) if !crons.is_empty() => {
            CliError::new(error.exit_code(), format!("{error}; --cron is {crons}"))
        }
        error => error.into(),
    }
}
