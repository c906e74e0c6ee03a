//! What docs/cli.md tells a newcomer to type.

use sealane_tests::World;

use crate::terminal::Terminal;

#[tokio::test]
async fn a_generated_key_ring_passes_the_check_against_the_server() {
    let world = World::new().await;
    let terminal = Terminal::of(&world).with("SEALANE_KEY_FILE", "mine.json");

    let generated = terminal.run("keys generate --id mine").await.succeeds();
    let checked = terminal.run("config check --connect -o json").await;
    let checked = checked.succeeds();

    assert!(generated.shows("keyId", "mine"), "{generated}");
    assert!(generated.shows("file", "mine.json"), "{generated}");
    let verdict = format!("{} has the namespace", world.settings().temporal.address);
    assert!(checked.stderr.contains(&verdict), "{checked}");
    let settings = checked.json();
    let mut settings = settings.as_array().expect("a list").iter();
    let key_file = settings.find(|it| it["setting"] == "SEALANE_KEY_FILE");
    assert_eq!(key_file.expect("it is listed")["value"], "mine.json");
}

#[tokio::test]
async fn turning_encryption_off_is_said_with_every_command() {
    let world = World::new().await;
    let terminal = Terminal::of(&world)
        .without("SEALANE_KEY_FILE")
        .with("SEALANE_ENCRYPTION", "off");

    let listed = terminal.run("workflow list --limit 1").await.succeeds();

    let warning = "sealane: warning: SEALANE_ENCRYPTION=off";
    assert!(listed.stderr.starts_with(warning), "{listed}");
}

#[tokio::test]
async fn a_shell_gets_its_completion_script() {
    let world = World::new().await;

    let script = Terminal::of(&world).run("completions bash").await;

    let script = script.succeeds();
    assert!(script.stdout.contains("complete "), "{script}");
    assert!(script.stdout.contains("schedule"), "{script}");
}
