//! A client and workers that do not agree on their keys.

use std::{path::PathBuf, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use sealane_activities::greeting::Greeting;
use sealane_client::{
    decode::Decoder,
    failure::Report,
    payload::from_json,
    workflow::{Ending, Execution, PendingActivity, Start, Workflows},
};
use sealane_codec::{CodecOptions, EncryptionCodec, Key as CodecKey, KeyRing, SharedKeyRing};
use sealane_service::settings::KeySource;
use sealane_tests::{TestWorker, World, orders::patiently};
use sealane_worker::{RegistrationError, Settings, WorkerOptions};
use sealane_workflows::greeting::GreetingWorkflow;
use serde_json::{Value, json};
use temporalio_common::protos::temporal::api::{
    failure::v1::Failure, history::v1::history_event::Attributes,
};

/// Found nowhere by chance.
const NAME: &str = "Ada-77c1f0a93be2";

/// The SDK lets later attempts of a failing task time out, so this is how long a workflow goes
/// without noticing its key.
const TASK_TIMEOUT: Duration = Duration::from_secs(2);

/// A key whose bytes are text, so that they can be searched for.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) id: &'static str,
    bytes: &'static [u8; 32],
}

pub(super) const BLUE: Key = Key {
    id: "blue",
    bytes: b"the-bytes-of-the-blue-key-======",
};
pub(super) const GREEN: Key = Key {
    id: "green",
    bytes: b"the-bytes-of-the-green-key-=====",
};
pub(super) const FALSE_BLUE: Key = Key {
    id: "blue",
    bytes: b"the-bytes-of-another-blue-key-==",
};

/// A world in which every party may have a key file of its own.
pub(super) struct Scene {
    world: World,
    /// Reads everything under the keys of the client, and under [`GREEN`].
    workflows: Workflows,
}

impl Scene {
    /// Sets a scene whose client encrypts under the first of `keys`, from `client.json`.
    pub(super) async fn of_client_with(keys: &[Key]) -> Self {
        let world = World::new().await;
        Self::in_world(world, keys).await
    }

    /// As [`of_client_with`](Self::of_client_with), with settings of the test's own.
    pub(super) async fn in_world(mut world: World, keys: &[Key]) -> Self {
        let file = world.folder().join("client.json");
        world.set("SEALANE_KEY_FILE", file.display().to_string());
        write(&file, keys);
        let client = world.client().await;
        let mut readable = keys.to_vec();
        if readable.iter().all(|key| key.id != GREEN.id) {
            readable.push(GREEN);
        }
        let workflows = Workflows::new(client, Some(codec(&readable)));
        Self { world, workflows }
    }

    /// Starts a worker of the greeting with the key file `name`.
    pub(super) fn worker_with(&self, name: &str, keys: &[Key]) -> TestWorker {
        self.replace(name, keys);
        TestWorker::of_flows(self.settings(name))
    }

    /// Returns settings with the key file `name`.
    pub(super) fn settings(&self, name: &str) -> Settings {
        let mut settings = self.world.settings();
        settings.encryption.source = Some(KeySource::File(self.file(name)));
        settings
    }

    /// Puts a key ring in place of the key file `name`, at once and whole. The first key is active.
    pub(super) fn replace(&self, name: &str, keys: &[Key]) {
        write(&self.file(name), keys);
    }

    fn file(&self, name: &str) -> PathBuf {
        self.world.folder().join(name)
    }

    /// Starts a greeting, encrypted by the client of this scene.
    pub(super) async fn greet(&self, id: &str) -> anyhow::Result<Execution> {
        self.greet_through(&self.workflows, id).await
    }

    /// Starts a greeting through a client of the test's own.
    pub(super) async fn greet_through(
        &self,
        workflows: &Workflows,
        id: &str,
    ) -> anyhow::Result<Execution> {
        let start = Start {
            workflow_type: "GreetingWorkflow".to_owned(),
            workflow_id: self.world.id(id),
            task_queue: self.world.task_queue().to_owned(),
            input: vec![from_json(&json!(NAME))],
            task_timeout: Some(TASK_TIMEOUT),
            ..Start::default()
        };
        Ok(workflows.start(start).await?.execution())
    }

    /// Returns what a greeting of this scene ends with.
    pub(super) fn greeted(&self) -> Value {
        json!(format!("Final result: Processed: Hello, {NAME}!"))
    }

