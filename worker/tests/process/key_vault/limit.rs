//! A key that has encrypted as much as it may.

use std::time::Duration;

use sealane_client::{audit::Need, handles::Greeting};
use sealane_tests::VaultClient;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use super::scene::{DAY, Scene, lines, until};

/// Payloads that a worker may encrypt under one key in these tests: those of three greetings are more.
const LIMIT: (&str, f64) = ("20", 20.0);

const HALF: &str = "half of what this key may seal is used";
const ALL: &str = "this key has sealed as many payloads as it may";

const NAMES: [&str; 4] = ["one", "two", "three", "four"];

async fn scene(exhausted: &str) -> anyhow::Result<Scene> {
    let settings = [
        ("SEALANE_KEY_REFRESH", "1s"),
        ("SEALANE_KEY_ACTIVATION_DELAY", "3s"),
        ("SEALANE_KEY_SEAL_LIMIT", LIMIT.0),
        ("SEALANE_KEY_EXHAUSTED", exhausted),
    ];
    Scene::open(&settings).await
}

async fn greet_all(scene: &Scene, client: &VaultClient) -> anyhow::Result<Vec<Greeting>> {
    let mut greetings = Vec::new();
    for name in NAMES {
        greetings.push(scene.greet(client, name).await?);
    }
    Ok(greetings)
}

fn assert_warned_once(log: &[String], key: &str) {
    for text in [HALF, ALL] {
        let mut warnings = lines(log, text);
        warnings.retain(|line| line.contains(key));
        assert_eq!(warnings.len(), 1, "{text}: {warnings:#?}");
        assert!(warnings[0].contains(r#""level":"WARN""#), "{warnings:?}");
    }
}

#[tokio::test]
async fn a_key_beyond_its_limit_encrypts_nothing_and_work_waits_for_the_next_one()
-> anyhow::Result<()> {
    let scene = scene("refuse").await?;
    let key = scene.vault.add_key(DAY);
    let worker = scene.start_worker().await?;
    let client = scene.vault.client().await?;

    let greetings = greet_all(&scene, &client).await?;
    let used = format!(r#"sealane_key_budget_used_ratio{{key_id="{key}"}}"#);
    worker.reaches(&used, |used| used >= 1.0).await?;
    until("a task that cannot be completed", async || {
        let histories = scene.histories(&client).await?;
        let mut events = histories.iter().flat_map(|kept| &kept.history.events);
        Ok(events.any(|event| {
            matches!(
                event.attributes,
                Some(
                    Attributes::WorkflowTaskFailedEventAttributes(_)
                        | Attributes::WorkflowTaskTimedOutEventAttributes(_)
                )
            )
        }))
    })
    .await?;
    let waiting = scene.list(&client, "ExecutionStatus = 'Running'").await?;
    assert!(!waiting.is_empty());
    let next = scene.vault.add_key(Duration::ZERO);
    for (greeting, name) in greetings.iter().zip(NAMES) {
        scene.greeted(greeting, name).await?;
    }

    let mut under = [0.0; 2];
    for kept in scene.histories(&client).await? {
        kept.assert_encrypted().await;
        let needs = kept.needs().await;
        for (sum, key) in under.iter_mut().zip([&key, &next]) {
            let count = needs
                .get(&Need::Key(key.clone()))
                .copied()
                .unwrap_or_default();
            *sum += f64::from(u32::try_from(count)?);
        }
    }
    let inputs = f64::from(u32::try_from(NAMES.len())?);
    assert!(under[0] <= LIMIT.1 + inputs && under[1] > 0.0, "{under:?}");
    let log = worker.close(&scene.secrets()?).await?;
    assert_warned_once(&log, &key);
    Ok(())
}

#[tokio::test]
async fn a_lenient_limit_warns_and_goes_on() -> anyhow::Result<()> {
    let scene = scene("warn").await?;
    let key = scene.vault.add_key(DAY);
    let worker = scene.start_worker().await?;
    let client = scene.vault.client().await?;

    let greetings = greet_all(&scene, &client).await?;
    for (greeting, name) in greetings.iter().zip(NAMES) {
        scene.greeted(greeting, name).await?;
    }

    let seals = format!(r#"sealane_key_seals_total{{key_id="{key}"}}"#);
    let seals = worker.metric(&seals).await?;
    assert!(seals > Some(LIMIT.1), "{seals:?}");
    let log = worker.close(&scene.secrets()?).await?;
    assert_warned_once(&log, &key);
    Ok(())
}
