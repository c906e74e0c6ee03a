//! What the workflows of GitHub may do, and whose code they run.

use std::collections::BTreeSet;

use anyhow::Context;
use serde_json::json;

use crate::workflow::Workflow;

/// Jobs that Azure and Sigstore take GitHub's word for.
const WITH_IDENTITY: [&str; 3] = ["build-and-publish/publish", "deploy/deploy", "reap/reap"];

#[test]
fn every_action_is_a_commit_with_its_version_beside_it() -> anyhow::Result<()> {
    let mut seen = 0;
    for workflow in Workflow::all()? {
        for line in workflow.lines().filter(|it| it.contains("uses:")) {
            let used = line.split_once("uses:").map(|(_, it)| it.trim());
            let used = used.context("just seen")?;
            if used.starts_with("$/") {
                continue;
            }
            let place = format!("{}: {used}", workflow.name);
            let (action, version) = used.split_once(" # v").context(place.clone())?;
            let commit = action.split_once('@').context(place.clone())?.1;
            let hexadecimal = |it: char| matches!(it, '0'..='9' | 'a'..='f');
            assert!(
                commit.len() == 40 && commit.chars().all(hexadecimal),
                "{place}"
            );
            assert_eq!(version.split('.').count(), 3, "{place}");
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} actions found");
    Ok(())
}

#[test]
fn an_action_has_one_commit_everywhere() -> anyhow::Result<()> {
    let mut commits = BTreeSet::new();
    let mut actions = BTreeSet::new();
    for workflow in Workflow::all()? {
        for line in workflow.lines() {
            let Some((action, commit)) = line
                .split_once("uses: ")
                .and_then(|(_, it)| it.split_once('@'))
            else {
                continue;
            };
            actions.insert(action.to_owned());
            commits.insert(format!("{action}@{commit}"));
        }
    }
    assert_eq!(actions.len(), commits.len(), "{commits:#?}");
    Ok(())
}

#[test]
fn nobody_may_write_to_the_repository() -> anyhow::Result<()> {
    for workflow in Workflow::all()? {
        assert_eq!(
            workflow.permissions(),
            &json!({"contents": "read"}),
            "{}",
            workflow.name
        );
        for job in workflow.jobs() {
            let permissions = job.content["permissions"].as_object();
            for (right, level) in permissions.into_iter().flatten() {
                let harmless = level == "read" || level == "none" || right == "id-token";
                assert!(harmless, "{}: {right}: {level}", job.place);
            }
        }
    }
    Ok(())
}

#[test]
fn only_jobs_that_need_it_have_an_identity() -> anyhow::Result<()> {
    let mut found = BTreeSet::new();
    for workflow in Workflow::all()? {
        for job in workflow.jobs() {
            if job.content["permissions"].get("id-token").is_some() {
                found.insert(job.place);
            }
        }
    }
    assert_eq!(found, BTreeSet::from(WITH_IDENTITY.map(str::to_owned)));
    Ok(())
}

#[test]
fn pull_requests_start_nothing_that_has_an_identity_or_a_secret() -> anyhow::Result<()> {
    for workflow in Workflow::all()? {
        let triggers = workflow.triggers();
        for dangerous in ["pull_request_target", "workflow_run", "issue_comment"] {
            assert!(
                !triggers.contains(dangerous),
                "{}: {dangerous}",
                workflow.name
            );
        }
        if triggers.contains("pull_request") {
            let text = workflow.text();
            for word in ["id-token", "secrets.", "secrets:", "azure/login", "write"] {
                assert!(!text.contains(word), "{}: {word}", workflow.name);
            }
        }
    }
    assert_eq!(
        Workflow::read("ci")?.triggers(),
        BTreeSet::from(["pull_request", "workflow_call"])
    );
    Ok(())
}

#[test]
fn no_workflow_reads_a_secret() -> anyhow::Result<()> {
    for workflow in Workflow::all()? {
        assert!(!workflow.text().contains("secrets"), "{}", workflow.name);
    }
    Ok(())
}

#[test]
fn only_main_publishes() -> anyhow::Result<()> {
    let workflow = Workflow::read("build-and-publish")?;
    assert_eq!(workflow.triggers(), BTreeSet::from(["push"]));
    assert_eq!(workflow.trigger("push"), &json!({"branches": ["main"]}));
    Ok(())
}

#[test]
fn what_can_push_compiles_nothing_and_waits_for_all_checks() -> anyhow::Result<()> {
    let workflow = Workflow::read("build-and-publish")?;
    let publish = workflow.job("publish");
    assert_eq!(publish["needs"], json!(["ci", "build"]));
    assert_eq!(
        publish["permissions"],
        json!({"id-token": "write"}),
        "not even the code is read"
    );
    let jobs = workflow.jobs();
    let publish = jobs.iter().find(|it| it.place.ends_with("/publish"));
    let steps = publish.context("publish")?.steps();
    let actions: BTreeSet<_> = steps.iter().filter_map(|it| it.action()).collect();
    let allowed = [
        "actions/download-artifact",
        "azure/login",
        "sigstore/cosign-installer",
    ];
    assert_eq!(actions, BTreeSet::from(allowed));
    Ok(())
}

#[test]
fn no_checkout_leaves_a_token_behind_and_no_job_runs_for_ever() -> anyhow::Result<()> {
    for workflow in Workflow::all()? {
        for job in workflow.jobs() {
            if job.content.get("uses").is_some() {
                continue;
            }
            assert!(
                job.content["timeout-minutes"].is_u64(),
                "{} has no timeout-minutes",
                job.place
            );
            // What deploys has to come from where the cluster lets it in, and that is for the repository to say.
            let runner = match job.place.as_str() {
                "deploy/deploy" => "${{ vars.SEALANE_RUNNER || 'ubuntu-24.04' }}",
                _ => "ubuntu-24.04",
            };
            assert_eq!(job.content["runs-on"], runner, "{}", job.place);
            for step in job
                .steps()
                .iter()
                .filter(|it| it.action() == Some("actions/checkout"))
            {
                assert_eq!(
                    step.content["with"]["persist-credentials"], false,
                    "{}",
                    step.place
                );
            }
        }
    }
    Ok(())
}
