//! Waiting for a worker to do something, without leaving the user in the dark.

use std::{convert::Infallible, future, time::Duration};

use crate::{
    call::CallError,
    cli::{CliError, INTERRUPTED, STILL_RUNNING, error::one_line},
    workflow::{Execution, Obstacle, Workflows},
};

/// Longer than a healthy short workflow takes, shorter than a user's patience.
const FIRST_HINT: Duration = Duration::from_secs(4);

/// How often to look again; most obstacles need a person to go away.
const NEXT_HINT: Duration = Duration::from_secs(15);

/// Waits for `done`, and says on standard error what seems to be in its way.
///
/// Fails when `timeout` passes or the user presses Ctrl-C. The workflow goes on in both cases, and
/// `again` says how to come back to it.
pub(super) async fn until<T>(
    workflows: &Workflows,
    execution: &Execution,
    timeout: Option<Duration>,
    again: &str,
    done: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CliError> {
    let id = &execution.workflow_id;
    tokio::select! {
        done = done => Ok(done?),
        never = hint(workflows, execution) => match never {},
        () = pass(timeout) => Err(CliError::new(
            STILL_RUNNING,
            format!("stopped waiting after {}, workflow {id:?} goes on; {again}", shown(timeout)),
        )),
        _ = tokio::signal::ctrl_c() => Err(CliError::new(
            INTERRUPTED,
            format!("stopped waiting, workflow {id:?} goes on; {again}"),
        )),
    }
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
async fn hint(workflows: &Workflows, execution: &Execution) -> Infallible {
    let mut said: Option<Obstacle> = None;
    tokio::time::sleep(FIRST_HINT).await;
    loop {
        // What went wrong with the question itself will go wrong with the waiting too.
        let obstacle = Box::pin(workflows.obstacle(execution))
            .await
            .unwrap_or_default();
        if let Some(obstacle) = obstacle
            && !said.as_ref().is_some_and(|said| obstacle.is_still(said))
        {
            let text = one_line(&obstacle.to_string());
            eprintln!(
                "sealane: still waiting for {:?}: {text}",
                execution.workflow_id
            );
            said = Some(obstacle);
        }
        tokio::time::sleep(NEXT_HINT).await;
    }
}
