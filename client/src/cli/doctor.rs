//! `sealane doctor`.

use clap::Args;

use super::{CliError, Globals, output};
use crate::doctor::{self, Finding, Status, exit_code};

mod list;

/// Checks everything between this process and its work: settings, service account token, Entra,
/// vault, keys, Temporal, pollers, clock. Says of each what was seen and what helps. Writes nothing
/// anywhere. Run it in the pod: `kubectl exec deploy/sealane-worker -- sealane doctor`
#[derive(Debug, Args)]
pub(super) struct DoctorCommand {}

impl DoctorCommand {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let config = globals.config.as_deref();
        let findings = doctor::examine(config, |name| std::env::var_os(name)).await;
        match globals.output {
            output::Format::Table => output::print(&list::of(&findings))?,
            output::Format::Json => output::many(globals.output, &findings)?,
        }
        match exit_code(&findings) {
            0 => Ok(()),
            code => Err(CliError::new(code, summary(&findings))),
        }
    }
}

fn summary(findings: &[Finding]) -> String {
    let failed = findings.iter().filter(|it| it.status == Status::Fail);
    let mut names: Vec<&str> = failed.map(|it| it.check).collect();
    names.dedup();
    format!("checks failed: {}", names.join(", "))
}
