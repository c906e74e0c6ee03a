//! Messages to a running order, and how orders end.

use sealane_tests::orders::address;
use serde_json::json;

use crate::desk::Desk;

/// Written as in docs/cli.md.
fn change_address(id: &str) -> anyhow::Result<String> {
    let elsewhere = serde_json::to_string(&address("Unter den Linden 5"))?;
    Ok(format!(
        "workflow update -w {id} --name change_address -i '{elsewhere}' -o json"
    ))
}

#[tokio::test]
async fn an_open_order_answers_takes_a_new_address_and_can_be_cancelled() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let terminal = &desk.terminal;
    desk.gateway.take_down().await;
    let id = desk.start_order().await?;

    let query = format!("workflow query -w {id} --name status");
    let status = terminal.run(&query).await.succeeds();
    let changed = terminal.run(&change_address(&id)?).await.succeeds();
    let signal = format!("workflow signal -w {id} --name cancel -i '\"ordered twice\"'");
    let signalled = terminal.run(&signal).await.succeeds();
    desk.gateway.bring_up().await?;
    let result = format!("workflow result -w {id} -o json");
    let result = terminal.run(&result).await.succeeds().json();

    assert!(status.shows("result", "reserving"), "{status}");
    assert_eq!(changed.json()["result"]["street"], "Unter den Linden 5");
    assert!(signalled.shows("signal", "cancel"), "{signalled}");
    let receipt = json!({"status": "cancelled", "order_id": "A-1", "reason": "ordered twice"});
    assert_eq!(result["result"], receipt);
    Ok(())
}

#[tokio::test]
async fn an_update_that_comes_too_late_is_refused_with_the_reason() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.start_order_that_is_shipping().await?;

    let refused = desk.terminal.run(&change_address(&id)?).await;

    assert_eq!(
        refused.fails(1),
        "update \"change_address\" failed: order A-1 is shipping, \
         its address can be changed only before shipping starts"
    );
    assert_eq!(refused.stdout, "");
    Ok(())
}

#[tokio::test]
async fn an_order_is_cancelled_by_temporal_too() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.start_order_that_is_shipping().await?;

    let cancel = format!("workflow cancel -w {id} --reason 'shop closes'");
    let requested = desk.terminal.run(&cancel).await.succeeds();
    let result = format!("workflow result -w {id} -o json");
    let ended = desk.terminal.run(&result).await;

    assert!(requested.shows("requested", "cancel"), "{requested}");
    assert_eq!(ended.fails(1), format!("workflow {id:?} was cancelled"));
    assert_eq!(ended.json()["status"], "CANCELED");
    Ok(())
}

#[tokio::test]
async fn a_declined_order_fails_the_command_with_the_decrypted_reason() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk
        .start_order_that_is_declined("insufficient_funds")
        .await?;
    let result = format!("workflow result -w {id}");

    let told = desk.terminal.run(&result).await;
    let printed = desk.terminal.run(&format!("{result} -o json")).await;

    let line = told.fails(1);
    assert!(line.contains("order A-1 failed while charging"), "{line}");
    assert!(line.contains("insufficient_funds"), "{line}");
    assert_eq!(told.stdout, "");
    assert_eq!(printed.fails(1), line);
    let document = printed.json();
    assert_eq!(document["status"], "FAILED");
    let failure = document["failure"].to_string();
    assert!(failure.contains("insufficient_funds"), "{failure}");
    Ok(())
}
