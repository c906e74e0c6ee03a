//! Terraform itself, if it is there.

use std::{
    path::Path,
    process::{Command, Output},
};

use anyhow::ensure;

/// Returns `terraform` in `directory`, or nothing where there is none, after saying what is not tested then.
pub(crate) fn terraform(directory: &Path, skipped: &str) -> Option<Command> {
    let mut command = Command::new("terraform");
    command
        .current_dir(directory)
        .env("CHECKPOINT_DISABLE", "1")
        .env("TF_IN_AUTOMATION", "1")
        // Of the person who runs this: mirrors, credentials, plugins.
        .env_remove("TF_CLI_CONFIG_FILE");
    let there = Command::new("terraform").arg("version").output();
    if there.is_ok_and(|it| it.status.success()) {
        return Some(command);
    }
    eprintln!("skipped: {skipped}, because there is no terraform on PATH");
    None
}

/// Fails with what a command said, if it failed.
pub(crate) fn succeeded(what: &str, output: &Output) -> anyhow::Result<()> {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    ensure!(
        output.status.success(),
        "{what}: {}",
        String::from_utf8_lossy(&said).trim()
    );
    Ok(())
}
