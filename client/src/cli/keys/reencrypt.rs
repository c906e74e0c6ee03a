//! `sealane keys reencrypt-schedules`.

use clap::{Args, builder::NonEmptyStringValueParser};
use sealane_service::exit;
use serde::Serialize;

use crate::{
    call::CallError,
    cli::{CliError, Globals, NOT_DONE, output},
    schedule::{Reencrypted, Reencryption, ScheduleError, Schedules},
};

/// Encrypts what schedules hold under the active key: input, memo, encrypted headers, summary and
/// details. Everything else of a schedule stays as it is. A schedule with a payload that cannot be
/// decrypted is left alone; the exit code is 1 then.
#[derive(Debug, Args)]
pub(in crate::cli) struct ReencryptSchedules {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Only this schedule. Repeatable; all of the namespace if never given
    #[arg(long, short, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    schedule_id: Vec<String>,
}

/// One schedule in one line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    schedule_id: String,
    reencrypted: usize,
    encrypted: usize,
    unchanged: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl ReencryptSchedules {
    pub(in crate::cli) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let session = globals.session().await?;
        let Some(codec) = session.codec.clone() else {
            let message = "SEALANE_ENCRYPTION=off has no active key, expected required";
            return Err(CliError::new(exit::SETTINGS, message));
        };
        let schedules = Schedules::new(session.client.clone(), session.codec.clone());
        let reencryption =
            Reencryption::new(schedules.clone(), codec, &session.settings.temporal).await?;
        let mut rows = Vec::new();
        let done = self.all(&reencryption, &mut rows).await;
        // What has been changed is to be told, whatever became of the rest.
        if done.is_ok() || !rows.is_empty() {
            output::many(globals.output, &rows)?;
        }
        done?;
        self.conclude(&rows)
    }

    /// A schedule that is deleted after it was listed is no concern of ours.
    async fn all(&self, reencryption: &Reencryption, rows: &mut Vec<Row>) -> Result<(), CliError> {
        let listed = self.schedule_id.is_empty();
        let ids = if listed {
            reencryption.ids().await?
        } else {
            self.schedule_id.clone()
        };
        for id in ids {
            match self.one(reencryption, &id).await {
                Err(ScheduleError::NotFound { .. }) if listed => {}
                outcome => rows.push(row(id, outcome)?),
            }
        }
        Ok(())
    }

    async fn one(
        &self,
        reencryption: &Reencryption,
        id: &str,
    ) -> Result<Reencrypted, ScheduleError> {
        if self.dry_run {
            reencryption.preview(id).await
        } else {
            reencryption.reencrypt(id).await
        }
    }

    fn conclude(&self, rows: &[Row]) -> Result<(), CliError> {
        if self.dry_run {
            eprintln!("sealane: nothing was changed");
        }
        let problems = rows.iter().filter(|row| row.problem.is_some()).count();
        let all = output::counted(rows.len(), "schedule");
        let what = match (problems, self.dry_run) {
            (0, _) => return Ok(()),
            (1, false) => "is not",
            (_, false) => "are not",
            (_, true) => "would not, or perhaps not, be",
        };
        let message = format!("{problems} of {all} {what} wholly under the active key");
        Err(CliError::new(NOT_DONE, message))
    }
}

/// A problem with one schedule does not stop the others; one with the server or the keys does.
fn row(schedule_id: String, outcome: Result<Reencrypted, ScheduleError>) -> Result<Row, CliError> {
    let (outcome, problem) = match outcome {
        Ok(outcome) => {
            let problem = outcome.obstacle.as_ref().map(ToString::to_string);
            (outcome, problem)
        }
        Err(
            error @ (ScheduleError::NotFound { .. }
            | ScheduleError::Conflict { .. }
            | ScheduleError::Call(CallError::Rejected { .. })),
        ) => (Reencrypted::default(), Some(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    Ok(Row {
        schedule_id,
        reencrypted: outcome.tally.reencrypted,
        encrypted: outcome.tally.encrypted,
        unchanged: outcome.tally.unchanged,
        problem,
    })
}
