//! What the workflows of GitHub may do, and what they run. None of them has run: this is what can be known before.

use std::{collections::BTreeSet, fs, io::Write, os::unix::fs::PermissionsExt, process::Command};

use anyhow::Context;
use serde_json::json;

use crate::{
    repository::{root, text},
    workflow::{FOLDER, Workflow},
};

#[test]
fn all_workflows_are_looked_at() -> anyhow::Result<()> {
    let mut there = BTreeSet::new();
    for entry in fs::read_dir(root().join(FOLDER))? {
        there.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    let read: BTreeSet<_> = Workflow::all()?
        .iter()
        .map(|it| format!("{}.yml", it.name))
        .collect();
    assert_eq!(there, read);
    Ok(())
}

#[test]
fn a_critical_vulnerability_stops_both_images() -> anyhow::Result<()> {
    let workflow = Workflow::read("build-and-publish")?;
    let jobs = workflow.jobs();
    let build = jobs
        .iter()
        .find(|it| it.place.ends_with("/build"))
        .context("build")?;
    let stopped: BTreeSet<_> = build
        .steps()
        .iter()
        .filter(|it| it.action() == Some("aquasecurity/trivy-action"))
        .filter(|it| {
            it.content["with"]["severity"] == "CRITICAL" && it.content["with"]["exit-code"] == "1"
        })
        .filter_map(|it| it.content["with"]["input"].as_str().map(str::to_owned))
        .collect();
    let image = |it: &str| format!("${{{{ runner.temp }}}}/{it}.tar");
    assert_eq!(stopped, BTreeSet::from([image("amd64"), image("arm64")]));
    Ok(())
}

#[test]
fn the_image_has_both_platforms_its_contents_and_its_origin() -> anyhow::Result<()> {
    let workflow = Workflow::read("build-and-publish")?;
    let jobs = workflow.jobs();
    let build = jobs
        .iter()
        .find(|it| it.place.ends_with("/build"))
        .context("build")?;
    let steps = build.steps();
    let step = steps
        .iter()
        .find(|it| it.action() == Some("docker/build-push-action"));
    let with = &step.context("no step builds")?.content["with"];
    assert_eq!(with["platforms"], "linux/amd64,linux/arm64");
    assert_eq!(
        (&with["sbom"], &with["provenance"]),
        (&json!(true), &json!("mode=max"))
    );
    assert_eq!(with["build-args"], "SEALANE_REVISION=${{ github.sha }}");
    assert_eq!(with.get("push"), None, "the job that builds does not push");
    Ok(())
}

#[test]
fn the_signature_is_verified_before_anything_is_deployed() -> anyhow::Result<()> {
    let workflow = Workflow::read("deploy")?;
    assert_eq!(workflow.triggers(), BTreeSet::from(["workflow_dispatch"]));
    assert_eq!(
        workflow.job("deploy")["environment"],
        "${{ inputs.environment }}"
    );
    let jobs = workflow.jobs();
    let steps = jobs[0].steps();
    let scripts = || steps.iter().map(|it| it.script().unwrap_or_default());
    let verified = scripts()
        .position(|it| it.contains("cosign verify"))
        .context("never verified")?;
    let deployed = scripts()
        .position(|it| it.contains("infra/scripts/deploy"))
        .context("never deployed")?;
    assert!(verified < deployed);
    let script = steps[verified].script().context("just seen")?;
    let signer = ".github/workflows/build-and-publish.yml@refs/heads/main";
    assert!(
        script.contains(signer)
            && script
                .contains("--certificate-oidc-issuer https://token.actions.githubusercontent.com")
    );
    Ok(())
}

/// `az aks install-cli` puts the v before them itself.
#[test]
fn versions_of_what_az_installs_begin_with_a_digit() -> anyhow::Result<()> {
    let workflow = Workflow::read("deploy")?;
    let jobs = workflow.jobs();
    let steps = jobs[0].steps();
    let script = steps
        .iter()
        .filter_map(|it| it.script())
        .find(|it| it.contains("az aks install-cli"))
        .context("installs no kubelogin")?;
    for option in ["--client-version", "--kubelogin-version"] {
        let mut words = script.split_whitespace().skip_while(|it| *it != option);
        let version = words.nth(1).context(option)?;
        let numbers = version.split('.').filter(|it| it.parse::<u16>().is_ok());
        assert_eq!(numbers.count(), 3, "{option} {version}");
    }
    Ok(())
}

#[test]
fn every_variable_that_has_to_be_set_is_told() -> anyhow::Result<()> {
    let page = text("docs/image.md")?;
    let mut found = BTreeSet::new();
    for workflow in Workflow::all()? {
        for after in workflow.text().split("vars.").skip(1) {
            let end = after.find(|it: char| !it.is_ascii_uppercase() && it != '_');
            found.insert(after[..end.unwrap_or(after.len())].to_owned());
        }
    }
    assert!(found.len() >= 6, "{found:?}");
    for name in found {
        let told = page
            .lines()
            .any(|it| it.starts_with("| `") && it.contains(&format!("`{name}`")));
        assert!(told, "docs/image.md has no row for {name}");
    }
    Ok(())
}

#[test]
fn checks_are_those_of_a_laptop() -> anyhow::Result<()> {
    let workflow = Workflow::read("ci")?;
    let jobs = workflow.jobs();
    let checks = jobs
        .iter()
        .find(|it| it.place == "ci/checks")
        .context("checks")?;
    let scripts: Vec<_> = checks
        .steps()
        .iter()
        .filter_map(|it| it.script().map(str::to_owned))
        .collect();
    assert_eq!(scripts, [".ci/run"]);
    Ok(())
}

#[test]
fn the_image_is_tested_with_the_command_that_the_page_gives() -> anyhow::Result<()> {
    let workflow = Workflow::read("ci")?;
    let jobs = workflow.jobs();
    let image = jobs
        .iter()
        .find(|it| it.place == "ci/image")
        .context("image")?;
    let steps = image.steps();
    let script = steps
        .last()
        .and_then(|it| it.script())
        .context("no script")?;
    let command = "cargo test --locked --package sealane-tests --test image";
    assert!(
        script.contains(command) && script.contains("SEALANE_IMAGE_TESTS=pull"),
        "{script}"
    );
    assert!(text("docs/image.md")?.contains(command));
    Ok(())
}

#[test]
fn scripts_take_values_from_their_environment_only() -> anyhow::Result<()> {
    for workflow in Workflow::all()? {
        for job in workflow.jobs() {
            for step in job.steps() {
                let script = step.script().unwrap_or_default();
                assert!(!script.contains("${{"), "{}: {script}", step.place);
                parse(script).with_context(|| step.place.clone())?;
            }
        }
    }
    Ok(())
}

/// Lets bash read `script` without running it.
fn parse(script: &str) -> anyhow::Result<()> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(script.as_bytes())?;
    let output = Command::new("bash").arg("-n").arg(file.path()).output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{words}");
    Ok(())
}

