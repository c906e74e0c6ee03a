//! `sealane keys audit`.

mod bar;

use std::{num::NonZeroUsize, path::PathBuf, time::SystemTime};

use clap::{Args, builder::NonEmptyStringValueParser};
use sealane_service::exit::{self, ExitStatus};
use serde::Serialize;

use super::vault::Vault;
use crate::{
    audit::{
        Audit as Walk, AuditError, AuditOptions, Findings, KeyUse, KnownKeys, Need, Report, Scope,
    },
    cli::{
        CliError, Globals, INTERRUPTED, NOT_DONE, output,
        output::{Format, counted},
    },
};

/// Says for every key what still needs it: payloads in the histories of open workflows, in what is
/// pending beside them, and in all schedules. Decrypts nothing. Ask once every process encrypts under
/// the new key; a workflow that has only just started is listed a moment later.
#[derive(Debug, Args)]
pub(in crate::cli) struct Audit {
    /// Look only at workflows that match this, as in `WorkflowType = 'Order'`; at all schedules still
    #[arg(long, short, default_value = "", hide_default_value = true)]
    query: String,
    /// Look at closed workflows too, while the server has them: for their results, and for resets
    #[arg(long)]
    closed: bool,
    /// Workflows or schedules to fetch at once
    #[arg(long, value_name = "COUNT", default_value = "8", value_parser = concurrency)]
    concurrency: NonZeroUsize,
    /// Keep counts in this file, and go on from there after an interruption; removed at the end
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// End with exit code 1 if this key is active or still needed. Repeatable
    #[arg(long, value_name = "KEY_ID", conflicts_with = "query", value_parser = NonEmptyStringValueParser::new())]
    require_unused: Vec<String>,
}

fn concurrency(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "expected a number from 1")
}

/// One key in one line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    key_id: String,
    kind: &'static str,
    payloads: u64,
    workflows: u64,
    schedules: u64,
    verdict: &'static str,
    examples: String,
}

impl Audit {
    pub(in crate::cli) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let session = globals.session().await?;
        let mut known = KnownKeys::of(session.codec.as_ref())
            .map_err(|error| CliError::new(exit::SETTINGS, exit::with_causes(&error)))?;
        if let Some(vault) = Vault::of(&session.settings)? {
            let plan = vault.plan().await?;
            let active = plan.active().map(|version| version.id.to_string());
            known.active.extend(active.map(Need::Key));
            known.in_rotation = vault.in_rotation(&plan, SystemTime::now());
        }
        let required = self.require_unused;
        let options = AuditOptions {
            scope: Scope {
                query: self.query,
                closed: self.closed,
            },
            concurrency: self.concurrency,
            checkpoint: self.resume,
        };
        let findings = watched(&Walk::new(session.client, options)).await?;
        let report = Report::new(&findings, &known);
        match globals.output {
            Format::Json => output::one(Format::Json, &report)?,
            Format::Table => {
                let rows: Vec<_> = report.keys.iter().map(Row::from).collect();
                output::many(Format::Table, &rows)?;
            }
        }
        explain(&report);
        required.iter().try_for_each(|id| unused(&report, id))
    }
}

/// Walks with a bar on the terminal, until Ctrl-C.
async fn watched(walk: &Walk) -> Result<Findings, CliError> {
    let progress = walk.progress();
    tokio::select! {
        findings = walk.run() => {
            bar::clear();
            Ok(findings?)
        }
        never = bar::draw(&progress) => match never {},
        _ = tokio::signal::ctrl_c() => {
            bar::clear();
            Err(CliError::new(INTERRUPTED, "stopped; with --resume FILE an audit can go on later"))
        }
    }
}

/// What the numbers do not say, on standard error.
fn explain(report: &Report) {
    let Report {
        workflows,
        schedules,
        ended,
        ..
    } = report;
    let kind = if report.closed_included { "" } else { "open " };
    eprintln!(
        "sealane: looked at {} and {} of namespace {:?}; {} ended meanwhile",
        counted(*workflows, &format!("{kind}workflow")),
        counted(*schedules, "schedule"),
        report.namespace,
        counted(*ended, "workflow")
    );
    if report.keys.iter().any(|row| row.can_disable == Some(true)) {
        eprintln!(
            "sealane: other namespaces were not looked at: audit each one whose processes use these \
             keys before you disable any"
        );
    }
    if !report.closed_included {
        eprintln!(
            "sealane: closed workflows were left out: reading their results and resetting them may \
             need more keys; --closed counts them"
        );
    }
    if let Some(hidden) = report.keys.iter().find(|row| row.kind == "hidden") {
        eprintln!(
            "sealane: the server does not show the last results of {}, which it hands on: their keys \
             cannot be told before the next run, as by `sealane schedule trigger`",
            counted(hidden.schedules, "schedule")
        );
    }
}

