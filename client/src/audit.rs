//! Which keys the payloads of a namespace still need.
//!
//! Walks the open workflows and all schedules of a namespace and counts their payloads by what it
//! takes to read them, as the server has them: nothing is decrypted, so no key is needed.
//!
//! What a walk cannot see: signals that wait for a running workflow task, standalone activities, and
//! workflows that the server's visibility store does not list yet. A new payload is sealed under the
//! key that is active in the process that writes it, so a walk says something about a key only once
//! every process has stopped writing under it.

mod checkpoint;
mod error;
mod needs;
mod progress;
mod report;
mod schedules;
mod workflows;

use std::{num::NonZeroUsize, path::PathBuf};

use serde::{Deserialize, Serialize};
use temporalio_client::{Client, NamespacedClient};

use self::checkpoint::Checkpoint;

pub use self::{
    error::AuditError,
    needs::{Need, Needs},
    progress::Progress,
    report::{KeyUse, KnownKeys, Report},
};

/// What is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Only workflows that match this, in Temporal's list filter language. Empty is all of them.
    pub query: String,
    /// Whether closed workflows are looked at as well, as far as the server still has them.
    pub closed: bool,
}

/// How a namespace is walked.
#[derive(Clone, Debug)]
pub struct AuditOptions {
    /// What is looked at.
    pub scope: Scope,
    /// Workflows or schedules that are fetched at once.
    pub concurrency: NonZeroUsize,
    /// Where to keep what has been counted, so that a walk that was cut short can go on.
    pub checkpoint: Option<PathBuf>,
}

/// A walk through the namespace of a client.
pub struct Audit {
    client: Client,
    options: AuditOptions,
    progress: Progress,
}

/// What a walk has counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// The namespace that was walked.
    pub namespace: String,
    /// What was looked at.
    pub scope: Scope,
    /// What each workflow run needs.
    pub workflows: Vec<Counted>,
    /// What each schedule needs.
    pub schedules: Vec<Counted>,
    /// Workflows that were listed as open and had ended, without a successor, when they were fetched.
    pub ended: u64,
}

/// What one workflow or schedule needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// Id of the workflow or schedule.
    pub id: String,
    /// Its payloads, by what it takes to read them.
    pub needs: Needs,
}

impl Audit {
    /// Prepares a walk. Nothing is sent before [`run`](Self::run).
    pub fn new(client: Client, options: AuditOptions) -> Self {
        Self {
            client,
            options,
            progress: Progress::default(),
        }
    }

    /// Returns how far the walk has come, kept up to date while it goes on.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Walks the namespace to its end.
    ///
    /// With a checkpoint, what an earlier walk has counted is not fetched again, what this one counts
    /// is written every few seconds, and a walk that comes to its end removes the file.
    ///
    /// # Errors
    ///
    /// [`AuditError::Call`] if the server does not answer or does not accept the query, and
    /// [`AuditError::Checkpoint`] if that file cannot be used. What was counted is kept in it.
    pub async fn run(&self) -> Result<Findings, AuditError> {
        let mut checkpoint = Checkpoint::open(
            self.options.checkpoint.as_deref(),
            &self.client.namespace(),
            &self.options.scope,
        )?;
        // A file that cannot be written is to be noticed now, and not after hours.
        checkpoint.save()?;
        let ended = match self.walk(&mut checkpoint).await {
            Ok(ended) => ended,
            Err(error) => {
                checkpoint.keep()?;
                return Err(error);
            }
        };
        checkpoint.remove()?;
        let (workflows, schedules) = checkpoint.into_counted();
        Ok(Findings {
            namespace: self.client.namespace(),
            scope: self.options.scope.clone(),
            workflows,
            schedules,
            ended,
        })
    }

    async fn walk(&self, checkpoint: &mut Checkpoint) -> Result<u64, AuditError> {
        self.progress.expect(self.count_workflows().await);
        let ended = self.walk_workflows(checkpoint).await?;
        self.walk_schedules(checkpoint).await?;
        Ok(ended)
    }
}
