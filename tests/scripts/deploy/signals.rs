//! A run that is interrupted says where, and leaves nothing running.

use std::{fs, process::Command};

use super::stage::Stage;
use crate::harness::Reply;

/// The process of the script: the one that was started from `folder` and leads its session. Its subshells do not.
fn script(folder: &str) -> Option<u32> {
    let entries = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    let mut ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.find(|id| {
        let command = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let session = stat
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.split(' ').nth(3)?.parse().ok());
        command.contains(folder) && command.contains("infra/scripts/deploy") && session == Some(*id)
    })
}

/// Sends `signal` to the script while `call` goes on, which never ends by itself.
fn interrupted(call: &'static str, signal: &'static str) -> crate::harness::Outcome {
    let world = Stage::empty().world();
    let folder = world.folder().display().to_string();
    world.on(move |made| {
        made.is(call).then(|| {
            let id = script(&folder)
                .filter(|id| *id > 1)
                .expect("the script runs");
            let sent = Command::new("kill")
                .args([format!("-{signal}"), id.to_string()])
                .status()
                .expect("kill is installed");
            assert!(sent.success(), "SIG{signal} reaches process {id}");
            Reply::hang("")
        })
    });
    world.run("deploy", &["demo", "--yes"])
}

#[test]
fn a_signal_ends_what_runs_and_the_summary_names_the_step() {
    let cases = [
        ("terraform apply", "TERM", 143, "terraform-apply"),
        ("terraform plan", "INT", 130, "terraform-plan"),
        ("kubectl rollout status", "TERM", 143, "rollout"),
        ("az keyvault secret set", "TERM", 143, "payload-key"),
    ];
    for (call, signal, code, step) in cases {
        let outcome = interrupted(call, signal);

        outcome
            .fails(code, "interrupted")
            .says(&format!("SIG{signal} during this step"));
        let summary = outcome.summary();
        assert_eq!(
            (&summary["outcome"], &summary["step"]),
            (&"interrupted".into(), &step.into())
        );
        assert_eq!(summary["error"]["slug"], "interrupted");
    }
}

#[test]
fn two_at_once_do_not_write_each_others_files() {
    let world = Stage::empty().world();
    let folder = world.root().join(".sealane/demo");
    fs::create_dir_all(&folder).unwrap();
    let held = fs::File::open(&folder).unwrap();
    held.lock().unwrap();

    world
        .run("deploy", &["demo", "--yes"])
        .fails(4, "already-running")
        .never("az account show");

    held.unlock().unwrap();
    world.run("deploy", &["demo", "--dry-run"]).succeeds();
}
