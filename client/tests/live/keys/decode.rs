//! `sealane keys decode`.

use std::fs;

use sealane_tests::{World, orders::patiently, temporal_cli};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{desk::Desk, terminal::Terminal};

/// Nobody answers at the port of the discard protocol.
const NOBODY: &str = "127.0.0.1:9";

#[tokio::test]
async fn an_exported_history_is_decrypted_without_a_server() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.greet("Zebedee").await;
    let history = format!("workflow history -w {id} -o json");
    let readable = desk.terminal.run(&history).await.succeeds();
    let encrypted = format!("{history} --encrypted");
    let encrypted = desk.terminal.run(&encrypted).await.succeeds();

    let offline = desk.terminal.clone().with("TEMPORAL_ADDRESS", NOBODY);
    let decoded = offline.run_fed("keys decode -", &encrypted.stdout).await;

    let decoded = decoded.succeeds();
    assert_ne!(encrypted.json(), readable.json());
    assert_eq!(decoded.json(), readable.json());
    assert_eq!(decoded.stderr, "");
    Ok(())
}

#[tokio::test]
async fn a_history_that_the_temporal_cli_exported_is_decrypted() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.start_order_that_is_declined("no cover").await?;
    desk.terminal.run(&format!("workflow result -w {id}")).await;
    let address = desk.world.settings().temporal.address;
    let exporting = Command::new(temporal_cli().await?.path)
        .args([
            "workflow",
            "show",
            "-o",
            "json",
            "-w",
            &id,
            "--address",
            &address,
        ])
        .kill_on_drop(true)
        .output();
    let exported = patiently("the Temporal CLI", exporting).await?;
    let exported: Value = serde_json::from_slice(&exported.stdout)?;
    let file = desk.world.folder().join("history.json");
    fs::write(file, exported.to_string())?;

    let decoded = desk.terminal.run("keys decode history.json").await;

    let decoded = decoded.succeeds().stdout;
    let encrypted = "YmluYXJ5L2VuY3J5cHRlZA==";
    let exported = exported.to_string();
    assert!(exported.contains(encrypted) && !exported.contains("while charging"));
    assert!(!decoded.contains(encrypted), "{decoded}");
    assert!(
        decoded.contains("A-1 failed while charging"),
        "failures have their text back: {decoded}"
    );
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_read_stays_as_it_is_and_is_said() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.greet("Zebedee").await;
    let history = format!("workflow history -w {id} -o json --encrypted");
    let encrypted = desk.terminal.run(&history).await.succeeds();
    let stranger = desk.terminal.with("SEALANE_KEY_FILE", "other.json");
    stranger
        .run("keys generate --id other-key")
        .await
        .succeeds();

    let finished = stranger.run_fed("keys decode -", &encrypted.stdout).await;

    let line = finished.fails(78);
    assert!(line.contains("payloads stay encrypted"), "{line}");
    assert!(
        line.contains("\"test-key\"") && line.contains("SEALANE_KEY_FILE"),
        "{line}"
    );
    assert_eq!(finished.json(), encrypted.json());
    Ok(())
}

#[tokio::test]
async fn a_key_ring_is_not_taken_for_a_document_and_printed() -> anyhow::Result<()> {
    let world = World::new().await;
    let ring = fs::read_to_string(world.key_file())?;

    let finished = Terminal::of(&world).run_fed("keys decode -", &ring).await;

    let line = finished.fails(64);
    assert!(
        line.starts_with("standard input is a key ring and is not printed"),
        "{line}"
    );
    let ring: Value = serde_json::from_str(&ring)?;
    for key in ring["keys"].as_object().expect("keys by id").values() {
        let key = key.as_str().expect("a text");
        assert!(!finished.to_string().contains(key), "{line}");
    }
    Ok(())
}

#[tokio::test]
async fn a_document_that_makes_no_sense_is_refused_in_one_line() {
    let world = World::new().await;
    let terminal = Terminal::of(&world);
    let sealed = json!({"metadata": {"encoding": "YmluYXJ5L2VuY3J5cHRlZA=="}, "data": "?"});

    let no_json = terminal.run_fed("keys decode -", "Zebedee").await;
    let malformed = terminal.run_fed("keys decode -", &sealed.to_string()).await;
    let missing = terminal.run("keys decode nowhere.json").await;
    let nothing = terminal.run_fed("keys decode -", "[1]").await.succeeds();

    let line = no_json.fails(64);
    assert!(line.starts_with("standard input is not JSON: "), "{line}");
    assert!(!line.contains("Zebedee"), "{line}");
    let place = "standard input has a malformed payload at /: \"data\" is not base64";
    assert_eq!(malformed.fails(64), place);
    assert!(
        missing
            .fails(64)
            .starts_with("nowhere.json cannot be read: ")
    );
    assert_eq!(nothing.json(), json!([1]));
    assert_eq!(
        nothing.stderr,
        "sealane: standard input holds no encrypted payload\n"
    );
}
