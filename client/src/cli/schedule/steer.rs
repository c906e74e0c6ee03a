//! `pause`, `unpause`, `trigger` and `delete`.

use clap::{Args, builder::NonEmptyStringValueParser};

use super::{Id, open, overlap::Overlap, view::Confirmation};
use crate::cli::{CliError, Globals, output};

#[derive(Debug, Args)]
pub(in crate::cli) struct Pause {
    #[command(flatten)]
    id: Id,
    #[command(flatten)]
    note: Note,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Unpause {
    #[command(flatten)]
    id: Id,
    #[command(flatten)]
    note: Note,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Trigger {
    #[command(flatten)]
    id: Id,
    /// Overlap policy for this start; that of the schedule if omitted
    #[arg(long, value_name = "POLICY")]
    overlap_policy: Option<Overlap>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Delete {
    #[command(flatten)]
    id: Id,
}

#[derive(Debug, Args)]
struct Note {
    /// Why, in plaintext; replaces the stored note
    #[arg(long, alias = "reason", value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    note: Option<String>,
}

impl Pause {
    pub(in crate::cli) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let id = self.id.schedule_id;
        open(globals)
            .await?
            .pause(&id, self.note.note.as_deref())
            .await?;
        output::one(globals.output, &Confirmation::new(id, "paused"))
    }
}

impl Unpause {
    pub(in crate::cli) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let id = self.id.schedule_id;
        open(globals)
            .await?
            .unpause(&id, self.note.note.as_deref())
            .await?;
        output::one(globals.output, &Confirmation::new(id, "unpaused"))
    }
}

impl Trigger {
    pub(in crate::cli) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let id = self.id.schedule_id;
        let overlap = self.overlap_policy.map(Into::into);
        open(globals).await?.trigger(&id, overlap).await?;
        output::one(globals.output, &Confirmation::new(id, "triggered"))
    }
}

impl Delete {
    pub(in crate::cli) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let id = self.id.schedule_id;
        open(globals).await?.delete(&id).await?;
        output::one(globals.output, &Confirmation::new(id, "deleted"))
    }
}
