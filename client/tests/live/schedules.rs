//! `sealane schedule` from creation to deletion.

use sealane_client::schedule::Schedules;
use sealane_tests::World;
use serde_json::{Value, json};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::{
    desk::Desk,
    terminal::{Finished, Terminal},
};

/// A schedule of a test's own, due too rarely to act by itself.
struct Scheduled {
    world: World,
    terminal: Terminal,
    id: String,
}

impl Scheduled {
    async fn create() -> Self {
        let world = World::new().await;
        let scheduled = Self {
            terminal: Terminal::of(&world),
            id: world.id("schedule"),
            world,
        };
        let flags = "--type GreetingWorkflow --interval 20h --input \"Ada\" --memo ticket=7 \
                     --schedule-memo owner=\"Grace\" --note 'as agreed'";
        let created = scheduled.tell("create", flags).await;
        assert!(created.shows("done", "created"), "{created}");
        scheduled
    }

    async fn tell(&self, verb: &str, flags: &str) -> Finished {
        let line = format!("schedule {verb} --schedule-id {} {flags}", self.id);
        self.terminal.run(&line).await.succeeds()
    }

    async fn describe(&self) -> Value {
        self.tell("describe", "-o json").await.json()
    }

    /// Returns the input as the server has it.
    async fn stored_input(&self) -> anyhow::Result<Vec<Payload>> {
        let schedules = Schedules::new(self.world.client().await, None);
        let description = schedules.describe(&self.id).await?;
        let input = description.workflow().and_then(|it| it.input.clone());
        Ok(input.unwrap_or_default().payloads)
    }
}

#[tokio::test]
async fn a_schedule_is_described_and_listed_decrypted() {
    let scheduled = Scheduled::create().await;
    let id = &scheduled.id;

    let described = scheduled.describe().await;
    // Lists lag behind.
    let listed = scheduled
        .terminal
        .until("schedule list -o json", |it| it.stdout.contains(id))
        .await;

    assert_eq!(described["input"], json!(["Ada"]));
    assert_eq!(described["memo"], json!({"ticket": 7}));
    assert_eq!(described["scheduleMemo"], json!({"owner": "Grace"}));
    assert_eq!(described["note"], "as agreed");
    assert_eq!(described["taskQueue"], scheduled.world.task_queue());
    let rows = listed.succeeds().json();
    let mut rows = rows.as_array().expect("a list").iter();
    let row = rows.find(|row| row["scheduleId"] == json!(id));
    let memo = &row.expect("it is listed")["memo"];
    assert_eq!(*memo, json!({"owner": "Grace"}));
}

#[tokio::test]
async fn an_update_that_does_not_name_the_input_leaves_its_ciphertext_alone() -> anyhow::Result<()>
{
    let scheduled = Scheduled::create().await;
    let before = scheduled.stored_input().await?;

    let flags = "--interval 23h --note 'less often'";
    scheduled.tell("update", flags).await;
    let after = scheduled.stored_input().await?;
    let described = scheduled.describe().await;
    scheduled.tell("update", "--input \"Ada\"").await;
    let renewed = scheduled.stored_input().await?;

    assert_eq!(before[0].metadata["encoding"], b"binary/encrypted");
    assert_eq!(after, before);
    assert_ne!(renewed, before, "the same input is sealed anew");
    assert_eq!(described["intervals"], json!(["23h"]));
    assert_eq!(described["note"], "less often");
    assert_eq!(described["input"], json!(["Ada"]));
    Ok(())
}

#[tokio::test]
async fn pausing_changes_nothing_but_the_pause_and_the_note() -> anyhow::Result<()> {
    let scheduled = Scheduled::create().await;
    let before = scheduled.stored_input().await?;

    scheduled.tell("pause", "--note migration").await;
    let paused = scheduled.describe().await;
    scheduled.tell("unpause", "").await;
    let unpaused = scheduled.describe().await;

    assert_eq!(paused["paused"], json!(true));
    assert_eq!(paused["note"], "migration");
    assert_eq!(unpaused["paused"], json!(false));
    assert_eq!(unpaused["intervals"], json!(["20h"]));
    assert_eq!(scheduled.stored_input().await?, before);
    Ok(())
}

#[tokio::test]
async fn a_deleted_schedule_is_gone_for_every_command() {
    let scheduled = Scheduled::create().await;

    let deleted = scheduled.tell("delete", "").await;

    assert!(deleted.shows("done", "deleted"), "{deleted}");
    for verb in ["describe", "pause", "unpause", "trigger", "delete"] {
        let line = format!("schedule {verb} -s {}", scheduled.id);
        // The server closes a schedule a moment after it has said so.
        let gone = scheduled.terminal.until(&line, |it| it.code != 0).await;

        let line = gone.fails(1);
        assert!(line.contains(&scheduled.id), "{verb}: {line}");
        assert!(line.contains("sealane schedule list"), "{verb}: {line}");
    }
}

#[tokio::test]
async fn a_triggered_schedule_starts_the_workflow_with_the_decrypted_input() -> anyhow::Result<()> {
    let desk = Desk::open().await?;
    let id = desk.world.id("schedule");
    let create = format!(
        "schedule create -s {id} --type GreetingWorkflow --cron '0 3 1 1 *' -i \"Ada\" --paused"
    );
    desk.terminal.run(&create).await.succeeds();

    let trigger = format!("schedule trigger -s {id}");
    desk.terminal.run(&trigger).await.succeeds();
    let describe = format!("schedule describe -s {id} -o json");
    let has_acted = |it: &Finished| it.json()["recentActions"][0].is_object();
    let acted = desk.terminal.until(&describe, has_acted).await.json();
    let workflow_id = acted["recentActions"][0]["workflowId"].as_str();
    let workflow_id = workflow_id.expect("an action starts a workflow");
    let result = format!("workflow result -w {workflow_id}");
    let result = desk.terminal.run(&result).await.succeeds();

    assert!(workflow_id.starts_with(&id), "{workflow_id}");
    let greeting = "Final result: Processed: Hello, Ada!";
    assert!(result.shows("result", greeting), "{result}");
    Ok(())
}
