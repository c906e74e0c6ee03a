//! Histories, readable and as the server has them.

use prost::Message;
use temporalio_client::WorkflowHistory;

use crate::desk::Desk;

/// A name that stands nowhere but in payloads.
const NAME: &str = "Zebedee";

#[tokio::test]
async fn a_history_is_a_table_of_decrypted_events() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.greet(NAME).await;

    let table = desk
        .terminal
        .run(&format!("workflow history -w {id}"))
        .await;

    let table = table.succeeds();
    for part in [
        "WorkflowExecutionStarted",
        "ActivityTaskScheduled",
        "WorkflowExecutionCompleted",
        "GreetingWorkflow \"Zebedee\"",
        "\"Hello, Zebedee!\"",
        "\"Final result: Processed: Hello, Zebedee!\"",
    ] {
        assert!(table.stdout.contains(part), "no {part} in {table}");
    }
    assert!(!table.stdout.contains("binary/encrypted"), "{table}");
    Ok(())
}

#[tokio::test]
async fn a_printed_history_is_one_that_the_sdk_reads() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.greet(NAME).await;
    let line = format!("workflow history -w {id} -o json");

    let readable = desk.terminal.run(&line).await.succeeds();
    let encrypted = format!("{line} --encrypted");
    let encrypted = desk.terminal.run(&encrypted).await.succeeds();

    let readable = bytes(&readable.stdout).await?;
    let encrypted = bytes(&encrypted.stdout).await?;
    assert!(holds(&readable, NAME) && !holds(&readable, "binary/encrypted"));
    assert!(!holds(&encrypted, NAME) && holds(&encrypted, "binary/encrypted"));
    Ok(())
}

#[tokio::test]
async fn the_encrypted_table_shows_no_plaintext() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.greet(NAME).await;
    let line = format!("workflow history -w {id} --encrypted");

    let table = desk.terminal.run(&line).await.succeeds();

    assert!(table.stdout.contains("GreetingWorkflow"), "{table}");
    assert!(table.stdout.contains("binary/encrypted"), "{table}");
    assert!(!table.stdout.contains(NAME), "{table}");
    Ok(())
}

/// Reads a history as a replayer would, and returns it as it goes over the wire: payloads in JSON
/// are lists of numbers, in which no text can be searched for.
async fn bytes(document: &str) -> anyhow::Result<Vec<u8>> {
    let events = WorkflowHistory::from_json(document.as_bytes())?
        .into_events()
        .await?;
    anyhow::ensure!(!events.is_empty(), "a history has events");
    Ok(events.iter().flat_map(Message::encode_to_vec).collect())
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}
