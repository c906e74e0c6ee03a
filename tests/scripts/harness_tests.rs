//! A harness that lets everything pass would make every other test worthless.

use super::harness::{Reply, World};

/// A world whose script `try` has these lines.
fn world(lines: &str) -> World {
    let world = World::new();
    world.write(
        "infra/scripts/try",
        &format!("#!/usr/bin/env bash\n{lines}\n"),
    );
    let file = world.root().join("infra/scripts/try");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(file, mode).unwrap();
    world
}

#[test]
fn a_stand_in_answers_fails_and_takes_standard_input() {
    let world = world("echo hello | az put --name x; az get || echo \"code $?\"; jq -n '1 + 1'");
    world.answer("az get", Reply::fail(3, "no"));
    world.on(|call| call.is("az put").then(|| Reply::ok(call.stdin())));

    let outcome = world.run("try", &[]);

    outcome.succeeds();
    assert_eq!(outcome.stdout, "hello\ncode 3\n2\n");
    assert_eq!(outcome.stderr, "no\n");
    assert_eq!(outcome.call("az put").value("--name"), Some("x"));
    assert_eq!(outcome.call("az put").stdin.as_deref(), Some("hello\n"));
    outcome.in_order(&["az put", "az get", "jq"]);
}

#[test]
fn sleep_takes_no_time_and_what_hangs_is_ended_by_timeout() {
    let world = world("timeout -k 10 1 az hang; echo $?; sleep 1000");
    world.answer("az hang", Reply::hang(""));

    assert_eq!(world.run("try", &[]).stdout, "124\n");
}

#[test]
fn a_program_that_was_taken_away_is_not_found() {
    let world = world("az version || echo $?");

    assert_eq!(world.without("az").run("try", &[]).stdout, "127\n");
}

#[test]
#[should_panic(expected = "no answer for")]
fn a_call_without_an_answer_is_found() {
    world("az version || true").run("try", &[]);
}

#[test]
#[should_panic(expected = "below .sealane only")]
fn a_file_outside_is_found() {
    world("touch \"$TMPDIR/x\"").run("try", &[]);
}

#[test]
#[should_panic(expected = "was changed")]
fn a_changed_file_is_found() {
    world("echo '#' >>\"$0\"").run("try", &[]);
}

#[test]
#[should_panic(expected = "left running")]
fn a_process_that_is_left_is_found() {
    world("az wait >/dev/null 2>&1 &")
        .answer("az wait", Reply::hang(""))
        .run("try", &[]);
}

#[test]
#[should_panic(expected = "a secret was printed")]
fn a_secret_in_the_output_is_found() {
    world("echo hush >&2").secret("hush").run("try", &[]);
}

#[test]
#[should_panic(expected = "a secret is an argument")]
fn a_secret_in_a_call_is_found() {
    world("jq --arg x hush -n 1").secret("hush").run("try", &[]);
}

#[test]
#[should_panic(expected = "a secret is in the environment")]
fn a_secret_in_the_environment_is_found() {
    world("X=hush jq -n 1").secret("hush").run("try", &[]);
}

#[test]
#[should_panic(expected = "a secret is in the file")]
fn a_secret_in_a_file_is_found() {
    let here = "cd \"$(dirname \"$0\")/../..\"; mkdir .sealane; echo xhushx >.sealane/y";
    world(here).secret("hush").run("try", &[]);
}

#[test]
#[should_panic(expected = "one line says what failed")]
fn a_failure_told_twice_is_found() {
    let world = world("echo 'try: a: [x] no; do' >&2; echo 'try: b: [x] no; do' >&2; exit 1");

    world.run("try", &[]).fails(1, "x");
}
