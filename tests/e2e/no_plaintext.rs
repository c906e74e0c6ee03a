//! Whatever is sent, the server's database holds only ciphertext.

use std::{collections::BTreeSet, fs, path::Path};

use sealane_client::{
    payload::{from_json, to_json},
    schedule::{Begin, ScheduleFields, Schedules},
    workflow::{Ending, Execution, Start, Updated, Workflows},
};
use sealane_dev::server::{DevServer, Options};
use sealane_service::encryption;
use sealane_tests::{
    TestWorker, World,
    canary::{self, mark},
    orders::patiently,
    temporal_cli,
};
use serde_json::{Value, json};
use temporalio_client::{
    Client, WorkflowTerminateOptions,
    schedules::{CreateScheduleOptions, ScheduleAction, ScheduleSpec},
};

use temporalio_common::protos::temporal::api::common::v1::Payloads;

/// Long enough to be found nowhere by chance.
const TAG: &str = "canary-5f1c9a7e42d8";

/// What a schedule or workflow id may show. Proves that the search below finds what is there.
const IN_THE_CLEAR: &str = "visible-5f1c9a7e42d8";

#[tokio::test]
async fn no_plaintext_reaches_the_database() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("temporal.db");
    let options = Options {
        database: Some(database.clone()),
        ..Options::default()
    };
    let server = DevServer::start(&temporal_cli().await?, &options).await?;
    let mut world = World::on(&server);
    // Every workflow task replays, so that failures are also read back and sent on.
    world.set("SEALANE_MAX_CACHED_WORKFLOWS", "0");
    let worker = TestWorker::start(world.settings(), canary::register);
    let sender = Sender::new(&world).await;

    let mut seen = BTreeSet::new();
    patiently("the workflow", sender.talk_to_a_workflow(&mut seen)).await?;
    sender.let_workflows_fail(&mut seen).await?;
    patiently("the failed tasks", sender.confuse_a_workflow(&mut seen)).await?;
    sender.keep_schedules(&mut seen).await?;
    worker.stop().await?;

    let missing: Vec<_> = PATHS.iter().filter(|path| !seen.contains(**path)).collect();
    assert!(
        missing.is_empty(),
        "never sent, so the search proves nothing about {missing:?}"
    );
    assert_database_is_clean(folder.path())?;
    drop(server);
    assert_database_is_clean(folder.path())
}

/// Every path on which text leaves. Each must be seen decrypted, or it was never sent.
const PATHS: &[&str] = &[
    "activity-failure",
    "activity-input",
    "activity-panic",
    "activity-summary",
    "activity-wrong-type",
    "child-details",
    "child-input",
    "child-summary",
    "continued",
    "details",
    "failure-cause",
    "failure-details",
    "heartbeat",
    "input-wrong-type",
    "local-activity",
    "local-failure",
    "memo",
    "query",
    "query-failure",
    "query-panic",
    "query-wrong-type",
    "result",
    "schedule-input",
    "schedule-memo",
    "schedule-updated-input",
    "sdk-schedule-input",
    "signal",
    "signal-panic",
    "signal-wrong-type",
    "summary",
    "termination",
    "timer-summary",
    "update",
    "update-failure",
    "update-rejection",
    "update-wrong-type",
    "upserted-memo",
    "workflow-failure",
    "workflow-panic",
];

/// Sends canaries, and notes which of them can be read back decrypted.
struct Sender {
    client: Client,
    workflows: Workflows,
    schedules: Schedules,
    task_queue: String,
}

impl Sender {
    async fn new(world: &World) -> Self {
        let client = world.client().await;
        let codec = encryption::codec(&world.settings().encryption)
            .await
            .expect("a key ring");
        Self {
            workflows: Workflows::new(client.clone(), codec.clone()),
            schedules: Schedules::new(client.clone(), codec),
            client,
            task_queue: world.task_queue().to_owned(),
        }
    }

    async fn start(
        &self,
        workflow_type: &str,
        id: &str,
        input: &Value,
    ) -> anyhow::Result<Execution> {
        let start = Start {
            workflow_type: workflow_type.to_owned(),
            workflow_id: format!("{IN_THE_CLEAR}-{id}"),
            task_queue: self.task_queue.clone(),
            input: vec![from_json(input)],
            memo: [("note".to_owned(), from_json(&json!(mark(TAG, "memo"))))].into(),
            summary: Some(mark(TAG, "summary")),
            details: Some(mark(TAG, "details")),
            ..Start::default()
        };
        Ok(self.workflows.start(start).await?.execution())
    }