    /// Waits for the greeting to end and returns its result.
    pub(super) async fn result(&self, greeting: &Execution) -> anyhow::Result<Value> {
        let outcome = patiently("the greeting", self.workflows.outcome(greeting)).await?;
        match outcome.ending {
            Ending::Completed(value) => Ok(value),
            other => anyhow::bail!("ended as {other:?}, expected a result"),
        }
    }

    /// Waits until a workflow task fails and returns all of its failure as text. Whoever failed it
    /// encrypts under the first of `keys`.
    pub(super) async fn complaint(
        &self,
        greeting: &Execution,
        keys: &[Key],
    ) -> anyhow::Result<String> {
        let failure = patiently("a failed workflow task", async {
            loop {
                let events = self.events(greeting).await?;
                match events.into_iter().find_map(failure_of_task) {
                    Some(failure) => return anyhow::Ok(failure),
                    None => tokio::task::yield_now().await,
                }
            }
        })
        .await?;
        let report = Decoder::new(Some(codec(keys))).failure(failure).await?;
        Ok(all_of(&report))
    }

    /// Waits until an attempt of an activity fails and returns all of its failure as text.
    pub(super) async fn activity_complaint(&self, greeting: &Execution) -> anyhow::Result<String> {
        let report = self.pending(greeting, |activity| activity.last_failure);
        let report = patiently("a failed attempt", report).await?;
        Ok(all_of(&report))
    }

    /// Waits until an activity is there to be run.
    pub(super) async fn activity_is_due(&self, greeting: &Execution) -> anyhow::Result<()> {
        let due = self.pending(greeting, |_| Some(()));
        patiently("an activity", due).await
    }

    async fn pending<T>(
        &self,
        greeting: &Execution,
        what: impl Fn(PendingActivity) -> Option<T>,
    ) -> anyhow::Result<T> {
        loop {
            let (description, _) = self.workflows.describe(greeting).await?;
            match description.pending_activities.into_iter().find_map(&what) {
                Some(found) => return Ok(found),
                None => tokio::task::yield_now().await,
            }
        }
    }

    /// Returns the events of the greeting as the server has them.
    pub(super) async fn events(&self, greeting: &Execution) -> anyhow::Result<Vec<Attributes>> {
        let history = self.workflows.encrypted_history(greeting).await?;
        let events = history.events.into_iter();
        Ok(events.filter_map(|event| event.attributes).collect())
    }

    /// Returns the world that this scene plays in.
    pub(super) fn world(&self) -> &World {
        &self.world
    }
}

/// Fails if `text` quotes a payload or a key.
pub(super) fn assert_harmless(text: &str) {
    assert!(!text.contains(NAME), "{text}");
    for key in [BLUE, GREEN, FALSE_BLUE] {
        let raw = String::from_utf8_lossy(key.bytes);
        assert!(!text.contains(&*raw), "{text}");
        assert!(!text.contains(&STANDARD.encode(key.bytes)), "{text}");
    }
}

/// Registers the greeting workflow without its activities.
pub(super) fn decisions(worker: &mut WorkerOptions, _: &Settings) -> Result<(), RegistrationError> {
    worker.register_workflow::<GreetingWorkflow>()?;
    Ok(())
}

/// Registers the activities of the greeting without the workflow.
pub(super) fn activities(
    worker: &mut WorkerOptions,
    _: &Settings,
) -> Result<(), RegistrationError> {
    worker.register_activities(Greeting);
    Ok(())
}

/// Returns a codec that encrypts under the first of `keys`.
pub(super) fn codec(keys: &[Key]) -> EncryptionCodec {
    let ring = SharedKeyRing::new(ring(keys));
    EncryptionCodec::new(ring, CodecOptions::default())
}

fn ring(keys: &[Key]) -> KeyRing {
    let parsed = keys.iter().map(|key| {
        let bytes = CodecKey::from_bytes(key.bytes).expect("32 bytes are a key");
        (key.id.parse().expect("a key id"), bytes)
    });
    let active = keys[0].id.parse().expect("a key id");
    KeyRing::new(active, parsed).expect("a key ring")
}

fn write(file: &std::path::Path, keys: &[Key]) {
    let next = file.with_extension("next");
    std::fs::write(&next, ring(keys).to_json().as_bytes()).expect("the folder can be written");
    std::fs::rename(&next, file).expect("the folder can be written");
}

/// Message, details, causes and stack traces, with quotes as they were.
fn all_of(report: &Report) -> String {
    format!("{report} {report:?}").replace("\\\"", "\"")
}

fn failure_of_task(event: Attributes) -> Option<Failure> {
    match event {
        Attributes::WorkflowTaskFailedEventAttributes(failed) => failed.failure,
        _ => None,
    }
}
