//! What only Terraform with its providers can judge: types and names of arguments, and the tests in infra/terraform/tests.
//!
//! `SEALANE_TERRAFORM_PROVIDERS` says where the providers are: `registry`, if they may be downloaded (half a gigabyte), or a
//! directory laid out as a file system mirror. Without it these tests are skipped, and say so.

use std::{fs, path::Path, process::Command};

use anyhow::Context;

use crate::{
    directory::repository,
    terraform::{succeeded, terraform},
};

#[test]
fn an_environment_is_valid_and_its_tests_pass() -> anyhow::Result<()> {
    judged("infra/terraform")
}

#[test]
fn bootstrap_is_valid_and_its_tests_pass() -> anyhow::Result<()> {
    judged("infra/terraform/bootstrap")
}

/// Works in a copy, since Terraform leaves its providers where it works.
fn judged(directory: &str) -> anyhow::Result<()> {
    let Ok(providers) = std::env::var("SEALANE_TERRAFORM_PROVIDERS") else {
        eprintln!(
            "skipped: validate and test of {directory}, because they need azurerm and time, which are not part of this \
             repository: set SEALANE_TERRAFORM_PROVIDERS=registry to download them"
        );
        return Ok(());
    };
    let copy = tempfile::tempdir()?;
    for part in ["infra", "k8s/components/monitoring"] {
        copied(&repository().join(part), &copy.path().join(part))?;
    }
    let place = copy.path().join(directory);
    let run = |arguments: &[&str]| -> anyhow::Result<()> {
        let Some(mut command) = terraform(&place, directory) else {
            return Ok(());
        };
        let output = command.args(arguments).output()?;
        succeeded(&format!("terraform {}", arguments.join(" ")), &output)
    };
    let mirror = format!("-plugin-dir={providers}");
    let mut init = vec!["init", "-backend=false", "-input=false", "-no-color"];
    if providers != "registry" {
        init.push(&mirror);
    }
    run(&init)?;
    run(&["validate", "-no-color"])?;
    run(&["test", "-no-color"])
}

fn copied(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to.parent().context("no parent")?)?;
    let output = Command::new("cp").arg("-r").arg(from).arg(to).output()?;
    succeeded("cp", &output)
}
