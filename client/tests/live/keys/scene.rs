//! A namespace of a test's own, in which keys are rotated.

use std::{collections::BTreeMap, fs};

use base64::{Engine, prelude::BASE64_STANDARD};
use sealane_client::connection::{self, Extras};
use sealane_tests::{TestWorker, World};
use serde_json::{Value, json};
use temporalio_client::{Client, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::{
    common::v1::Payload,
    workflowservice::v1::{
        DescribeScheduleRequest, DescribeScheduleResponse, RegisterNamespaceRequest,
    },
};
use tonic::IntoRequest;

use crate::terminal::{Finished, Terminal};

pub(super) const OLD: &str = "old";
pub(super) const NEW: &str = "new";

pub(super) struct Scene {
    pub(super) world: World,
    pub(super) terminal: Terminal,
}

impl Scene {
    /// Opens a namespace in which everybody encrypts under [`OLD`].
    pub(super) async fn open() -> anyhow::Result<Self> {
        let mut world = World::new().await;
        let namespace = world.id("namespace");
        let request = RegisterNamespaceRequest {
            namespace: namespace.clone(),
            workflow_execution_retention_period: Some("86400s".parse()?),
            ..RegisterNamespaceRequest::default()
        };
        let mut client = world.client().await;
        client.register_namespace(request.into_request()).await?;
        world.set("TEMPORAL_NAMESPACE", namespace);
        let scene = Self {
            terminal: Terminal::of(&world),
            world,
        };
        scene.hold(OLD, &[OLD]);
        // The server takes a moment to know its own namespaces.
        scene
            .terminal
            .until("workflow list", |it| it.code == 0)
            .await;
        Ok(scene)
    }

    /// Has everybody hold `ids`, and encrypt under `active`.
    pub(super) fn hold(&self, active: &str, ids: &[&str]) {
        let key = |id: &&str| BASE64_STANDARD.encode([id.as_bytes()[0]; 32]);
        let keys: BTreeMap<_, _> = ids.iter().map(|id| (*id, key(id))).collect();
        let ring = json!({"active": active, "keys": keys}).to_string();
        let new = self.world.folder().join("ring.new");
        fs::write(&new, ring).expect("the folder can be written");
        fs::rename(new, self.world.key_file()).expect("the key ring can be replaced");
    }

    /// Has everybody hold both keys, and encrypt under [`NEW`].
    pub(super) fn rotate(&self) {
        self.hold(NEW, &[OLD, NEW]);
    }

    pub(super) fn worker(&self) -> TestWorker {
        TestWorker::of_flows(self.world.settings())
    }

    pub(super) async fn run(&self, line: &str) -> Finished {
        self.terminal.run(line).await.succeeds()
    }

    /// Starts a workflow that stays open, as nobody works for it, and returns its run.
    pub(super) async fn start(&self, id: &str) -> String {
        let line = format!(
            "workflow start --type Idle -w {id} -i '\"Ada\"' --memo note=1 -t nobody -o json"
        );
        let run = self.run(&line).await.json()["runId"].clone();
        run.as_str().expect("a run has an id").to_owned()
    }

    /// Creates a schedule that is due too rarely to act by itself.
    pub(super) async fn schedule(&self, id: &str, flags: &str) {
        let line = format!(
            "schedule create -s {id} --type GreetingWorkflow --cron '0 3 1 1 *' -i '\"Ada\"' {flags}"
        );
        self.run(&line).await;
    }

    /// Audits until so many workflows and schedules are listed: lists lag behind.
    pub(super) async fn audit(&self, flags: &str, workflows: u64, schedules: u64) -> Value {
        let line = format!("keys audit -o json {flags}");
        let complete = |it: &Finished| {
            let report = it.json();
            report["workflows"] == workflows && report["schedules"] == schedules
        };
        self.terminal.until(&line, complete).await.json()
    }

    /// A client that sends and receives payloads as they are.
    pub(super) async fn bare_client(&self) -> anyhow::Result<Client> {
        let settings = self.world.settings();
        Ok(connection::connect(&settings.temporal, None, Extras::default()).await?)
    }

    /// Returns the schedule as the server has it.
    pub(super) async fn stored(&self, id: &str) -> anyhow::Result<DescribeScheduleResponse> {
        let request = DescribeScheduleRequest {
            namespace: self.world.settings().temporal.namespace,
            schedule_id: id.to_owned(),
        };
        let mut client = self.bare_client().await?;
        let answer = WorkflowService::describe_schedule(&mut client, request.into_request());
        Ok(answer.await?.into_inner())
    }
}

/// Returns the row of the key `id` that is of this kind.
pub(super) fn row<'a>(report: &'a Value, kind: &str, id: &str) -> &'a Value {
    let mut rows = report["keys"].as_array().expect("rows").iter();
    let row = rows.find(|row| row["kind"] == kind && row["keyId"].as_str().unwrap_or("") == id);
    row.unwrap_or_else(|| panic!("no {kind} {id:?} in {report:#}"))
}

/// Payloads, workflows and schedules of a row.
pub(super) fn counts(row: &Value) -> (u64, u64, u64) {
    let count = |name: &str| row[name].as_u64().expect("a number");
    (count("payloads"), count("workflows"), count("schedules"))
}

/// A payload with these metadata and some data.
pub(super) fn payload(metadata: &[(&str, &str)]) -> Payload {
    let metadata = metadata.iter();
    Payload {
        metadata: metadata
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
        data: vec![0; 40],
        ..Payload::default()
    }
}
