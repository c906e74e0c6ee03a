//! `sealane manifests check`: what it reads, what it prints, how it ends.

use std::{io::Write as _, process::Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::{code, command, empty, line, stderr, stdout};

const GOOD: &str = include_str!("../../../manifests/tests/good.yaml");
const OUTPUTS: &str = include_str!("../../../manifests/tests/outputs.json");

/// A directory with good manifests, bad ones, and what Terraform says.
fn files() -> TempDir {
    let directory = empty();
    let broken = GOOD.replace("args: [serve]", "args: [serf]");
    for (name, text) in [
        ("good.yaml", GOOD),
        ("broken.yaml", &broken),
        ("outputs.json", OUTPUTS),
    ] {
        std::fs::write(directory.path().join(name), text).expect("a file can be written");
    }
    directory
}

fn check(directory: &TempDir, arguments: &[&str]) -> std::process::Output {
    let arguments = [&["manifests", "check"], arguments].concat();
    super::sealane(directory, &[], &arguments)
}

#[test]
fn good_manifests_end_with_0_and_nothing_on_standard_output() {
    let output = check(
        &files(),
        &[
            "good.yaml",
            "--infrastructure",
            "outputs.json",
            "--kubernetes-version",
            "1.35",
        ],
    );

    assert_eq!(code(&output), 0, "{}", stdout(&output));
    assert_eq!(stdout(&output), "");
    assert!(
        stderr(&output).contains("nothing found"),
        "{}",
        stderr(&output)
    );
}

/// The arguments of `sealane serve` in the manifest are read by the command line itself.
#[test]
fn a_mistake_is_one_line_with_its_place_and_remedy_and_ends_with_1() {
    let output = check(&files(), &["broken.yaml", "--output", "text"]);

    assert_eq!(code(&output), 1);
    let text = stdout(&output);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("broken.yaml:"), "{text}");
    assert!(
        text.contains("[arguments-refused] Deployment/sealane-api in sealane: container api:"),
        "{text}"
    );
    assert!(text.contains("; correct args"), "{text}");
    assert!(
        stderr(&output).starts_with("sealane: 1 mistake in "),
        "{}",
        stderr(&output)
    );
}

#[test]
fn json_has_a_field_for_each_part() {
    let output = check(&files(), &["broken.yaml", "--output", "json"]);

    let findings: Value = serde_json::from_str(&stdout(&output)).expect("it is JSON");
    let finding = &findings[0];
    assert_eq!(finding["slug"], "arguments-refused");
    assert_eq!(finding["object"], "Deployment/sealane-api");
    assert_eq!(finding["namespace"], "sealane");
    assert_eq!(finding["file"], "broken.yaml");
    for field in ["line", "message", "remedy"] {
        assert!(!finding[field].is_null(), "{field}");
    }
}

#[test]
fn what_is_accepted_is_no_mistake() {
    let accept = "--accept=arguments-refused=Deployment/sealane-api";

    assert_eq!(code(&check(&files(), &["broken.yaml", accept])), 0);
    let unused = check(&files(), &["good.yaml", accept]);
    assert_eq!(code(&unused), 1);
    assert!(
        stdout(&unused).starts_with("[accept-unused] "),
        "{}",
        stdout(&unused)
    );
}

#[test]
fn standard_input_is_read_without_a_file() {
    for arguments in [&["manifests", "check"][..], &["manifests", "check", "-"]] {
        let directory = empty();
        let mut command = command(&directory, &[], arguments);
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary was built");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(GOOD.as_bytes()).expect("it is read");
        drop(stdin);

        let output = child.wait_with_output().expect("it ends");

        assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    }
}

#[test]
fn what_cannot_be_checked_ends_with_78_and_one_line() {
    let directory = files();
    std::fs::write(directory.path().join("empty.yaml"), "---\n# nothing\n")
        .expect("a file can be written");
    std::fs::write(directory.path().join("twice.yaml"), "kind: A\nkind: B\n")
        .expect("a file can be written");
    for (arguments, expected) in [
        (&["empty.yaml"][..], "empty.yaml holds no Kubernetes object"),
        (
            &["good.yaml", "empty.yaml"],
            "empty.yaml holds no Kubernetes object",
        ),
        (&["twice.yaml"], "twice.yaml:2: kind is there twice"),
        (&["nowhere.yaml"], "cannot read nowhere.yaml"),
        (
            &["good.yaml", "--accept", "image-lastest"],
            "--accept: \"image-lastest\" is no finding",
        ),
        (
            &["good.yaml", "--kubernetes-version", "new"],
            "--kubernetes-version: \"new\" is no version",
        ),
        (
            &["good.yaml", "--infrastructure", "good.yaml"],
            "--infrastructure good.yaml: expected what `terraform output -json` prints",
        ),
    ] {
        let output = check(&directory, arguments);

        assert_eq!(code(&output), 78, "{arguments:?}");
        assert!(line(&output).starts_with(expected), "{}", line(&output));
    }
}
