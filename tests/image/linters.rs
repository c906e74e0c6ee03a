//! The linters of others.

use std::{path::Path, process::Output};

use anyhow::Context;
use sealane_tests::{orders::patiently, python::Python};
use tokio::process::Command;

use crate::repository::{root, text};

/// Returns a Python with the packages of requirements.txt.
pub(crate) async fn python() -> anyhow::Result<Python> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("image");
    Python::with(&folder.join("requirements.txt")).await
}

async fn run(program: &str, arguments: &[&str]) -> anyhow::Result<Output> {
    let program = python().await?.program(program);
    let mut command = Command::new(&program);
    let command = command.args(arguments).current_dir(root());
    let output = patiently("a linter", command.kill_on_drop(true).output()).await;
    output.with_context(|| program.display().to_string())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&*output.stdout, &*output.stderr].concat()).into_owned()
}

#[tokio::test]
async fn hadolint_has_nothing_to_say_about_the_dockerfile() -> anyhow::Result<()> {
    let output = run("hadolint", &["--config", ".hadolint.yaml", "Dockerfile"]).await?;
    assert!(output.status.success(), "{}", said(&output));
    Ok(())
}

#[tokio::test]
async fn hadolint_sees_a_tag_without_a_version() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let dockerfile = folder.path().join("Dockerfile");
    let changed = text("Dockerfile")?.replace("USER 65532:65532", "USER root");
    std::fs::write(&dockerfile, changed)?;
    let path = dockerfile.display().to_string();
    let output = run("hadolint", &["--config", ".hadolint.yaml", &path]).await?;
    assert!(said(&output).contains("DL3002"), "{}", said(&output));
    assert!(!output.status.success());
    Ok(())
}

#[tokio::test]
async fn zizmor_finds_nothing_in_the_workflows() -> anyhow::Result<()> {
    let output = run("zizmor", &["--offline", "--persona", "pedantic", ".github"]).await?;
    assert!(output.status.success(), "{}", said(&output));
    Ok(())
}

#[tokio::test]
async fn zizmor_sees_an_action_that_is_not_pinned() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let workflow = folder.path().join("ci.yml");
    let mut changed = String::new();
    for line in text(".github/workflows/ci.yml")?.lines() {
        let line = line
            .split_once("@")
            .map_or(line.to_owned(), |(action, _)| format!("{action}@v6"));
        changed.push_str(&(line + "\n"));
    }
    std::fs::write(&workflow, changed)?;
    let path = workflow.display().to_string();
    let output = run("zizmor", &["--offline", &path]).await?;
    assert!(said(&output).contains("unpinned-uses"), "{}", said(&output));
    assert!(!output.status.success());
    Ok(())
}
