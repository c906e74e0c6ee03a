//! Programs that fetch what tests need.

use std::{
    process::{Output, Stdio},
    time::Duration,
};

use anyhow::Context;
use tokio::{process::Command, sync::Mutex, time::timeout};

/// Bounds every installation. On a slow network the largest takes minutes.
const LIMIT: Duration = Duration::from_secs(600);

/// Held while something is looked for and installed: two tests of one binary that do so at the same time would write to
/// the same place.
pub(crate) static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Runs `command` to its end, and kills it if that does not come.
pub(crate) async fn run(command: &mut Command) -> anyhow::Result<Output> {
    let program = command.as_std().get_program().display().to_string();
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let ended = timeout(LIMIT, running).await;
    let output = ended.with_context(|| format!("{program} does not end"))?;
    output.with_context(|| format!("{program} could not be started"))
}
