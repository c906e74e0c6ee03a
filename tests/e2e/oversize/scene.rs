//! A worker with flows that send as much as they are told.

use std::time::Duration;

use anyhow::Context;
use sealane_client::{
    decode::Decoder,
    failure::Report,
    payload::from_json,
    schedule::Schedules,
    workflow::{Ending, Execution, Start, Workflows},
};
use sealane_service::encryption;
use sealane_tests::{TestWorker, World, bulky, orders::patiently};
use serde_json::{Value, json};
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    common::v1::WorkflowExecution, workflowservice::v1::ResetWorkflowExecutionRequest,
};
use tonic::IntoRequest;

/// What a namespace takes by default, in bytes.
pub(super) const LIMIT: usize = 2 * 1024 * 1024;

/// Started, task scheduled, task started, task completed.
const FIRST_TASK_COMPLETED: i64 = 4;

pub(super) struct Scene {
    pub(super) world: World,
    pub(super) workflows: Workflows,
    pub(super) schedules: Schedules,
    pub(super) decoder: Decoder,
    worker: Option<TestWorker>,
}

impl Scene {
    pub(super) async fn open() -> Self {
        let mut scene = Self::without_worker().await;
        scene.work();
        scene
    }

    /// Nothing is done here before [`work`](Self::work).
    pub(super) async fn without_worker() -> Self {
        Self::within(World::new().await).await
    }

    pub(super) async fn without_encryption() -> Self {
        let mut world = World::new().await;
        world
            .set("SEALANE_KEY_FILE", "")
            .set("SEALANE_ENCRYPTION", "off");
        let mut scene = Self::within(world).await;
        scene.work();
        scene
    }

    /// Starts a worker.
    pub(super) fn work(&mut self) {
        self.worker = Some(TestWorker::start(self.world.settings(), bulky::register));
    }

    async fn within(world: World) -> Self {
        let client = world.client().await;
        let codec = encryption::codec(&world.settings().encryption).await;
        let codec = codec.expect("a codec, or none that is wanted");
        Self {
            workflows: Workflows::new(client.clone(), codec.clone()),
            schedules: Schedules::new(client, codec.clone()),
            decoder: Decoder::new(codec),
            worker: None,
            world,
        }
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        if let Some(worker) = self.worker {
            worker.stop().await?;
        }
        Ok(())
    }

    /// Returns a start of the workflow that sends `bytes` down `path`.
    pub(super) fn start(&self, path: &str, bytes: usize) -> Start {
        Start {
            workflow_type: "BulkyWorkflow".to_owned(),
            workflow_id: self.world.id(path),
            task_queue: self.world.task_queue().to_owned(),
            input: vec![from_json(&json!([path, bytes]))],
            // So that a slow machine is not taken for a task that is tried again.
            task_timeout: Some(Duration::from_secs(60)),
            ..Start::default()
        }
    }

    /// Lets a workflow send `bytes` down `path`, and returns how it ended.
    pub(super) async fn run(&self, path: &str, bytes: usize) -> anyhow::Result<Ended> {
        let started = self.workflows.start(self.start(path, bytes)).await?;
        self.ended(&started.execution()).await
    }

    /// Lets the workflow of `path` go on from before its last task, in a new run.
    pub(super) async fn reset(&self, path: &str) -> anyhow::Result<Ended> {
        let workflow_id = self.world.id(path);
        let request = ResetWorkflowExecutionRequest {
            namespace: "default".to_owned(),
            workflow_execution: Some(WorkflowExecution {
                workflow_id: workflow_id.clone(),
                ..WorkflowExecution::default()
            }),
            reason: "the code is mended".to_owned(),
            request_id: "reset".to_owned(),
            workflow_task_finish_event_id: FIRST_TASK_COMPLETED,
            ..ResetWorkflowExecutionRequest::default()
        };
        let mut client = self.world.client().await;
        let answer = client.reset_workflow_execution(request.into_request());
        let run_id = Some(answer.await?.into_inner().run_id);
        self.ended(&Execution {
            workflow_id,
            run_id,
        })
        .await
    }

    pub(super) async fn ended(&self, execution: &Execution) -> anyhow::Result<Ended> {
        let outcome = patiently("the end", self.workflows.outcome(execution)).await?;
        let history = self.workflows.history(execution).await?;
        let events = history["events"].as_array().context("a history")?;
        Ok(Ended {
            ending: outcome.ending,
            events: events.clone(),
        })
    }
}

/// How a workflow ended, and what happened before.
#[derive(Debug)]
pub(super) struct Ended {
    ending: Ending,
    events: Vec<Value>,
}

impl Ended {
    pub(super) fn is_completed(&self) -> bool {
        matches!(self.ending, Ending::Completed(_))
    }

    pub(super) fn failure(&self) -> &Report {
        match &self.ending {
            Ending::Failed(report) => report,
            other => panic!("ended as {other:?}, expected a failure"),
        }
    }

    /// Returns how many events of that kind there are.
    pub(super) fn count(&self, kind: &str) -> usize {
        self.attributes(kind).count()
    }

    /// Returns the attempt of each start of an activity.
    pub(super) fn attempts(&self) -> Vec<u64> {
        let starts = self.attributes("ActivityTaskStarted");
        starts.filter_map(|it| it["attempt"].as_u64()).collect()
    }

    fn attributes(&self, kind: &str) -> impl Iterator<Item = &Value> {
        let name = format!("{kind}EventAttributes");
        let attributes = self.events.iter().map(|event| &event["attributes"]);
        attributes.filter_map(move |it| it.get(&name))
    }
}
