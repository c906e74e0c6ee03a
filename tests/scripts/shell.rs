//! What all scripts keep to as texts.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::harness::repository;

fn scripts() -> Vec<PathBuf> {
    let folder = repository().join("infra/scripts");
    let files = |folder: &Path| {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
    };
    let mut found: Vec<_> = files(&folder).chain(files(&folder.join("lib"))).collect();
    found.sort();
    found
}

#[test]
fn shellcheck_has_nothing_to_say() {
    let Ok(output) = Command::new("shellcheck")
        .arg("--external-sources")
        .args(scripts())
        .output()
    else {
        eprintln!("skipped: shellcheck is not installed");
        return;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn the_four_scripts_can_be_started_and_explain_themselves() {
    for script in ["deploy", "validate", "destroy", "reap"] {
        let path = repository().join("infra/scripts").join(script);
        let output = Command::new(&path).arg("--help").output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", path.display()));

        let help = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{script}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            help.contains(&format!("usage: infra/scripts/{script}")) && help.contains("Exit codes"),
            "{help}"
        );
    }
}
