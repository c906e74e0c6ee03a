//! `sealane keys audit`.

use std::fs;

use serde_json::json;
use temporalio_client::{NamespacedClient, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::{
    common::v1::{Payload, Payloads, WorkflowType},
    taskqueue::v1::TaskQueue,
    workflowservice::v1::StartWorkflowExecutionRequest,
};
use tonic::IntoRequest;

use super::scene::{NEW, OLD, Scene, counts, payload, row};

/// Starts a workflow with payloads as they are.
async fn start_with(scene: &Scene, id: &str, payloads: Vec<Payload>) -> anyhow::Result<()> {
    let mut client = scene.bare_client().await?;
    let request = StartWorkflowExecutionRequest {
        namespace: client.namespace(),
        workflow_id: id.to_owned(),
        workflow_type: Some(WorkflowType {
            name: "Idle".to_owned(),
        }),
        task_queue: Some(TaskQueue {
            name: "nobody".to_owned(),
            ..TaskQueue::default()
        }),
        input: Some(Payloads { payloads }),
        request_id: id.to_owned(),
        ..StartWorkflowExecutionRequest::default()
    };
    client
        .start_workflow_execution(request.into_request())
        .await?;
    Ok(())
}

#[tokio::test]
async fn an_audit_says_who_still_needs_a_key() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    scene.start("before").await;
    scene
        .schedule("daily", "--memo ticket=7 --schedule-memo owner=1")
        .await;

    scene.rotate();
    scene.start("after").await;
    let report = scene.audit("", 2, 1).await;
    let refused = scene.terminal.run("keys audit --require-unused old").await;

    // Input and memo, the latter in the history and beside it.
    let old = row(&report, "key", OLD);
    assert_eq!(counts(old), (3 + 3, 1, 1), "{report:#}");
    assert_eq!(old["canDisable"], json!(false));
    assert_eq!(old["examples"], json!(["before", "daily"]));
    let new = row(&report, "key", NEW);
    assert_eq!(counts(new), (3, 1, 0), "{report:#}");
    assert_eq!(
        (&new["active"], &new["canDisable"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(refused.code, 1, "{refused}");
    let why = "key \"old\" is still needed by 6 payloads in 1 workflow and 1 schedule";
    assert!(refused.stderr.contains(why), "{refused}");
    let which = "reencrypt-schedules` frees schedules or says why it cannot: daily";
    assert!(refused.stderr.contains(which), "{refused}");
    assert!(
        refused.stdout.contains("before, schedule daily"),
        "{refused}"
    );
    Ok(())
}

#[tokio::test]
async fn a_key_that_nothing_needs_can_be_disabled() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    scene.rotate();
    scene.start("after").await;

    let report = scene.audit("--require-unused old", 1, 0).await;
    let table = scene.run("keys audit").await;
    let active = scene.terminal.run("keys audit --require-unused new").await;
    let misspelt = scene.terminal.run("keys audit --require-unused odl").await;

    assert_eq!(row(&report, "key", OLD)["canDisable"], json!(true));
    assert!(table.stdout.contains("can be disabled"), "{table}");
    assert!(active.stderr.contains("is the active one"), "{active}");
    assert!(
        misspelt.stderr.contains("no key is called \"odl\""),
        "{misspelt}"
    );
    assert_eq!((active.code, misspelt.code), (1, 1));
    Ok(())
}

#[tokio::test]
async fn payloads_of_every_kind_are_told_apart() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    let encrypted = ("encoding", "binary/encrypted");
    let vault_key = "azurekeyvault://unit.vault.azure.net/keys/kek";
    let payloads = vec![
        payload(&[encrypted, ("encryption-key-id", "lost")]),
        payload(&[
            encrypted,
            ("encryption-key-id", vault_key),
            ("encryption-dek", "AA=="),
        ]),
        payload(&[("encoding", "encrypted/aesgcm")]),
        payload(&[encrypted]),
        payload(&[("encoding", "json/plain")]),
    ];

    start_with(&scene, "mixed", payloads).await?;
    let report = scene.audit("", 1, 0).await;

    for (kind, id) in [
        ("key", "lost"),
        ("envelope", vault_key),
        ("legacy", ""),
        ("unnamed", ""),
        ("plaintext", ""),
    ] {
        assert_eq!(counts(row(&report, kind, id)), (1, 1, 0), "{kind}");
    }
    assert_eq!(row(&report, "key", "lost")["inRing"], json!(false));
    assert_eq!(row(&report, "legacy", "")["inRing"], json!(false));
    Ok(())
}

#[tokio::test]
async fn a_key_is_not_free_while_payloads_do_not_say_which_they_need() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    scene.rotate();
    let python = payload(&[("encoding", "encrypted/aesgcm")]);
    start_with(&scene, "python", vec![python]).await?;

    let report = scene.audit("", 1, 0).await;
    let line = "keys audit --require-unused old";
    let refused = scene.terminal.run(line).await;
    let known = scene.terminal.clone().with("SEALANE_LEGACY_KEY_ID", NEW);
    let told = known.run(line).await.succeeds();

    assert_eq!(row(&report, "key", OLD)["canDisable"], json!(null));
    assert_eq!(refused.code, 1, "{refused}");
    let why = "key \"old\" may be needed by 1 legacy payload whose key is not shown; \
               set SEALANE_LEGACY_KEY_ID as the processes have it";
    assert!(refused.stderr.contains(why), "{refused}");
    let elsewhere = "other namespaces were not looked at";
    assert!(told.stderr.contains(elsewhere), "{told}");
    assert!(!refused.stderr.contains(elsewhere), "{refused}");
    Ok(())
}