/// Refuses if anything needs the key called `id`, or if nobody knows such a key: a name that is
/// misspelt must not pass as one that is not needed.
fn unused(report: &Report, id: &str) -> Result<(), CliError> {
    let rows: Vec<&KeyUse> = report.key(id).collect();
    if rows.is_empty() {
        let message = format!("no key is called {id:?}, in the key ring or in any payload");
        return Err(CliError::new(NOT_DONE, message));
    }
    if rows.iter().any(|row| row.active) {
        let message = format!("key {id:?} is the active one; rotate before you disable it");
        return Err(CliError::new(NOT_DONE, message));
    }
    if rows.iter().any(|row| row.in_rotation) {
        let message = format!(
            "a rotation from or to key {id:?} is under way; `sealane keys list` says until when"
        );
        return Err(CliError::new(NOT_DONE, message));
    }
    if let Some(row) = rows.iter().find(|row| row.payloads > 0) {
        return Err(CliError::new(NOT_DONE, still_needed(row, id)));
    }
    match report.keys.iter().find(|row| row.may_need_any_key()) {
        Some(row) => Err(CliError::new(NOT_DONE, perhaps_needed(row, id))),
        None => Ok(()),
    }
}

/// A payload that does not show its key may need any, and says at least how to find out.
fn perhaps_needed(row: &KeyUse, id: &str) -> String {
    let remedy = if row.kind == "legacy" {
        "set SEALANE_LEGACY_KEY_ID as the processes have it".to_owned()
    } else {
        format!("trigger these schedules first: {}", row.examples.join(", "))
    };
    format!(
        "key {id:?} may be needed by {} whose key is not shown; {remedy}",
        counted(row.payloads, &format!("{} payload", row.kind))
    )
}

fn still_needed(row: &KeyUse, id: &str) -> String {
    let remedy = if row.schedules > 0 {
        format!(
            "; `sealane keys reencrypt-schedules` frees schedules or says why it cannot: {}",
            row.schedule_examples.join(", ")
        )
    } else {
        String::new()
    };
    format!(
        "key {id:?} is still needed by {} in {} and {}{remedy}",
        counted(row.payloads, "payload"),
        counted(row.workflows, "workflow"),
        counted(row.schedules, "schedule")
    )
}

fn verdict(row: &KeyUse) -> &'static str {
    match (row.kind, row.payloads, row.can_disable) {
        ("plaintext", ..) => "not encrypted",
        ("unnamed", ..) => "encrypted under a key that is not named",
        ("hidden", ..) => "last results of schedules, kept and not shown",
        _ if row.active => "active",
        _ if row.in_rotation => "in rotation",
        (_, 1.., _) if row.in_ring == Some(false) => "needed, and not in the key ring",
        (_, 1.., _) => "needed",
        (_, 0, Some(true)) => "can be disabled",
        (_, 0, Some(false)) => "needed for payloads of another kind",
        (_, 0, None) => "not needed by what was looked at",
    }
}

/// One workflow and one schedule: they are freed in different ways.
fn examples(row: &KeyUse) -> String {
    let workflow = row.examples.first().filter(|_| row.workflows > 0).cloned();
    let schedule = row.schedule_examples.first();
    let schedule = schedule.map(|id| format!("schedule {id}"));
    let both: Vec<String> = workflow.into_iter().chain(schedule).collect();
    both.join(", ")
}

impl From<&KeyUse> for Row {
    fn from(row: &KeyUse) -> Self {
        Self {
            key_id: row.key_id.clone().unwrap_or_default(),
            kind: row.kind,
            payloads: row.payloads,
            workflows: row.workflows,
            schedules: row.schedules,
            verdict: verdict(row),
            examples: examples(row),
        }
    }
}

impl From<AuditError> for CliError {
    fn from(error: AuditError) -> Self {
        match error {
            // With what the user can do about it.
            AuditError::Call(error) => error.into(),
            error => Self::new(error.exit_code(), error.to_string()),
        }
    }
}

impl ExitStatus for AuditError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Call(error) => error.exit_code(),
            Self::Checkpoint { .. } => exit::USAGE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyUse, Report, unused};

    #[test]
    fn a_result_that_is_not_shown_keeps_a_key_from_being_free() {
        let row = |key_id: Option<&str>, kind, payloads| KeyUse {
            key_id: key_id.map(str::to_owned),
            kind,
            payloads,
            examples: vec!["nightly".to_owned(), "weekly".to_owned()],
            ..KeyUse::default()
        };
        let mut report = Report {
            namespace: "default".to_owned(),
            query: String::new(),
            closed_included: false,
            workflows: 0,
            ended: 0,
            schedules: 2,
            keys: vec![row(Some("old"), "key", 0), row(None, "plaintext", 3)],
        };
        assert!(unused(&report, "old").is_ok());

        report.keys.push(row(None, "hidden", 2));
        let error = unused(&report, "old").unwrap_err().to_string();

        let remedy = "trigger these schedules first: nightly, weekly";
        assert!(error.ends_with(remedy), "{error}");
    }
}
