//! What goes on while somebody types: a worker, a client that starts workflows, a schedule.

use std::{fs, path::Path};

use anyhow::{Context, bail, ensure};
use sealane_client::{
    connection::{self, Extras},
    workflow::{Execution, Listed, Workflows},
};
use sealane_dev::gateway::State;
use sealane_tests::{
    azure::token_file,
    orders::{order, patiently},
    process::Process,
    secrets::Secrets,
};
use serde_json::Value;
use temporalio_common::protos::temporal::api::{
    enums::v1::WorkflowTaskFailedCause,
    history::v1::{HistoryEvent, history_event::Attributes},
};

use super::{key_file, scene::Scene, shell::Printed};

const SEALANE: &str = env!("CARGO_BIN_EXE_sealane");

/// Starts a workflow twice a second.
const TRIGGER: [&str; 6] = [
    "trigger",
    "GreetingWorkflow",
    "--every",
    "500ms",
    "--input-template",
    "\"no. {{counter}}\"",
];

const SCHEDULE: &str = "schedule create -s nightly --type GreetingWorkflow --interval 2s \
                        --memo ticket=7 -i '\"Ada\"'";

/// Gives a key file to the pods. Nothing of it is printed or in an argument.
const DISTRIBUTE: &str = "create secret generic payload-keys --from-file=keys.json \
                          --dry-run=client --output yaml | kubectl replace -f -";

/// More than any test starts.
const ALL: usize = 10_000;

impl Scene {
    /// Starts the processes and a schedule, and waits until both have got something done.
    pub(super) async fn begin_traffic(&mut self) -> anyhow::Result<()> {
        self.roll_out().await?;
        self.laptop.run(SCHEDULE).await.succeeds();
        let line = "schedule describe -s nightly -o json";
        let acted = |it: &Value| it["recentActions"][0]["status"] == "completed";
        self.laptop.until(line, |it| acted(&it.json())).await;
        Ok(())
    }

    /// Starts an order that stays open while its parcel is packed.
    pub(super) async fn open_order(&self, id: &str) -> anyhow::Result<()> {
        self.gateway.turn(|knobs| knobs.pause_at_parcel = Some(0));
        let file = self.vault.world.folder().join("order.json");
        fs::write(file, serde_json::to_vec(&order("A-1", &["tea"]))?)?;
        let line = format!("workflow start --type OrderWorkflow -w {id} -i @order.json");
        self.laptop.run(&line).await.succeeds();
        patiently("a parcel", self.gateway.wait_until(State::is_paused)).await;
        Ok(())
    }