#[tokio::test]
async fn closed_workflows_count_only_if_asked_for() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    scene.start("ended").await;
    scene.run("workflow terminate -w ended").await;
    scene.rotate();

    let open = scene.audit("", 0, 0).await;
    let all = scene.audit("--closed", 1, 0).await;

    assert_eq!(row(&open, "key", OLD)["canDisable"], json!(true));
    assert_eq!(row(&all, "key", OLD)["canDisable"], json!(false));
    assert_eq!(counts(row(&all, "key", OLD)), (3, 1, 0));
    Ok(())
}

#[tokio::test]
async fn a_query_narrows_the_workflows_and_proves_nothing() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    scene.start("one").await;
    scene.start("two").await;
    scene.audit("", 2, 0).await;

    let one = scene.audit("--query 'WorkflowId = \"one\"'", 1, 0).await;
    let line = "keys audit --query 'Bogus = 1' --resume audit.json";
    let wrong = scene.terminal.run(line).await;
    let other = scene.terminal.run("keys audit --resume audit.json").await;

    assert_eq!(counts(row(&one, "key", OLD)), (3, 1, 0));
    assert_eq!(row(&one, "key", OLD)["canDisable"], json!(null));
    assert_eq!(wrong.code, 64, "{wrong}");
    other.succeeds();
    Ok(())
}

#[tokio::test]
async fn a_resumed_audit_does_not_count_again_what_was_counted() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    let run = scene.start("counted").await;
    scene.start("fresh").await;
    scene.audit("", 2, 0).await;
    let counted = json!({"id": "counted", "needs": {"key:from-the-file": 5}});
    let gone = json!({"id": "gone", "needs": {"key:gone": 1}});
    let checkpoint = json!({
        "namespace": scene.world.settings().temporal.namespace,
        "scope": {"query": "", "closed": false},
        "workflows": {run: counted, "a-run-that-ended": gone},
        "schedules": {},
    });
    let file = scene.world.folder().join("audit.json");
    fs::write(&file, checkpoint.to_string())?;

    let report = scene
        .run("keys audit -o json --resume audit.json")
        .await
        .json();

    assert_eq!(counts(row(&report, "key", "from-the-file")), (5, 1, 0));
    assert_eq!(counts(row(&report, "key", OLD)), (3, 1, 0));
    assert!(!report.to_string().contains("gone"), "{report:#}");
    assert!(!file.exists(), "the walk has come to its end");
    Ok(())
}

#[tokio::test]
async fn a_file_that_cannot_be_resumed_from_is_refused_before_the_walk() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    fs::write(scene.world.folder().join("notes.txt"), "buy milk")?;

    let foreign = scene.terminal.run("keys audit --resume notes.txt").await;
    let nowhere = scene.terminal.run("keys audit --resume no/folder").await;

    let line = foreign.fails(64);
    assert!(
        line.starts_with("notes.txt cannot be used to resume"),
        "{line}"
    );
    let line = nowhere.fails(64);
    assert!(
        line.starts_with("no/folder cannot be used to resume"),
        "{line}"
    );
    Ok(())
}

#[tokio::test]
async fn a_schedule_needs_the_key_of_the_result_that_it_hands_on() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    let worker = scene.worker();
    scene.schedule("daily", "").await;
    acted(&scene, 1).await;
    worker.stop().await?;

    scene.rotate();
    scene.run("keys reencrypt-schedules").await;
    let handed_on = scene.audit("", 0, 1).await;
    let worker = scene.worker();
    acted(&scene, 2).await;
    let renewed = scene.audit("--require-unused old", 0, 1).await;
    worker.stop().await?;

    assert_eq!(
        counts(row(&handed_on, "key", OLD)),
        (1, 0, 1),
        "{handed_on:#}"
    );
    assert_eq!(row(&renewed, "key", OLD)["canDisable"], json!(true));
    Ok(())
}

/// Triggers the schedule, and waits until so many of its workflows have completed.
async fn acted(scene: &Scene, times: usize) {
    scene.run("schedule trigger -s daily").await;
    let completed = |report: &crate::terminal::Finished| {
        let actions = report.json()["recentActions"].clone();
        let actions = actions.as_array().cloned().unwrap_or_default();
        actions
            .iter()
            .filter(|it| it["status"] == "completed")
            .count()
            == times
    };
    let line = "schedule describe -s daily -o json";
    scene.terminal.until(line, completed).await;
}
