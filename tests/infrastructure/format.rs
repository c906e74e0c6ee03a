//! `terraform fmt`.

use crate::{
    directory::repository,
    terraform::{succeeded, terraform},
};

#[test]
fn files_are_formatted() -> anyhow::Result<()> {
    let Some(mut command) = terraform(&repository(), "the format of infra") else {
        return Ok(());
    };
    let output = command
        .args(["fmt", "-check", "-diff", "-recursive", "infra"])
        .output()?;
    succeeded("terraform fmt infra would change", &output)
}