    /// Does what `kubectl` with these arguments does, as far as the document uses it.
    pub(super) async fn kubectl(&mut self, words: &[String]) -> anyhow::Result<Printed> {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["logs", "deployment/sealane-worker"] => {
                let worker = self.worker.as_ref().context("no worker runs")?;
                return Ok(Printed::of(&worker.lines().join("\n")));
            }
            ["rollout", "status", "deployment/sealane-worker"] => {
                return Ok(Printed::of("successfully rolled out"));
            }
            [
                "rollout",
                "restart",
                "deployment/sealane-worker",
                "deployment/sealane-trigger",
            ] => {
                self.roll_out().await?;
            }
            [
                "set",
                "env",
                "deployment/sealane-worker",
                "deployment/sealane-trigger",
                ..,
            ] => {
                words[4..].iter().for_each(|it| self.set_env(it));
                self.roll_out().await?;
            }
            _ if words.join(" ") == DISTRIBUTE => {
                key_file::mount(self.vault.world.folder())?;
                return Ok(Printed::of("secret/payload-keys replaced"));
            }
            _ => bail!("nobody taught us kubectl {words:?}"),
        }
        Ok(Printed::default())
    }

    fn set_env(&mut self, setting: &str) {
        match setting.split_once('=') {
            Some((name, value)) => self.pods.insert(name.to_owned(), value.to_owned()),
            None => self.pods.remove(setting.trim_end_matches('-')),
        };
    }

    /// Starts new processes, and ends the old ones once the new ones work.
    async fn roll_out(&mut self) -> anyhow::Result<()> {
        let mut variables = self.pods.clone();
        variables.extend(self.worker_pods.clone());
        let worker = Path::new(SEALANE).with_file_name("sealane-worker");
        ensure!(
            worker.is_file(),
            "no {}: it stands beside `sealane` once `cargo build -p sealane-worker` has made it, \
             as `cargo test --workspace` does",
            worker.display()
        );
        let worker = Process::start(&worker, &[], &variables)?;
        worker.says("polling for tasks").await?;
        let trigger = Process::start(SEALANE, &TRIGGER, &self.pods)?;
        trigger.says("workflow started").await?;
        let old = [self.trigger.replace(trigger), self.worker.replace(worker)];
        for process in old.into_iter().flatten() {
            self.retire(process).await?;
        }
        Ok(())
    }

    async fn retire(&mut self, process: Process) -> anyhow::Result<()> {
        process.signal("TERM").await?;
        let ended = process.ends().await?;
        self.shown.push(ended.said.join("\n"));
        ensure!(
            ended.code == Some(0),
            "{:?}: {:?}",
            ended.code,
            ended.said.last()
        );
        Ok(())
    }

    /// Returns where the worker answers, without a slash at its end.
    pub(super) async fn worker_url(&self) -> anyhow::Result<String> {
        let worker = self.worker.as_ref().context("no worker runs")?;
        let event = worker.says("probes and metrics are served").await?;
        let event: Value = serde_json::from_str(&event)?;
        let address = event["http.address"].as_str().context("no address")?;
        Ok(format!("http://{address}"))
    }

    /// Ends the traffic. Every workflow must come to its end, and nobody may have shown a key.
    pub(super) async fn ends_well(self) -> anyhow::Result<()> {
        self.end().await.map(|_| ())
    }

    /// As [`ends_well`](Self::ends_well); besides, nothing may have needed a second attempt.
    pub(super) async fn ends_without_a_trouble(self) -> anyhow::Result<()> {
        let workflows = self.workflows().await?;
        for listed in self.end().await? {
            let execution = Execution {
                workflow_id: listed.workflow_id.clone(),
                run_id: Some(listed.run_id),
            };
            let history = workflows.encrypted_history(&execution).await?;
            let trouble = history.events.iter().find_map(trouble);
            ensure!(trouble.is_none(), "{}: {trouble:?}", listed.workflow_id);
        }
        Ok(())
    }

    async fn end(mut self) -> anyhow::Result<Vec<Listed>> {
        // Not there in every section.
        self.laptop.run("schedule delete -s nightly").await;
        self.gateway.turn(|knobs| knobs.pause_at_parcel = None);
        let trigger = self.trigger.take().context("nobody has started anything")?;
        self.retire(trigger).await?;
        let workflows = self.workflows().await?;
        let all = patiently("all workflows to end", all_ended(&workflows)).await?;
        ensure!(!all.is_empty(), "there was no traffic");
        for listed in &all {
            let terminated = listed.workflow_id == "order-1042" && listed.status == "TERMINATED";
            ensure!(listed.status == "COMPLETED" || terminated, "{listed:?}");
        }
        let worker = self.worker.take().context("no worker runs")?;
        self.retire(worker).await?;
        let federated = fs::read_to_string(token_file(self.vault.world.folder()))?;
        let mut secrets = Secrets::of(&self.vault.fake).and_token("a federated token", &federated);
        for key in key_file::keys(self.vault.world.folder())? {
            secrets = secrets.and_key(&key);
        }
        for shown in &self.shown {
            secrets.assert_absent("what was shown", shown);
        }
        Ok(all)
    }

    /// A client that reads no payloads.
    async fn workflows(&self) -> anyhow::Result<Workflows> {
        let settings = self.vault.world.settings();
        let client = connection::connect(&settings.temporal, None, Extras::default()).await?;
        Ok(Workflows::new(client, None))
    }
}

/// Waits until no workflow is running, and returns all of them.
async fn all_ended(workflows: &Workflows) -> anyhow::Result<Vec<Listed>> {
    loop {
        let page = workflows.list("", ALL).await?;
        if !page.rows.iter().any(|it| it.status == "RUNNING") {
            return Ok(page.rows);
        }
    }
}

/// What an event says of a task that did not succeed at its first attempt.
fn trouble(event: &HistoryEvent) -> Option<String> {
    match event.attributes.as_ref()? {
        // A message came while the task was being worked on: part of any busy day.
        Attributes::WorkflowTaskFailedEventAttributes(failed)
            if failed.cause() == WorkflowTaskFailedCause::UnhandledCommand =>
        {
            None
        }
        Attributes::WorkflowTaskFailedEventAttributes(failed) => {
            Some(failed.cause().as_str_name().to_owned())
        }
        Attributes::ActivityTaskStartedEventAttributes(started) if started.attempt > 1 => {
            Some(format!("attempt {} of an activity", started.attempt))
        }
        Attributes::ActivityTaskFailedEventAttributes(_) => Some("an activity failed".to_owned()),
        _ => None,
    }
}
