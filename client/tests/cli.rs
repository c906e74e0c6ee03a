//! The command line against bad input: exit codes, one clear line, nothing half-done. Needs no server.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

#[path = "cli/manifests.rs"]
mod manifests;

/// Runs `sealane` in an empty directory and an environment of nothing but `env`.
fn sealane(directory: &TempDir, env: &[(&str, &str)], arguments: &[&str]) -> Output {
    command(directory, env, arguments)
        .output()
        .expect("the binary was built")
}

fn command(directory: &TempDir, env: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sealane"));
    command
        .env_clear()
        .envs(env.iter().copied())
        .args(arguments)
        .current_dir(directory);
    command
}

fn empty() -> TempDir {
    tempfile::tempdir().expect("a temporary directory can be made")
}

/// A directory with the key ring `keys.json`.
fn with_keys() -> TempDir {
    let directory = empty();
    let made = sealane(&directory, &[], &["keys", "generate", "--out", "keys.json"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    directory
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal ended it")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The one line of an error, without the program's name.
fn line(output: &Output) -> String {
    let text = stderr(output);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert_eq!(stdout(output), "");
    text.trim_end()
        .strip_prefix("sealane: ")
        .unwrap_or_else(|| panic!("{text}"))
        .to_owned()
}

/// An address where nothing listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    address.to_string()
}

#[test]
fn help_is_no_error_and_lists_the_exit_codes() {
    let output = sealane(&empty(), &[], &["--help"]);

    assert_eq!(code(&output), 0);
    assert!(
        stdout(&output).contains("78  bad settings"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn arguments_that_make_no_sense_are_a_usage_error() {
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["workflow", "start"],
        &["workflow", "result"],
        &["workflow", "run", "--type", "T", "--timeout", "soon"],
        &[
            "workflow",
            "start",
            "--type",
            "T",
            "--id-conflict-policy",
            "maybe",
        ],
        &["workflow", "list", "--output", "xml"],
    ] {
        let output = sealane(&empty(), &[], arguments);

        assert_eq!(code(&output), 64, "{arguments:?}");
        assert_ne!(stderr(&output), "", "{arguments:?}");
    }
}

#[test]
fn a_number_that_makes_no_sense_is_refused_with_what_is_expected() {
    for number in ["0", "-1", "many"] {
        let concurrency = format!("--concurrency={number}");
        let output = sealane(&empty(), &[], &["keys", "audit", &concurrency]);

        assert_eq!(code(&output), 64, "{number}");
        let text = stderr(&output);
        assert!(text.contains("expected a number from 1"), "{text}");
    }
}

#[test]
fn malformed_json_is_reported_before_anything_is_connected() {
    let (directory, address) = (with_keys(), nobody());
    fs::write(directory.path().join("order.json"), "{\"id\":\n  oops}").unwrap();
    let env = [
        ("SEALANE_KEY_FILE", "keys.json"),
        ("TEMPORAL_ADDRESS", address.as_str()),
    ];

    for (arguments, expected) in [
        (
            &["start", "--type", "T", "-i", "{\"a\":"][..],
            "--input is not JSON: EOF while parsing a value at line 1 column 5",
        ),
        (
            &["run", "--type", "T", "-i", "1", "-i", "World"],
            "--input number 2 is not JSON: expected value at line 1 column 1",
        ),
        (
            &["start", "--type", "T", "-i", "@order.json"],
            "--input (order.json) is not JSON: expected value at line 2 column 3",
        ),
        (
            &["start", "--type", "T", "-i", "@missing.json"],
            "--input cannot be read from missing.json",
        ),
        (
            &["start", "--type", "T", "-i", "-", "-i", "-"],
            "--input - is given twice",
        ),
        (
            &["start", "--type", "T", "--memo", "note"],
            "--memo is \"note\", expected NAME=JSON",
        ),
        (
            &["start", "--type", "T", "--search-attribute", "Region=eu"],
            "--search-attribute Region is not JSON",
        ),
        (
            &["signal", "-w", "w", "--name", "n", "-i", "{"],
            "--input is not JSON",
        ),
        (
            &["query", "-w", "w", "--name", "n", "-i", "{"],
            "--input is not JSON",
        ),
        (
            &["update", "-w", "w", "--name", "n", "-i", "{"],
            "--input is not JSON",
        ),
    ] {
        let output = sealane(&directory, &env, &[&["workflow"], arguments].concat());

        assert_eq!(code(&output), 64, "{arguments:?}: {}", stderr(&output));
        assert!(line(&output).starts_with(expected), "{}", line(&output));
    }
}

#[test]
fn a_server_that_does_not_answer_is_named_with_the_remedy() {
    let (directory, address) = (with_keys(), nobody());
    let env = [
        ("SEALANE_KEY_FILE", "keys.json"),
        ("TEMPORAL_ADDRESS", address.as_str()),
    ];

    for arguments in [
        &["start", "--type", "T"][..],
        &["result", "-w", "w"],
        &["describe", "-w", "w"],
        &["terminate", "-w", "w"],
        &["list"],
        &["history", "-w", "w"],
    ] {
        let output = sealane(&directory, &env, &[&["workflow"], arguments].concat());

        assert_eq!(code(&output), 69, "{arguments:?}: {}", stderr(&output));
        let line = line(&output);
        assert!(
            line.contains(&address) && line.contains("TEMPORAL_ADDRESS"),
            "{line}"
        );
    }
}

#[test]
fn without_a_key_nothing_is_connected() {
    let output = sealane(
        &empty(),
        &[("TEMPORAL_ADDRESS", &nobody())],
        &["workflow", "list"],
    );

    assert_eq!(code(&output), 78);
    assert!(
        line(&output).contains("sealane keys generate"),
        "{}",
        line(&output)
    );
}

#[test]
fn a_key_ring_that_cannot_be_used_is_named_but_not_quoted() {
    let directory = empty();
    fs::write(
        directory.path().join("keys.json"),
        r#"{"active": "a", "keys": {"a": "c2hvcnQ="}}"#,
    )
    .unwrap();

    let output = sealane(
        &directory,
        &[("SEALANE_KEY_FILE", "keys.json")],
        &["config", "check"],
    );

    assert_eq!(code(&output), 78);
    let text = stderr(&output);
    assert!(text.contains("keys.json"), "{text}");
    assert!(text.contains("restore it from a copy"), "{text}");
    assert!(!text.contains("keys generate"), "{text}");
    assert!(!text.contains("c2hvcnQ"), "{text}");
    assert!(!text.contains("RUST_BACKTRACE"), "{text}");
}

#[test]
fn every_bad_setting_is_reported_at_once() {
    let env = [
        ("TEMPORAL_ADDRESS", "nowhere"),
        ("SEALANE_COMPRESSION", "best"),
        ("SEALANE_KEY_FILE", "missing.json"),
        ("TEMPORAL_API_KEY", "s3cret"),
        ("TEMPORAL_API_KEY_FILE", "also.txt"),
    ];

    let output = sealane(&empty(), &env, &["config", "check"]);

    assert_eq!(code(&output), 78);
    let problems = stderr(&output);
    for (name, _) in env {
        assert!(problems.contains(name), "{name} in {problems}");
    }
    assert!(
        problems.lines().all(|line| line.starts_with("sealane: ")),
        "{problems}"
    );
    assert!(!problems.contains("s3cret") && !stdout(&output).contains("s3cret"));
}

#[test]
fn config_check_shows_sources_and_hides_secrets() {
    let directory = with_keys();
    fs::write(
        directory.path().join("config.env"),
        "TEMPORAL_NAMESPACE=payments\n",
    )
    .unwrap();
    let env = [
        ("SEALANE_KEY_FILE", "keys.json"),
        ("TEMPORAL_API_KEY", "s3cret"),
    ];

    let output = sealane(
        &directory,
        &env,
        &["--config", "config.env", "config", "check", "-o", "json"],
    );

    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    let row = |name: &str| rows.iter().find(|row| row["setting"] == name).unwrap();
    assert_eq!(row("TEMPORAL_NAMESPACE")["value"], "payments");
    assert_eq!(row("TEMPORAL_NAMESPACE")["source"], "config.env:1");
    assert_eq!(row("TEMPORAL_API_KEY")["value"], "<redacted>");
    assert!(!stdout(&output).contains("s3cret"));
}

#[test]
fn a_generated_key_is_private_usable_and_never_printed() {
    let directory = empty();

    let output = sealane(
        &directory,
        &[],
        &["keys", "generate", "--id", "first", "-o", "json"],
    );

    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let path = directory.path().join("sealane-keys.json");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let ring: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(ring["active"], "first");
    let key = ring["keys"]["first"].as_str().unwrap();
    assert!(!stdout(&output).contains(key) && !stderr(&output).contains(key));
    let checked = sealane(
        &directory,
        &[("SEALANE_KEY_FILE", "sealane-keys.json")],
        &["config", "check"],
    );
    assert_eq!(code(&checked), 0, "{}", stderr(&checked));
}

#[test]
fn a_key_is_made_where_the_setting_points() {
    let directory = empty();

    let output = sealane(
        &directory,
        &[("SEALANE_KEY_FILE", "ring.json")],
        &["keys", "generate"],
    );

    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(directory.path().join("ring.json").exists());
}

#[test]
fn an_existing_key_is_never_overwritten_or_printed() {
    let directory = with_keys();
    let before = fs::read(directory.path().join("keys.json")).unwrap();

    for (out, expected) in [
        ("keys.json", "keys.json exists"),
        ("-", "--out is \"-\""),
        ("missing/keys.json", "--out: "),
    ] {
        let output = sealane(&directory, &[], &["keys", "generate", "--out", out]);

        assert_eq!(code(&output), 64);
        assert!(line(&output).starts_with(expected), "{}", line(&output));
    }
    assert_eq!(
        fs::read(directory.path().join("keys.json")).unwrap(),
        before
    );
    assert!(!Path::new(directory.path()).join("-").exists());
}

#[test]
fn an_empty_key_id_is_refused_and_nothing_is_written() {
    let directory = empty();

    let output = sealane(&directory, &[], &["keys", "generate", "--id", ""]);

    assert_eq!(code(&output), 64);
    assert!(line(&output).starts_with("--id: "), "{}", line(&output));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = sealane(&empty(), &[], &["completions", shell]);

        assert_eq!(code(&output), 0);
        assert!(stdout(&output).contains("workflow"), "{shell}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let directory = empty();
    let mut child = command(&directory, &[], &["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();

    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();

    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_generated_token_is_printed_once_or_written_for_its_owner() {
    let directory = empty();
    let generate = [
        "tokens",
        "generate",
        "--name",
        "ci",
        "--grant",
        "orders=writer",
    ];

    let shown = sealane(&directory, &[], &[&generate[..], &["-o", "json"]].concat());
    let written = [&generate[..], &["--out", "ci.token", "-o", "json"]].concat();
    let filed = sealane(&directory, &[], &written);
    let again = sealane(&directory, &[], &written);

    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert!(shown["token"].as_str().unwrap().starts_with("sealane_"));
    assert_eq!(shown["entry"]["grants"]["orders"], "writer");
    assert_eq!(code(&filed), 0, "{}", stderr(&filed));
    let path = directory.path().join("ci.token");
    let token = fs::read_to_string(&path).unwrap();
    assert!(!stdout(&filed).contains(token.trim()), "{}", stdout(&filed));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(code(&again), 64);
    assert_eq!(fs::read_to_string(&path).unwrap(), token);
}

#[test]
fn a_check_tells_what_only_those_who_answer_callers_lack() {
    let directory = with_keys();
    let env = [
        ("SEALANE_KEY_FILE", "keys.json"),
        ("SEALANE_AUTH", "tokens"),
        ("SEALANE_AUTH_TOKENS_FILE", "tokens.json"),
    ];

    let without = sealane(&directory, &env, &["config", "check"]);
    fs::write(directory.path().join("tokens.json"), r#"{"tokens": []}"#).unwrap();
    let with = sealane(&directory, &env, &["config", "check"]);

    let told = |output: &Output| stderr(output).contains("would not start: ");
    assert_eq!((code(&without), code(&with)), (0, 0));
    assert!(told(&without) && stderr(&without).contains("tokens.json"));
    assert!(!told(&with), "{}", stderr(&with));
}
