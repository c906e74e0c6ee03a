//! Payloads that name a key which the worker does not hold.

use std::time::Duration;

use futures_util::future::try_join_all;
use sealane_tests::azure::Endpoint;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use super::scene::{DAY, Scene, until};

/// A worker with these never looks at the vault of its own accord while a test runs.
const SELDOM: [(&str, &str); 3] = [
    ("SEALANE_KEY_REFRESH", "1h"),
    ("SEALANE_KEY_ACTIVATION_DELAY", "2h"),
    ("SEALANE_KEY_STALE_AFTER", "2h"),
];

/// Workflows that come at once.
const MANY: usize = 20;

/// Looks for keys that nobody has keep a distance of 1, 2, 4, … seconds, so there is no time for more of them
/// in the minute that a test waits for anything.
const MOST_LOOKS: usize = 7;

const UNKNOWN: &str = "sealane_key_unknown_total";

#[tokio::test]
async fn a_key_that_a_worker_could_not_know_is_fetched_once_for_all_who_need_it()
-> anyhow::Result<()> {
    let scene = Scene::open(&SELDOM).await?;
    let fake = &scene.vault.fake;
    scene.vault.add_key(DAY);
    let worker = scene.start_worker().await?;
    // Due at once for whoever starts now.
    let newer = scene.vault.add_key(Duration::from_hours(3));
    let client = scene.vault.client().await?;
    assert_eq!(client.active().as_ref(), Some(&newer));
    let listed = fake.count(Endpoint::ListVersions);

    let names: Vec<_> = (0..MANY).map(|number| format!("no. {number}")).collect();
    let starts = names.iter().map(|name| scene.greet(&client, name));
    let greetings = try_join_all(starts).await?;
    for (greeting, name) in greetings.iter().zip(&names) {
        scene.greeted(greeting, name).await?;
    }

    assert_eq!(fake.count(Endpoint::ListVersions), listed + 1);
    assert_eq!(worker.metric(UNKNOWN).await?, Some(0.0));
    for kept in scene.histories(&client).await? {
        assert_eq!(kept.troubles(), [""; 0]);
    }
    worker.close(&scene.secrets()?).await?;
    Ok(())
}

#[tokio::test]
async fn keys_that_nobody_has_are_not_asked_for_again_and_again() -> anyhow::Result<()> {
    let scene = Scene::open(&SELDOM).await?;
    let fake = &scene.vault.fake;
    scene.vault.add_key(DAY);
    let worker = scene.start_worker().await?;
    let client = scene.vault.client().await?;
    let listed = fake.count(Endpoint::ListVersions);

    for id in ["made-up-1", "made-up-2", "made-up-3"] {
        let stranger = scene.vault.stranger(id).await?;
        let names: Vec<_> = (0..4).map(|number| format!("{id}-{number}")).collect();
        try_join_all(names.iter().map(|name| scene.greet(&stranger, name))).await?;
    }
    until("a failed task of each workflow", async || {
        let histories = scene.histories(&client).await?;
        let failed = histories.iter().filter(|kept| {
            let mut attributes = kept
                .history
                .events
                .iter()
                .flat_map(|event| &event.attributes);
            attributes.any(|it| matches!(it, Attributes::WorkflowTaskFailedEventAttributes(_)))
        });
        Ok(failed.count() == 12)
    })
    .await?;
    let greeting = scene.greet(&client, "meanwhile").await?;
    scene.greeted(&greeting, "meanwhile").await?;

    let looks = fake.count(Endpoint::ListVersions) - listed;
    assert!((1..=MOST_LOOKS).contains(&looks), "{looks}");
    worker.reaches(UNKNOWN, |unknown| unknown >= 12.0).await?;
    worker.answers_ready_with(200).await?;
    worker.close(&scene.secrets()?).await?;
    Ok(())
}
