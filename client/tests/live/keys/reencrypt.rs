//! `sealane keys reencrypt-schedules`.

use sealane_client::payload::from_json;
use serde_json::{Value, json};
use temporalio_client::{NamespacedClient, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::{
    common::v1::{Header, Payload, Priority, RetryPolicy},
    enums::v1::ScheduleOverlapPolicy,
    schedule::v1::{Schedule, schedule_action::Action},
    sdk::v1::UserMetadata,
    workflow::v1::{NewWorkflowExecutionInfo, VersioningOverride, versioning_override::Override},
    workflowservice::v1::{DescribeScheduleResponse, UpdateScheduleRequest},
};
use tonic::IntoRequest;

use super::scene::{NEW, OLD, Scene, payload, row};
use crate::terminal::Finished;

fn workflow(schedule: &mut Schedule) -> &mut NewWorkflowExecutionInfo {
    let action = schedule.action.as_mut().and_then(|it| it.action.as_mut());
    let Some(Action::StartWorkflow(workflow)) = action else {
        panic!("a schedule starts a workflow");
    };
    workflow
}

/// Takes every payload but search attributes out of what is stored.
fn take_payloads(stored: &mut DescribeScheduleResponse) -> Vec<Payload> {
    let workflow = workflow(stored.schedule.as_mut().expect("a schedule"));
    let mut payloads = workflow.input.take().unwrap_or_default().payloads;
    let memo = workflow.memo.as_mut().expect("a memo");
    payloads.extend(memo.fields.values_mut().map(std::mem::take));
    if let Some(header) = &mut workflow.header {
        payloads.extend(header.fields.get_mut("sealed").map(std::mem::take));
    }
    if let Some(metadata) = &mut workflow.user_metadata {
        payloads.extend(metadata.summary.take());
        payloads.extend(metadata.details.take());
    }
    payloads
}

fn ids(payloads: &[Payload]) -> Vec<&[u8]> {
    let ids = payloads.iter().map(|it| &it.metadata["encryption-key-id"]);
    ids.map(Vec::as_slice).collect()
}

/// Adds fields that no flag of ours sets, as another client may have.
async fn enrich(scene: &Scene, id: &str) -> anyhow::Result<()> {
    let mut stored = scene.stored(id).await?;
    let mut schedule = stored.schedule.take().unwrap_or_default();
    let policies = schedule.policies.get_or_insert_default();
    policies.keep_original_workflow_id = true;
    policies.set_overlap_policy(ScheduleOverlapPolicy::BufferAll);
    let workflow = workflow(&mut schedule);
    let sealed = workflow
        .input
        .clone()
        .unwrap_or_default()
        .payloads
        .remove(0);
    workflow.retry_policy = Some(RetryPolicy {
        backoff_coefficient: 1.5,
        non_retryable_error_types: vec!["Declined".to_owned()],
        ..RetryPolicy::default()
    });
    workflow.priority = Some(Priority {
        priority_key: 2,
        ..Priority::default()
    });
    workflow.versioning_override = Some(VersioningOverride {
        r#override: Some(Override::AutoUpgrade(true)),
        ..VersioningOverride::default()
    });
    workflow.user_metadata = Some(UserMetadata {
        summary: Some(sealed.clone()),
        details: Some(sealed.clone()),
    });
    let plain = from_json(&json!("for a peer in another language"));
    workflow.header = Some(Header {
        fields: [("sealed".to_owned(), sealed), ("plain".to_owned(), plain)].into(),
    });
    store(scene, id, schedule).await
}

/// Stores a schedule as it is, payloads included.
async fn store(scene: &Scene, id: &str, schedule: Schedule) -> anyhow::Result<()> {
    let mut client = scene.bare_client().await?;
    let request = UpdateScheduleRequest {
        namespace: client.namespace(),
        schedule_id: id.to_owned(),
        schedule: Some(schedule),
        request_id: id.to_owned(),
        ..UpdateScheduleRequest::default()
    };
    WorkflowService::update_schedule(&mut client, request.into_request()).await?;
    Ok(())
}

fn done<'a>(rows: &'a Value, id: &str) -> &'a Value {
    let mut rows = rows.as_array().expect("rows").iter();
    let row = rows.find(|row| row["scheduleId"] == id);
    row.expect("the schedule is among the rows")
}