    async fn talk_to_a_workflow(&self, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let first = self
            .start("CanaryWorkflow", "talk", &json!([TAG, 1]))
            .await?;
        let latest = Execution {
            run_id: None,
            ..first.clone()
        };
        let say = |path: &str| vec![from_json(&json!(mark(TAG, path)))];

        let answer = self.workflows.query(&latest, "look", say("query")).await?;
        note(seen, &answer);
        for path in ["query-failure", "query-panic"] {
            let error = self.workflows.query(&latest, "look", say(path)).await;
            note(
                seen,
                &json!(error.expect_err("the query fails").to_string()),
            );
        }
        for path in ["update-rejection", "update-failure"] {
            let answer = self
                .workflows
                .update(&latest, "put", path, say(path))
                .await?;
            assert!(matches!(answer, Updated::Failed(_)), "{answer:?}");
            note(seen, &json!(format!("{answer:?}")));
        }
        let described = self.workflows.describe(&first).await?;
        note(seen, &json!(format!("{described:?}")));
        self.workflows
            .update(&latest, "put", "update", say("update"))
            .await?;
        self.workflows
            .signal(&latest, "note", say("signal"))
            .await?;

        let outcome = self.workflows.outcome(&first).await?;
        assert!(
            matches!(outcome.ending, Ending::Completed(_)),
            "{outcome:?}"
        );
        for execution in [&first, &outcome.execution] {
            note(seen, &self.workflows.history(execution).await?);
        }
        Ok(())
    }

    async fn let_workflows_fail(&self, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        for workflow_type in ["FailingWorkflow", "ResendingWorkflow"] {
            let execution = self
                .start(workflow_type, workflow_type, &json!(TAG))
                .await?;
            let outcome = patiently("the failure", self.workflows.outcome(&execution)).await?;
            assert!(matches!(outcome.ending, Ending::Failed(_)), "{outcome:?}");
            note(seen, &self.workflows.history(&execution).await?);
        }
        self.terminate_through_the_sdk(seen).await
    }

    /// The SDK sends the details of a termination around its codec.
    async fn terminate_through_the_sdk(&self, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let execution = self.start("CountingWorkflow", "doomed", &json!(1)).await?;
        let handle = self
            .client
            .get_workflow_handle::<canary::CountingWorkflow>(&execution.workflow_id);
        let details = from_json(&json!(mark(TAG, "termination")));
        let options = WorkflowTerminateOptions::builder()
            .reason("by hand")
            .details(Payloads {
                payloads: vec![details],
            })
            .build();
        handle.terminate(options).await?;
        note(seen, &self.workflows.history(&execution).await?);
        Ok(())
    }

    /// Sends texts where numbers are wanted. The errors quote the texts.
    async fn confuse_a_workflow(&self, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let say = |path: &str| vec![from_json(&json!(mark(TAG, path)))];
        let counting = self.start("CountingWorkflow", "count", &json!(1)).await?;
        let error = self
            .workflows
            .query(&counting, "more_than", say("query-wrong-type"))
            .await;
        note(
            seen,
            &json!(error.expect_err("a text is not a number").to_string()),
        );
        let answer = self
            .workflows
            .update(&counting, "set", "wrong", say("update-wrong-type"))
            .await?;
        note(seen, &json!(format!("{answer:?}")));
        self.workflows
            .signal(&counting, "add", say("signal-wrong-type"))
            .await?;
        let quoting = mark(TAG, "signal-wrong-type");
        let failed = self.failed_task(&counting, &quoting).await?;
        note(seen, &failed);

        let text = json!(mark(TAG, "input-wrong-type"));
        let refused = self.start("CountingWorkflow", "text", &text).await?;
        self.failed_task(&refused, "Failed to create workflow")
            .await?;
        note(seen, &self.workflows.history(&refused).await?);
        Ok(())
    }

    /// Waits for a failed workflow task whose failure says `text`, and returns its event.
    async fn failed_task(&self, execution: &Execution, text: &str) -> anyhow::Result<Value> {
        loop {
            let history = self.workflows.history(execution).await?;
            let events = history["events"].as_array().cloned().unwrap_or_default();
            let failed = events
                .iter()
                .map(Value::to_string)
                .find(|event| event.contains("TaskFailedEventAttributes") && event.contains(text));
            if let Some(event) = failed {
                self.workflows.terminate(execution, "seen enough").await?;
                return Ok(json!(event));
            }
            tokio::task::yield_now().await;
        }
    }

