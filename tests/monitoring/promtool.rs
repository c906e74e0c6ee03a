//! The tool that judges `PromQL`.

use std::{ffi::OsStr, process::Command};

use anyhow::{Context, ensure};

/// Runs promtool, which must be content.
pub(crate) fn promtool<A: AsRef<OsStr>>(
    arguments: impl IntoIterator<Item = A>,
) -> anyhow::Result<()> {
    let ran = Command::new("promtool").args(arguments).output();
    let ran = ran.context("promtool is missing: apt-get install prometheus, or .ci/run")?;
    let said = [ran.stdout, ran.stderr].concat();
    ensure!(ran.status.success(), "{}", String::from_utf8_lossy(&said));
    Ok(())
}
