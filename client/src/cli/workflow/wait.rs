//! Waiting for a worker to do something, without leaving the user in the dark.

use std::{future, time::Duration};

use crate::{
    call::CallError,
    cli::{CliError, INTERRUPTED, STILL_RUNNING},
    workflow::{Execution, Workflows},
};

/// Longer than a healthy short workflow takes, shorter than a user's patience.
const FIRST_HINT: Duration = Duration::from_secs(4);

/// How often to look again; most obstacles need a person to go away.
const NEXT_HINT: Duration = Duration::from_secs(15);

/// Waits for `done`, and says on standard error what seems to be in its way.
///
/// Fails when `timeout` passes or the user presses Ctrl-C. The workflow goes on in both cases.
pub(super) async fn until<T>(
    workflows: &Workflows,
    execution: &Execution,
    timeout: Option<Duration>,
    done: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CliError> {
    let id = &execution.workflow_id;
    tokio::select! {
        done = done => Ok(done?),
        never = hint(workflows, execution) => match never {},
        () = pass(timeout) => Err(CliError::new(
            STILL_RUNNING,
            format!("workflow {id:?} still runs after {}; {}", shown(timeout), later(id)),
        )),
        _ = tokio::signal::ctrl_c() => Err(CliError::new(
            INTERRUPTED,
            format!("stopped waiting, workflow {id:?} goes on; {}", later(id)),
        )),
    }
}

fn later(id: &str) -> String {
    format!("`sealane workflow result -w {id}` waits again")
}

fn shown(timeout: Option<Duration>) -> String {
    humantime::format_duration(timeout.unwrap_or_default()).to_string()
}

async fn pass(timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => tokio::time::sleep(timeout).await,
        None => future::pending().await,
    }
}

/// Looks again and again, and prints every obstacle once.
async fn hint(workflows: &Workflows, execution: &Execution) -> std::convert::Infallible {
    let mut said = String::new();
    tokio::time::sleep(FIRST_HINT).await;
    loop {
        // What went wrong with the question itself will go wrong with the waiting too.
        if let Ok(Some(obstacle)) = Box::pin(workflows.obstacle(execution)).await {
            let text = CliError::new(STILL_RUNNING, obstacle.to_string()).to_string();
            if text != said {
                eprintln!("sealane: still waiting for {:?}: {text}", execution.workflow_id);
                said = text;
            }
        }
        tokio::time::sleep(NEXT_HINT).await;
    }
}