    async fn keep_schedules(&self, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let id = format!("{IN_THE_CLEAR}-schedule");
        let fields = |path: &str| ScheduleFields {
            workflow_type: Some("FailingWorkflow".to_owned()),
            workflow_id: Some(format!("{IN_THE_CLEAR}-scheduled")),
            task_queue: Some(self.task_queue.clone()),
            input: Some(vec![from_json(&json!(mark(TAG, path)))]),
            memo: Some(
                [(
                    "note".to_owned(),
                    from_json(&json!(mark(TAG, "schedule-memo"))),
                )]
                .into(),
            ),
            ..ScheduleFields::default()
        };
        let begin = Begin {
            paused: true,
            ..Begin::default()
        };
        self.schedules
            .create(&id, fields("schedule-input"), begin)
            .await?;
        self.note_schedule(&id, seen).await?;
        self.schedules.pause(&id, Some("by hand")).await?;
        self.schedules.unpause(&id, None).await?;
        self.schedules.pause(&id, None).await?;
        self.schedules
            .update(&id, fields("schedule-updated-input"))
            .await?;
        self.note_schedule(&id, seen).await?;
        self.update_through_the_sdk(seen).await
    }

    async fn note_schedule(&self, id: &str, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let described = self.schedules.describe(id).await?;
        for payload in described
            .input
            .into_iter()
            .chain(described.memo.into_values())
        {
            note(seen, &to_json(&payload?));
        }
        Ok(())
    }

    /// The SDK sends the decrypted input back; the connection has to catch it.
    #[expect(
        clippy::disallowed_methods,
        reason = "shows that the leak is closed below the SDK"
    )]
    async fn update_through_the_sdk(&self, seen: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let id = format!("{IN_THE_CLEAR}-sdk-schedule");
        let action = ScheduleAction::start_workflow(
            canary::FailingWorkflow::run,
            mark(TAG, "sdk-schedule-input"),
            self.task_queue.clone(),
            id.clone(),
        );
        let options = CreateScheduleOptions::builder()
            .action(action)
            .spec(ScheduleSpec::default())
            .paused(true)
            .build();
        let handle = self.client.create_schedule(id.clone(), options).await?;
        handle
            .update(
                |update| {
                    update.set_note("touched");
                },
                Default::default(),
            )
            .await?;
        self.note_schedule(&id, seen).await?;
        Ok(())
    }
}

/// Remembers which paths a decrypted document shows.
fn note(seen: &mut BTreeSet<String>, document: &Value) {
    let text = readable(document);
    for path in PATHS {
        let canary = mark(TAG, path);
        let whole = |(at, _): (usize, &str)| {
            !text[at + canary.len()..]
                .starts_with(|next: char| next == '-' || next.is_alphanumeric())
        };
        if text.match_indices(&canary).any(whole) {
            seen.insert((*path).to_owned());
        }
    }
}

/// Returns the document as text, with the base64 data of its payloads decoded.
fn readable(document: &Value) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    match document {
        Value::String(text) => match STANDARD.decode(text) {
            Ok(bytes) => format!("{text} {} ", String::from_utf8_lossy(&bytes)),
            Err(_) => format!("{text} "),
        },
        Value::Array(items) => items.iter().map(readable).collect(),
        Value::Object(fields) => fields.values().map(readable).collect(),
        _ => String::new(),
    }
}

fn assert_database_is_clean(folder: &Path) -> anyhow::Result<()> {
    let mut controls = 0;
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        let bytes = fs::read(&path)?;
        controls += count(&bytes, IN_THE_CLEAR);
        if let Some(at) = bytes
            .windows(TAG.len())
            .position(|window| window == TAG.as_bytes())
        {
            let context = &bytes[at.saturating_sub(80)..(at + 120).min(bytes.len())];
            panic!(
                "plaintext in {}: {}",
                path.display(),
                String::from_utf8_lossy(context)
            );
        }
    }
    assert!(
        controls > 0,
        "not even the workflow ids are found, so the search is blind"
    );
    Ok(())
}

fn count(bytes: &[u8], text: &str) -> usize {
    bytes
        .windows(text.len())
        .filter(|window| *window == text.as_bytes())
        .count()
}
