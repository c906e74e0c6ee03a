//! A key that has encrypted as much as it may.

use std::time::Duration;

use sealane_client::{audit::Need, workflow::Execution};
use sealane_tests::VaultClient;
use temporalio_common::protos::temporal::api::history::v1::{
    HistoryEvent, history_event::Attributes,
};

use super::scene::{DAY, Scene, Watched, lines, until};

/// What a worker encrypts for one greeting: the input and the result of three activities, and its own result.
const SEALS_OF_A_GREETING: u64 = 7;

const HALF: &str = "half of what this key may seal is used";
const ALL: &str = "this key has sealed as many payloads as it may";

/// A worker that may encrypt `limit` payloads under one key, and the client of two greetings that are over.
struct Limited {
    scene: Scene,
    key: String,
    worker: Watched,
    client: VaultClient,
}

impl Limited {
    async fn after_two_greetings(limit: u64, exhausted: &str) -> anyhow::Result<Self> {
        let scene = Scene::open(&[
            ("SEALANE_KEY_REFRESH", "1s"),
            ("SEALANE_KEY_ACTIVATION_DELAY", "3s"),
            ("SEALANE_KEY_SEAL_LIMIT", &limit.to_string()),
            ("SEALANE_KEY_EXHAUSTED", exhausted),
        ])
        .await?;
        let key = scene.vault.add_key(DAY);
        let worker = scene.start_worker().await?;
        let client = scene.vault.client().await?;
        for name in ["one", "two"] {
            let greeting = scene.greet(&client, name).await?;
            scene.greeted(&greeting, name).await?;
        }
        Ok(Self {
            scene,
            key,
            worker,
            client,
        })
    }

    /// Waits until a workflow task or an activity of the greeting of `name` has failed in some way.
    async fn is_stuck(&self, name: &str) -> anyhow::Result<()> {
        let execution = Execution {
            workflow_id: self.scene.vault.world.id(name),
            run_id: None,
        };
        until("a task that cannot be completed", async || {
            let workflows = &self.client.workflows;
            let (description, _) = workflows.describe(&execution).await?;
            let history = workflows.encrypted_history(&execution).await?;
            let mut activities = description.pending_activities.iter();
            Ok(history.events.iter().any(is_failed_task) || activities.any(|it| it.attempt > 1))
        })
        .await
    }

    /// Fails unless the key has encrypted `seals` payloads of the worker, and the warnings are there. Returns the
    /// worker's log.
    async fn assert_used(self, seals: u64) -> anyhow::Result<Vec<String>> {
        let mut found = 0;
        for kept in self.scene.histories(&self.client).await? {
            kept.assert_encrypted().await;
            let of_client = 1;
            let needs = kept.needs().await;
            let under_key = needs.get(&Need::Key(self.key.clone()));
            found += under_key.copied().unwrap_or_default() - of_client;
        }
        assert_eq!(found, seals);
        let log = self.worker.close(&self.scene.secrets()?).await?;
        for text in [HALF, ALL] {
            let mut warnings = lines(&log, text);
            warnings.retain(|line| line.contains(&self.key));
            assert_eq!(warnings.len(), 1, "{text}: {warnings:#?}");
            assert!(warnings[0].contains(r#""level":"WARN""#), "{warnings:?}");
        }
        Ok(log)
    }
}

fn is_failed_task(event: &HistoryEvent) -> bool {
    matches!(
        event.attributes,
        Some(
            Attributes::WorkflowTaskFailedEventAttributes(_)
                | Attributes::WorkflowTaskTimedOutEventAttributes(_)
        )
    )
}

/// Lets a key come to its limit in the third greeting, and makes another one.
async fn exhausted_after(limit: u64) -> anyhow::Result<()> {
    let limited = Limited::after_two_greetings(limit, "refuse").await?;
    let Limited { scene, client, .. } = &limited;

    let third = scene.greet(client, "three").await?;
    limited.is_stuck("three").await?;
    let fourth = scene.greet(client, "four").await?;
    limited.is_stuck("four").await?;
    scene.vault.add_key(Duration::ZERO);
    scene.greeted(&third, "three").await?;
    scene.greeted(&fourth, "four").await?;

    let log = limited.assert_used(limit).await?;
    // The server is told nothing, not even why: the reason could not be encrypted either.
    let refusals = lines(&log, "as many as SEALANE_KEY_SEAL_LIMIT allows: rotate it");
    assert!(!refusals.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_workflow_whose_key_is_exhausted_waits_for_the_next_one() -> anyhow::Result<()> {
    exhausted_after(3 * SEALS_OF_A_GREETING - 1).await
}

#[tokio::test]
async fn an_activity_whose_key_is_exhausted_is_run_again_with_the_next_one() -> anyhow::Result<()> {
    exhausted_after(3 * SEALS_OF_A_GREETING - 2).await
}

#[tokio::test]
async fn a_lenient_limit_warns_and_goes_on() -> anyhow::Result<()> {
    let limit = 2 * SEALS_OF_A_GREETING + 3;
    let limited = Limited::after_two_greetings(limit, "warn").await?;
    let Limited { scene, client, .. } = &limited;

    let third = scene.greet(client, "three").await?;
    scene.greeted(&third, "three").await?;

    limited.assert_used(3 * SEALS_OF_A_GREETING).await?;
    Ok(())
}
