//! What the server has kept of the workflows of a scene.

use std::collections::BTreeMap;

use anyhow::ensure;
use sealane_client::{
    audit::{Need, Needs},
    workflow::{Execution, Listed, Workflows},
};
use sealane_tests::VaultClient;
use temporalio_common::protos::temporal::api::{
    enums::v1::WorkflowTaskFailedCause,
    history::v1::{History, history_event::Attributes},
};

use super::scene::{NAME, Scene, until};

/// More than any test starts.
const ALL: usize = 10_000;

/// A workflow, and its history as the server has it.
pub(super) struct Kept {
    pub(super) listed: Listed,
    pub(super) history: History,
}

impl Scene {
    /// Returns the workflows of this scene that match `condition` too, if it is not empty.
    pub(super) async fn list(
        &self,
        client: &VaultClient,
        condition: &str,
    ) -> anyhow::Result<Vec<Listed>> {
        let mut query = format!("TaskQueue = '{}'", self.task_queue());
        if !condition.is_empty() {
            query = format!("{query} AND {condition}");
        }
        let page = client.workflows.list(&query, ALL).await?;
        ensure!(!page.more, "more than {ALL} workflows");
        Ok(page.rows)
    }

    /// Waits until `count` workflows are listed and none of them is running.
    pub(super) async fn all_end(&self, client: &VaultClient, count: usize) -> anyhow::Result<()> {
        until("all workflows to end", async || {
            let all = self.list(client, "").await?;
            let running = all.iter().any(|it| it.status == "RUNNING");
            Ok(all.len() >= count && !running)
        })
        .await
    }

    /// Returns the histories of all workflows of this scene.
    pub(super) async fn histories(&self, client: &VaultClient) -> anyhow::Result<Vec<Kept>> {
        let mut kept = Vec::new();
        for listed in self.list(client, "").await? {
            let execution = execution(&listed);
            let history = client.workflows.encrypted_history(&execution).await?;
            kept.push(Kept { listed, history });
        }
        Ok(kept)
    }
}

impl Kept {
    /// Returns what did not go well, apart from how it ended.
    pub(super) fn troubles(&self) -> Vec<String> {
        let attributes = self.history.events.iter();
        attributes
            .filter_map(|event| trouble(event.attributes.as_ref()?))
            .map(|trouble| format!("{}: {trouble}", self.listed.workflow_id))
            .collect()
    }

    /// Returns how many payloads need what.
    pub(super) async fn needs(&self) -> BTreeMap<Need, u64> {
        let mut needs = Needs::default();
        needs.count(&mut self.history.clone()).await;
        let needs = needs.iter();
        needs.map(|(need, count)| (need.clone(), count)).collect()
    }

    /// Fails if anything in it was sent in plaintext.
    pub(super) async fn assert_encrypted(&self) {
        let needs = self.needs().await;
        let plain = needs.get(&Need::Nothing).or(needs.get(&Need::Unnamed));
        assert!(!needs.is_empty() && plain.is_none(), "{needs:?}");
        let text = format!("{:?}", self.history);
        assert!(!text.contains(NAME), "{}", self.listed.workflow_id);
    }

    /// Fails unless `workflows` can read all of it.
    pub(super) async fn assert_readable(&self, workflows: &Workflows) -> anyhow::Result<()> {
        workflows.history(&execution(&self.listed)).await?;
        Ok(())
    }
}

fn execution(listed: &Listed) -> Execution {
    Execution {
        workflow_id: listed.workflow_id.clone(),
        run_id: Some(listed.run_id.clone()),
    }
}

/// What an event says of a task that did not succeed at its first attempt.
fn trouble(event: &Attributes) -> Option<String> {
    match event {
        // A message came while the task was being worked on: part of any busy day.
        Attributes::WorkflowTaskFailedEventAttributes(failed)
            if failed.cause() == WorkflowTaskFailedCause::UnhandledCommand =>
        {
            None
        }
        Attributes::WorkflowTaskFailedEventAttributes(failed) => Some(format!(
            "a workflow task failed: {}",
            failed.cause().as_str_name()
        )),
        Attributes::ActivityTaskStartedEventAttributes(started)
            if started.attempt > 1 || started.last_failure.is_some() =>
        {
            Some(format!("attempt {} of an activity", started.attempt))
        }
        Attributes::ActivityTaskFailedEventAttributes(_) => Some("an activity failed".to_owned()),
        Attributes::ActivityTaskTimedOutEventAttributes(_) => {
            Some("an activity timed out".to_owned())
        }
        _ => None,
    }
}
