//! `list` and `describe`.

use std::num::NonZeroUsize;

use clap::Args;

use super::{
    Id, open,
    view::{DescriptionView, SummaryView},
};
use crate::cli::{CliError, Globals, output};

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Filter, as in `TemporalSchedulePaused = true`
    #[arg(long, short, default_value = "", hide_default_value = true)]
    query: String,
    /// Show at most this many
    #[arg(long, default_value = "100")]
    limit: NonZeroUsize,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Describe {
    #[command(flatten)]
    id: Id,
}

impl List {
    pub(in crate::cli) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let found = open(globals)
            .await?
            .list(&self.query, self.limit.get())
            .await?;
        let rows: Vec<_> = found.into_iter().map(SummaryView::from).collect();
        output::many(globals.output, &rows)
    }
}

impl Describe {
    pub(in crate::cli) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let found = open(globals).await?.describe(&self.id.schedule_id).await?;
        output::one(globals.output, &DescriptionView::from(found))
    }
}