#[test]
fn every_script_of_the_repository_that_is_run_is_there() -> anyhow::Result<()> {
    let mut found = BTreeSet::new();
    for workflow in Workflow::all()? {
        for job in workflow.jobs() {
            for step in job.steps() {
                let words = step.script().unwrap_or_default().split_whitespace();
                let ours =
                    words.filter(|it| it.starts_with("infra/scripts/") || it.starts_with(".ci/"));
                found.extend(ours.map(str::to_owned));
            }
        }
    }
    assert!(found.len() >= 3, "{found:?}");
    for script in found {
        let metadata = fs::metadata(root().join(&script)).with_context(|| script.clone())?;
        assert!(
            metadata.permissions().mode() & 0o111 != 0,
            "{script} cannot be executed"
        );
    }
    Ok(())
}

#[test]
fn dependabot_renews_all_that_is_pinned() -> anyhow::Result<()> {
    let dependabot: serde_json::Value = serde_saphyr::from_str(&text(".github/dependabot.yml")?)?;
    let updates = dependabot["updates"].as_array().context("no updates")?;
    let ecosystems: BTreeSet<_> = updates
        .iter()
        .filter_map(|it| it["package-ecosystem"].as_str())
        .collect();
    assert_eq!(
        ecosystems,
        BTreeSet::from(["cargo", "docker", "github-actions", "terraform"])
    );
    Ok(())
}
