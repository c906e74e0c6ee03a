//! Payloads that Temporal does not take.

use std::fs;

use sealane_tests::World;

use crate::terminal::Terminal;

#[tokio::test]
async fn what_temporal_does_not_take_is_named_in_one_line() -> anyhow::Result<()> {
    let world = World::new().await;
    let terminal = Terminal::of(&world);
    let bulk = world.folder().join("bulk.json");
    fs::write(&bulk, format!("\"{}\"", "x".repeat(2_200_000)))?;
    let input = format!("--input @{}", bulk.display());

    for (command, field) in [
        ("workflow run --type Idle", r#"input of workflow "Idle""#),
        ("workflow start --type Idle", r#"input of workflow "Idle""#),
        ("workflow signal -w w --name n", r#"input of signal "n""#),
        ("workflow query -w w --name n", r#"input of query "n""#),
        ("workflow update -w w --name n", r#"input of update "n""#),
        (
            "schedule create -s s --type Idle --interval 20h",
            r#"input and memo of schedule "s""#,
        ),
    ] {
        let finished = terminal.run(&format!("{command} {input}")).await;

        let told = finished.fails(64);
        let expected = format!("nothing was sent: {field} is 22");
        assert!(told.starts_with(&expected), "{finished}");
        assert!(
            told.contains("the limit of the namespace is 2097152"),
            "{finished}"
        );
        assert!(told.contains("SEALANE_LARGE_PAYLOADS=blob"), "{finished}");
        assert_eq!(finished.stdout, "", "{finished}");
    }
    Ok(())
}
