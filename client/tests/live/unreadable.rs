//! Payloads under a key that the ring does not hold.

use crate::{desk::Desk, terminal::Terminal};

/// Stands in payloads, and nowhere else.
const SECRET: &str = "Zebedee";

/// A terminal of somebody who has another key.
async fn stranger(desk: &Desk) -> Terminal {
    let terminal = desk.terminal.clone().with("SEALANE_KEY_FILE", "other.json");
    terminal
        .run("keys generate --id other-key")
        .await
        .succeeds();
    terminal
}

#[tokio::test]
async fn a_result_under_a_missing_key_is_refused_by_the_name_of_the_key() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.greet(SECRET).await;
    let stranger = stranger(&desk).await;

    for command in ["result", "history"] {
        let finished = stranger.run(&format!("workflow {command} -w {id}")).await;

        assert_eq!(
            finished.fails(78),
            "payload is encrypted under key \"test-key\", the key ring holds \"other-key\"; \
             set SEALANE_KEY_FILE or KEYVAULT_URL to keys that include it"
        );
        assert_eq!(finished.stdout, "");
    }
    Ok(())
}

#[tokio::test]
async fn a_failure_under_a_missing_key_is_refused_alike() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.start_order_that_is_declined(SECRET).await?;
    let stranger = stranger(&desk).await;

    let finished = stranger.run(&format!("workflow result -w {id}")).await;

    let line = finished.fails(78);
    assert!(line.contains("\"test-key\""), "{line}");
    assert!(line.contains("SEALANE_KEY_FILE"), "{line}");
    assert!(!line.contains(SECRET), "{line}");
    Ok(())
}

#[tokio::test]
async fn a_hint_says_which_key_it_takes_to_read_why_a_worker_fails() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let stranger = stranger(&desk).await;
    // From here on there is a worker, for all that the server knows.
    desk.greet("Ada").await;
    let id = desk.world.id("unknown");
    let start = format!("workflow start --type NobodyKnows -w {id}");
    desk.terminal.run(&start).await.succeeds();

    // The first hint comes after four seconds.
    let line = format!("workflow result -w {id} --timeout 7s");
    let finished = stranger.run(&line).await;

    let hint = finished.lines_of_failure(75)[0];
    let why = "its text cannot be read here: payload is encrypted under key \"test-key\"";
    assert!(hint.contains(why), "{finished}");
    assert!(!hint.contains("Encoded failure"), "{finished}");
    Ok(())
}

#[tokio::test]
async fn what_needs_no_key_is_shown_without_it() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.world.id("memo");
    let start = format!("workflow start --type Idle -w {id} --memo note=\"{SECRET}\"");
    desk.terminal.run(&start).await.succeeds();
    let stranger = stranger(&desk).await;

    let described = stranger.run(&format!("workflow describe -w {id}")).await;
    let history = format!("workflow history -w {id} --encrypted");
    let history = stranger.run(&history).await.succeeds();

    let described = described.succeeds();
    assert!(described.shows("status", "RUNNING"), "{described}");
    let warning = "sealane: warning: shown encrypted: payload is encrypted under key \"test-key\"";
    assert!(described.stderr.starts_with(warning), "{described}");
    assert!(!described.stdout.contains(SECRET), "{described}");
    assert_eq!(history.stderr, "");
    Ok(())
}

#[tokio::test]
async fn a_schedule_shows_which_key_its_input_needs() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.world.id("sealed");
    let create = format!("schedule create -s {id} --type Idle --interval 20h -i \"{SECRET}\"");
    desk.terminal.run(&create).await.succeeds();
    let stranger = stranger(&desk).await;

    let described = stranger.run(&format!("schedule describe -s {id}")).await;

    let described = described.succeeds();
    assert!(described.stdout.contains("test-key"), "{described}");
    assert!(!described.stdout.contains(SECRET), "{described}");
    Ok(())
}
