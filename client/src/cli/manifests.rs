//! `sealane manifests`.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read},
    path::Path,
};

use clap::{Args, Subcommand};
use sealane_manifests::{
    Accepted, Finding, Infrastructure, KubernetesVersion, Object, Options, check, parse,
};
use sealane_service::exit;

use super::{CliError, Globals, error::one_line, output};

#[derive(Debug, Subcommand)]
pub(super) enum ManifestsCommand {
    /// Find mistakes in what `kubectl kustomize` prints
    Check(Check),
}

impl ManifestsCommand {
    pub(super) fn run(self, globals: &Globals) -> Result<(), CliError> {
        match self {
            Self::Check(command) => command.run(globals),
        }
    }
}

/// Finds mistakes in rendered Kubernetes manifests before the cluster sees them: `kubectl kustomize
/// k8s/overlays/aks | sealane manifests check`. Asks nobody. docs/aks.md has a row for each finding.
/// Exit code 0 if nothing is wrong, 1 if something is, 78 if the manifests cannot be read.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Files of rendered YAML, checked together; `-` or none is standard input
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    /// What `terraform output -json` printed, to compare identities, vault, registry and Temporal with
    #[arg(long, value_name = "FILE")]
    infrastructure: Option<String>,
    /// Version of the cluster, such as 1.36; without it that of --infrastructure, or else 1.36
    #[arg(long, value_name = "VERSION")]
    kubernetes_version: Option<String>,
    /// A finding that is no mistake here, for all objects or for one; repeat it for several
    #[arg(long = "accept", value_name = "SLUG[=KIND/NAME]")]
    accepted: Vec<String>,
}

impl Check {
    fn run(self, globals: &Globals) -> Result<(), CliError> {
        let options = self.options()?;
        let objects = self.objects()?;
        let findings = check(&objects, &options);
        match globals.output {
            output::Format::Table if findings.is_empty() => {}
            output::Format::Table => output::print(&lines(&findings))?,
            output::Format::Json => output::many(globals.output, &findings)?,
        }
        conclude(&findings, objects.len())
    }

    fn options(&self) -> Result<Options, CliError> {
        let version = self
            .kubernetes_version
            .as_deref()
            .map(str::parse::<KubernetesVersion>);
        let accepted = self.accepted.iter().map(|it| it.parse::<Accepted>());
        Ok(Options {
            infrastructure: self
                .infrastructure
                .as_deref()
                .map(infrastructure)
                .transpose()?,
            kubernetes_version: version
                .transpose()
                .map_err(|error| unusable("--kubernetes-version", &error))?,
            accepted: accepted
                .collect::<Result<_, _>>()
                .map_err(|error| unusable("--accept", &error))?,
            arguments: Some(arguments),
        })
    }

    /// Reads everything that was rendered. Nothing at all is what a failed rendering leaves behind.
    fn objects(&self) -> Result<Vec<Object>, CliError> {
        let files = if self.files.is_empty() {
            &["-".to_owned()]
        } else {
            self.files.as_slice()
        };
        let mut objects = Vec::new();
        for file in files {
            let found = parse(name(file), &read(file)?)
                .map_err(|error| CliError::new(exit::SETTINGS, error.to_string()))?;
            if found.is_empty() {
                let message = format!(
                    "{} holds no Kubernetes object, expected what `kubectl kustomize DIR` prints",
                    name(file)
                );
                return Err(CliError::new(exit::SETTINGS, message));
            }
            objects.extend(found);
        }
        Ok(objects)
    }
}

/// Says what `sealane` itself would have against `words`, the first of which is its name.
fn arguments(words: &[&str]) -> Result<(), String> {
    let parsed = super::parse(words.iter().map(Into::into));
    let Err(error) = parsed else { return Ok(()) };
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    Err(one_line(first.strip_prefix("error: ").unwrap_or(first)))
}

fn infrastructure(file: &str) -> Result<Infrastructure, CliError> {
    let text = read(file)?;
    Infrastructure::parse(&text)
        .map_err(|error| unusable(&format!("--infrastructure {}", name(file)), &error))
}

fn read(file: &str) -> Result<String, CliError> {
    let mut text = String::new();
    let read = match file {
        "-" => io::stdin().lock().read_to_string(&mut text).map(drop),
        path => fs::read_to_string(Path::new(path)).map(|found| text = found),
    };
    read.map_err(|error| {
        CliError::new(
            exit::SETTINGS,
            format!("cannot read {}: {error}", name(file)),
        )
    })?;
    Ok(text)
}

fn name(file: &str) -> &str {
    if file == "-" { "standard input" } else { file }
}

fn unusable(what: &str, error: &dyn std::error::Error) -> CliError {
    CliError::new(exit::SETTINGS, format!("{what}: {error}"))
}

/// One line each: where, what kind of mistake, what was seen, what helps.
fn lines(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let namespace = finding
            .namespace
            .as_ref()
            .map(|it| format!(" in {it}"))
            .unwrap_or_default();
        let place = if finding.line == 0 {
            String::new()
        } else {
            format!("{}:{}: ", finding.file, finding.line)
        };
        let message = one_line(&finding.message);
        let line = format!(
            "{place}[{}] {}{namespace}: {message}; {}",
            finding.slug, finding.object, finding.remedy
        );
        let _ = writeln!(text, "{line}");
    }
    text.truncate(text.trim_end().len());
    text
}

fn conclude(findings: &[Finding], objects: usize) -> Result<(), CliError> {
    let of = output::counted(objects as u64, "object");
    match findings.len() {
        0 => {
            eprintln!("sealane: {of}, nothing found");
            Ok(())
        }
        found => Err(CliError::new(
            super::NOT_DONE,
            format!("{} in {of}", output::counted(found as u64, "mistake")),
        )),
    }
}
