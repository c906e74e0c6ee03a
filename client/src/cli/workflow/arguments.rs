//! Arguments that several workflow commands share.

use std::time::Duration;

use clap::{Args, ValueEnum};
use temporalio_common::protos::temporal::api::{
    common::v1::Payload,
    enums::v1::{WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
};
use uuid::Uuid;

use crate::{
    cli::{CliError, input},
    workflow::{Execution, Start},
};

/// Which workflow a command is about.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// Id of the workflow
    #[arg(long, short)]
    workflow_id: String,
    /// Id of the run. Default: the latest
    #[arg(long, short)]
    run_id: Option<String>,
}

impl Target {
    pub(super) fn execution(self) -> Execution {
        Execution {
            workflow_id: self.workflow_id,
            run_id: self.run_id,
        }
    }
}

/// Arguments for the workflow, or for a handler of it.
#[derive(Debug, Args)]
pub(super) struct Inputs {
    #[arg(long, short, value_name = "JSON", allow_hyphen_values = true, help = input::INPUT_HELP)]
    input: Vec<String>,
}

impl Inputs {
    pub(super) fn payloads(&self) -> Result<Vec<Payload>, CliError> {
        input::arguments("--input", &self.input)
    }
}

/// How long to wait.
#[derive(Debug, Args)]
pub(super) struct Patience {
    /// Stop waiting after this time, such as `30s`; the workflow goes on. Default: wait for ever
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(super) timeout: Option<Duration>,
}

/// What to start.
#[derive(Debug, Args)]
pub(super) struct NewWorkflow {
    /// Name of the workflow type, as a worker registers it
    #[arg(long = "type", value_name = "TYPE")]
    workflow_type: String,
    /// Id of the new workflow. Default: the type and a random part
    #[arg(long, short)]
    workflow_id: Option<String>,
    /// Task queue that the worker polls. Default: `TEMPORAL_TASK_QUEUE`
    #[arg(long, short)]
    task_queue: Option<String>,
    #[command(flatten)]
    inputs: Inputs,
    /// Note for people and tools; the value is encrypted. Repeatable
    #[arg(long, value_name = "NAME=JSON")]
    memo: Vec<String>,
    /// Value to search by; not encrypted. Repeatable
    #[arg(long, value_name = "NAME=JSON")]
    search_attribute: Vec<String>,
    /// One line for the Web UI, encrypted
    #[arg(long, value_name = "TEXT")]
    static_summary: Option<String>,
    /// Several lines for the Web UI, encrypted
    #[arg(long, value_name = "TEXT")]
    static_details: Option<String>,
    #[command(flatten)]
    limits: Limits,
    /// What to do if a workflow of this id is running
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    id_conflict_policy: ConflictPolicy,
    /// What to do if a workflow of this id has ended
    #[arg(long, value_enum, default_value_t, value_name = "POLICY")]
    id_reuse_policy: ReusePolicy,
}

/// Times that Temporal watches over.
#[derive(Debug, Args)]
struct Limits {
    /// Limit for the workflow with all its retries and continuations, such as `1h`
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    execution_timeout: Option<Duration>,
    /// Limit for one run
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    run_timeout: Option<Duration>,
    /// Limit for one workflow task. Default: 10s
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    task_timeout: Option<Duration>,
    /// Wait before the first workflow task
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    start_delay: Option<Duration>,
}

impl NewWorkflow {
    /// Reads the documents that the arguments name. Nothing is sent yet.
    pub(super) fn read(self, default_queue: &str) -> Result<Start, CliError> {
        Ok(Start {
            workflow_id: self
                .workflow_id
                .unwrap_or_else(|| new_id(&self.workflow_type)),
            workflow_type: self.workflow_type,
            task_queue: self.task_queue.unwrap_or_else(|| default_queue.to_owned()),
            input: self.inputs.payloads()?,
            memo: input::named("--memo", &self.memo)?,
            search_attributes: input::named("--search-attribute", &self.search_attribute)?,
            summary: self.static_summary,
            details: self.static_details,
            execution_timeout: self.limits.execution_timeout,
            run_timeout: self.limits.run_timeout,
            task_timeout: self.limits.task_timeout,
            start_delay: self.limits.start_delay,
            id_conflict_policy: self.id_conflict_policy.into(),
            id_reuse_policy: self.id_reuse_policy.into(),
        })
    }
}

fn new_id(workflow_type: &str) -> String {
    format!("{workflow_type}-{}", Uuid::new_v4())
}

/// What to do if a workflow of the id is running.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ConflictPolicy {
    /// Start nothing and say so
    #[default]
    Fail,
    /// Take the running one for the new one
    UseExisting,
    /// Terminate the running one first
    TerminateExisting,
}

impl From<ConflictPolicy> for WorkflowIdConflictPolicy {
    fn from(policy: ConflictPolicy) -> Self {
        match policy {
            ConflictPolicy::Fail => Self::Fail,
            ConflictPolicy::UseExisting => Self::UseExisting,
            ConflictPolicy::TerminateExisting => Self::TerminateExisting,
        }
    }
}

/// What to do if a workflow of the id has ended.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum ReusePolicy {
    /// Start a new one
    #[default]
    AllowDuplicate,
    /// Start a new one unless the old one completed
    AllowDuplicateFailedOnly,
    /// Start nothing and say so
    RejectDuplicate,
}

impl From<ReusePolicy> for WorkflowIdReusePolicy {
    fn from(policy: ReusePolicy) -> Self {
        match policy {
            ReusePolicy::AllowDuplicate => Self::AllowDuplicate,
            ReusePolicy::AllowDuplicateFailedOnly => Self::AllowDuplicateFailedOnly,
            ReusePolicy::RejectDuplicate => Self::RejectDuplicate,
        }
    }
}
