//! Data keys wrapped by the vault instead of keys from it.

use sealane_client::{audit::Need, handles::OrderHandle};
use sealane_dev::gateway::State;
use sealane_tests::orders::{order, patiently};
use sealane_workflows::orders::Receipt;

use super::scene::{DAY, Scene};

const KEY_URI: &str = "https://unit.vault.azure.net/keys/kek";
/// How payloads name it.
const KEY_ID: &str = "azurekeyvault://unit.vault.azure.net/keys/kek";

const MADE: &str = r#"sealane_data_keys_made_total{reason="count"}"#;
const UNWRAPPED: &str = "sealane_data_key_unwraps_total";

#[tokio::test]
async fn workers_with_data_keys_and_with_keys_continue_each_others_workflows() -> anyhow::Result<()>
{
    let settings = [
        ("KEYVAULT_KEY_URI", KEY_URI),
        ("SEALANE_KEY_MODE", "envelope"),
        ("SEALANE_DATA_KEY_MAX_SEALS", "10"),
        ("SEALANE_DRAIN_TIMEOUT", "1s"),
    ];
    let scene = Scene::open(&settings).await?;
    scene.vault.fake.add_key("kek");
    let key = scene.vault.add_key(DAY);
    scene.gateway.turn(|knobs| knobs.pause_at_parcel = Some(0));
    let client = scene.vault.client().await?;

    let first = scene.start_worker().await?;
    for number in 0..6 {
        let greeting = scene.greet(&client, &format!("no. {number}")).await?;
        scene.greeted(&greeting, &format!("no. {number}")).await?;
    }
    let options = scene.options("order");
    let begun = OrderHandle::start(&client.client, order("order", &["tea"]), options).await?;
    patiently("the parcel", scene.gateway.wait_until(State::is_paused)).await;
    first.reaches(MADE, |made| made >= 2.0).await?;
    first.close(&scene.secrets()?).await?;
    let before = scene.histories(&client).await?;

    let second = scene
        .start_worker_with(&[("SEALANE_KEY_MODE", "secret")])
        .await?;
    scene.gateway.turn(|knobs| knobs.pause_at_parcel = None);
    let receipt = patiently("the order", begun.result()).await?;
    let greeting = scene.greet(&client, "after").await?;
    scene.greeted(&greeting, "after").await?;

    assert!(matches!(receipt, Receipt::Shipped { .. }), "{receipt:?}");
    let (key, enveloped) = (Need::Key(key), Need::Envelope(KEY_ID.to_owned()));
    for kept in &before {
        kept.assert_encrypted().await;
        assert!(
            kept.needs().await.keys().eq([&enveloped]),
            "{:?}",
            kept.needs().await
        );
    }
    let order = scene.histories(&client).await?;
    let order = order
        .iter()
        .filter(|kept| kept.listed.workflow_type == "OrderWorkflow");
    for kept in order {
        kept.assert_encrypted().await;
        kept.assert_readable(&client.workflows).await?;
        assert!(kept.needs().await.keys().eq([&key, &enveloped]));
    }
    // Of the first worker, which has gone through some, and of the client.
    second
        .reaches(UNWRAPPED, |unwrapped| unwrapped >= 2.0)
        .await?;
    second.close(&scene.secrets()?).await?;
    Ok(())
}
