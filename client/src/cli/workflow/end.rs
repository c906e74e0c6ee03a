//! `sealane workflow result`, `cancel` and `terminate`.

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::{
    arguments::{Patience, Target},
    wait,
};
use crate::{
    cli::{CliError, Globals, NOT_DONE, output, output::Format},
    failure::Report,
    workflow::{Ending, Execution, Outcome, Workflows},
};

/// Waits for a workflow to end and prints its result, following retries and continue-as-new. A
/// workflow that ends otherwise makes the command fail. Ctrl-C and `--timeout` stop the waiting only.
#[derive(Debug, Args)]
pub(crate) struct WaitForResult {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    patience: Patience,
}

impl WaitForResult {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let workflows = globals.session().await?.workflows();
        report(
            &workflows,
            &self.target.execution(),
            &self.patience,
            globals.output,
        )
        .await
    }
}

/// Requests cancellation. The workflow may clean up first, or refuse; `result` shows how it ended.
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    #[command(flatten)]
    target: Target,
    /// Why; stored in plaintext
    #[arg(long, default_value_t)]
    reason: String,
}

impl Cancel {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let workflows = globals.session().await?.workflows();
        let execution = self.target.execution();
        workflows.cancel(&execution, &self.reason).await?;
        output::one(globals.output, &Requested::new(execution, "cancel"))
    }
}

/// Ends a workflow at once. None of its code runs any more, so nothing is cleaned up.
#[derive(Debug, Args)]
pub(crate) struct Terminate {
    #[command(flatten)]
    target: Target,
    /// Why; stored in plaintext
    #[arg(long, default_value_t)]
    reason: String,
}

impl Terminate {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let workflows = globals.session().await?.workflows();
        let execution = self.target.execution();
        workflows.terminate(&execution, &self.reason).await?;
        output::one(globals.output, &Requested::new(execution, "terminate"))
    }
}

/// What the server has been asked to do.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Requested {
    workflow_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<String>,
    requested: &'static str,
}

impl Requested {
    fn new(execution: Execution, requested: &'static str) -> Self {
        Self {
            workflow_id: execution.workflow_id,
            run_id: execution.run_id,
            requested,
        }
    }
}

/// How a workflow ended.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ended<'a> {
    workflow_id: &'a str,
    run_id: Option<&'a str>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> Ended<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let (mut result, mut failure, mut reason) = (None, None, None);
        match &outcome.ending {
            Ending::Completed(value) | Ending::Canceled(value) => result = Some(value),
            Ending::Failed(report) => failure = Some(report),
            Ending::Terminated { reason: why } => reason = Some(why.as_str()),
            Ending::TimedOut => {}
        }
        let Execution {
            workflow_id,
            run_id,
        } = &outcome.execution;
        let status = outcome.ending.status();
        Self {
            workflow_id,
            run_id: run_id.as_deref(),
            status,
            result,
            failure,
            reason,
        }
    }
}

/// Waits for a workflow to end and prints how.
///
/// For scripts the failure is printed as JSON too; people get it as the error of the command.
pub(super) async fn report(
    workflows: &Workflows,
    execution: &Execution,
    patience: &Patience,
    format: Format,
) -> Result<(), CliError> {
    let again = format!(
        "`sealane workflow result -w {}` waits again",
        execution.workflow_id
    );
    let done = workflows.outcome(execution);
    let outcome = wait::until(workflows, execution, patience.timeout, &again, done).await?;
    let error = error_of(&outcome);
    if error.is_none() || format == Format::Json {
        output::one(format, &Ended::of(&outcome))?;
    }
    error.map_or(Ok(()), Err)
}

fn error_of(outcome: &Outcome) -> Option<CliError> {
    let how = match &outcome.ending {
        Ending::Completed(_) => return None,
        Ending::Failed(report) => format!("failed: {report}"),
        Ending::Canceled(_) => "was cancelled".to_owned(),
        Ending::Terminated { reason } if reason.is_empty() => "was terminated".to_owned(),
        Ending::Terminated { reason } => format!("was terminated: {reason}"),
        Ending::TimedOut => "timed out".to_owned(),
    };
    Some(CliError::new(
        NOT_DONE,
        format!("workflow {:?} {how}", outcome.execution.workflow_id),
    ))
}

#[cfg(test)]
mod tests {
    use sealane_service::exit::ExitStatus;
    use serde_json::json;

    use super::*;

    fn ended(ending: Ending) -> Outcome {
        let execution = Execution {
            workflow_id: "w".to_owned(),
            run_id: Some("r".to_owned()),
        };
        Outcome { execution, ending }
    }

    #[test]
    fn only_a_completed_workflow_is_a_success() {
        let terminated = Ending::Terminated {
            reason: "wrong input".to_owned(),
        };
        let failed = Ending::Failed(Report {
            message: "no stock".to_owned(),
            ..Report::default()
        });

        let message =
            |ending| error_of(&ended(ending)).map(|error| (error.exit_code(), error.to_string()));

        assert_eq!(message(Ending::Completed(json!(1))), None);
        assert_eq!(
            message(failed),
            Some((1, r#"workflow "w" failed: no stock"#.to_owned()))
        );
        assert_eq!(
            message(terminated),
            Some((1, r#"workflow "w" was terminated: wrong input"#.to_owned()))
        );
        assert_eq!(
            message(Ending::TimedOut),
            Some((1, r#"workflow "w" timed out"#.to_owned()))
        );
    }

    #[test]
    fn a_result_of_nothing_is_still_shown_as_a_result() {
        let outcome = ended(Ending::Completed(Value::Null));

        let record = serde_json::to_value(Ended::of(&outcome)).unwrap();

        assert_eq!(
            record,
            json!({"workflowId": "w", "runId": "r", "status": "COMPLETED", "result": null})
        );
    }
}