#[tokio::test]
async fn after_it_the_old_key_is_unused_and_the_schedule_still_fires() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    scene.schedule("daily", "--memo ticket=7").await;
    scene.rotate();
    scene.audit("", 0, 1).await;

    let rows = scene.run("keys reencrypt-schedules -o json").await.json();
    let again = scene.run("keys reencrypt-schedules -o json").await.json();
    scene.run("keys audit --require-unused old").await;
    scene.hold(NEW, &[NEW]);
    let worker = scene.worker();
    scene.run("schedule trigger -s daily").await;
    let acted = |it: &Finished| it.json()["recentActions"][0]["status"] == "completed";
    let line = "schedule describe -s daily -o json";
    let described = scene.terminal.until(line, acted).await.json();
    let workflow_id = described["recentActions"][0]["workflowId"].clone();
    let line = format!(
        "workflow result -w {}",
        workflow_id.as_str().unwrap_or_default()
    );
    let result = scene.run(&line).await;
    worker.stop().await?;

    assert_eq!(done(&rows, "daily")["reencrypted"], 2);
    assert_eq!(done(&again, "daily")["reencrypted"], 0);
    assert_eq!(done(&again, "daily")["unchanged"], 2);
    assert_eq!(described["memo"], json!({"ticket": 7}));
    let greeting = "Final result: Processed: Hello, Ada!";
    assert!(result.shows("result", greeting), "{result}");
    Ok(())
}

#[tokio::test]
async fn fields_that_our_commands_do_not_know_are_as_before() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    let flags = "--memo ticket=7 --jitter 10s --note 'as agreed' --remaining-actions 9 --paused";
    scene.schedule("rich", flags).await;
    enrich(&scene, "rich").await?;
    let mut before = scene.stored("rich").await?;

    scene.rotate();
    let row = scene.run("keys reencrypt-schedules -s rich -o json").await;
    let mut after = scene.stored("rich").await?;

    let (sealed_before, sealed_after) = (take_payloads(&mut before), take_payloads(&mut after));
    assert_eq!(done(&row.json(), "rich")["reencrypted"], 5, "{row}");
    assert_eq!(ids(&sealed_before), [OLD.as_bytes(); 5]);
    assert_eq!(ids(&sealed_after), [NEW.as_bytes(); 5]);
    let found = workflow(before.schedule.as_mut().expect("a schedule"));
    assert!(found.priority.is_some() && found.versioning_override.is_some());
    assert_eq!(after.schedule, before.schedule);
    Ok(())
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_and_does_nothing() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    scene.schedule("daily", "--memo ticket=7").await;
    scene.rotate();
    let before = scene.stored("daily").await?;

    let line = "keys reencrypt-schedules --dry-run -s daily -o json";
    let said = scene.run(line).await;
    let after = scene.stored("daily").await?;

    assert_eq!(done(&said.json(), "daily")["reencrypted"], 2);
    assert_eq!(said.stderr, "sealane: nothing was changed\n");
    assert_eq!(after.schedule, before.schedule);
    assert_eq!(after.conflict_token, before.conflict_token);
    Ok(())
}

#[tokio::test]
async fn a_schedule_that_cannot_be_read_is_left_and_the_others_are_not() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    for id in ["foreign", "ours"] {
        scene.schedule(id, "--memo ticket=7").await;
    }
    let mut stored = scene.stored("foreign").await?;
    let mut schedule = stored.schedule.take().unwrap_or_default();
    let encrypted = ("encoding", "binary/encrypted");
    let lost = payload(&[encrypted, ("encryption-key-id", "lost")]);
    let input = workflow(&mut schedule).input.get_or_insert_default();
    input.payloads.push(lost);
    store(&scene, "foreign", schedule).await?;
    let before = scene.stored("foreign").await?;
    scene.rotate();
    scene.audit("", 0, 2).await;

    let finished = scene.terminal.run("keys reencrypt-schedules -o json").await;
    let nowhere = scene
        .terminal
        .run("keys reencrypt-schedules -s nowhere")
        .await;
    let report = scene.audit("", 0, 2).await;

    assert_eq!(
        finished.fails(1),
        "1 of 2 schedules is not wholly under the active key"
    );
    let problem = done(&finished.json(), "foreign")["problem"].clone();
    assert!(problem.to_string().contains("lost"), "{finished}");
    assert_eq!(scene.stored("foreign").await?.schedule, before.schedule);
    assert_eq!(done(&finished.json(), "ours")["reencrypted"], 2);
    assert_eq!(row(&report, "key", OLD)["examples"], json!(["foreign"]));
    assert!(nowhere.stdout.contains("does not exist"), "{nowhere}");
    assert_eq!(nowhere.code, 1);
    Ok(())
}

/// The key ring may seal no more in the middle of the second schedule: three payloads of each are its
/// input, its memo and a probe, and looking back takes probes too.
#[tokio::test]
async fn what_was_done_before_an_error_is_told() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    for id in ["first", "second"] {
        scene.schedule(id, "--memo ticket=7").await;
    }
    scene.rotate();
    let terminal = scene.terminal.clone().with("SEALANE_KEY_SEAL_LIMIT", "7");

    let line = "keys reencrypt-schedules -s first -s second -o json";
    let finished = terminal.run(line).await;

    assert_ne!(finished.code, 0, "{finished}");
    let rows = finished.json();
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{finished}");
    assert_eq!(done(&rows, "first")["reencrypted"], 2);
    Ok(())
}

#[tokio::test]
async fn plaintext_of_a_schedule_is_encrypted() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    scene.schedule("leaky", "--memo ticket=7").await;
    let mut stored = scene.stored("leaky").await?;
    let mut schedule = stored.schedule.take().unwrap_or_default();
    let input = workflow(&mut schedule).input.get_or_insert_default();
    input.payloads = vec![from_json(&json!("Grace"))];
    store(&scene, "leaky", schedule).await?;

    let said = scene.run("keys reencrypt-schedules -s leaky -o json").await;
    let described = scene.run("schedule describe -s leaky -o json").await;
    let mut after = scene.stored("leaky").await?;

    assert_eq!(done(&said.json(), "leaky")["encrypted"], 1, "{said}");
    assert_eq!(ids(&take_payloads(&mut after)), [OLD.as_bytes(); 2]);
    assert_eq!(described.json()["input"], json!(["Grace"]));
    Ok(())
}

/// Server 1.32 refuses to change it as long as it keeps schedules in workflows, its default.
#[tokio::test]
async fn a_memo_that_the_server_does_not_let_be_changed_is_reported() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    scene
        .schedule("daily", "--memo ticket=7 --schedule-memo owner=1")
        .await;
    scene.rotate();

    let line = "keys reencrypt-schedules -s daily -o json";
    let foretold = scene.terminal.run(&format!("{line} --dry-run")).await;
    let finished = scene.terminal.run(line).await;
    let again = scene.terminal.run(line).await;
    let report = scene.audit("", 0, 1).await;

    assert_eq!(finished.code, 1, "{finished}");
    let problem = done(&finished.json(), "daily")["problem"].clone();
    assert!(problem.to_string().contains("own memo"), "{finished}");
    let tally = |it: &Finished| {
        let rows = it.json();
        let row = done(&rows, "daily");
        (row["reencrypted"].clone(), row["unchanged"].clone())
    };
    assert_eq!(tally(&finished), (json!(2), json!(0)), "{finished}");
    assert_eq!(tally(&again), (json!(0), json!(2)), "{again}");
    assert_eq!(again.code, 1, "{again}");
    let untried = "1 of 1 schedule would not, or perhaps not, be wholly under the active key";
    assert_eq!(foretold.lines_of_failure(1)[1], untried);
    let problem = done(&foretold.json(), "daily")["problem"].clone();
    assert!(problem.to_string().contains("own memo"), "{foretold}");
    let old = row(&report, "key", OLD);
    assert_eq!(
        old["payloads"], 1,
        "input and memo of its workflows are renewed"
    );
    Ok(())
}
