//! What is too large for Temporal goes all the way and comes back.

use sealane_client::{
    payload::{from_json, to_json},
    workflow::{Ending, Execution, Start, Workflows},
};
use sealane_codec::{is_encrypted, is_stored};
use sealane_tests::{orders::patiently, process::Process, python::Python};
use serde_json::json;
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    history::v1::{WorkflowExecutionStartedEventAttributes, history_event::Attributes},
    workflowservice::v1::StartWorkflowExecutionRequest,
};
use tonic::Request;

use super::stage::{CANARY, MIB, Stage, holds, long_name, payload_in};

#[tokio::test]
async fn payloads_that_temporal_would_refuse_travel_through_the_container() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let worker = stage.start_worker().await?;
    let workflows = stage.workflows().await?;
    let before = stage.database()?.len();

    // Temporal refuses more than 2 MiB.
    for (id, len) in [("one", MIB), ("two", 2 * MIB + 1000)] {
        let name = long_name(len);
        let execution = stage.greet(&workflows, id, &name).await?;
        let outcome = patiently(id, workflows.outcome(&execution)).await?;
        let greeting = format!("Final result: Processed: Hello, {name}!");
        assert!(outcome.ending == Ending::Completed(json!(greeting)), "{id}");
    }

    let names = stage.azurite.names().await?;
    assert!(
        names.len() >= 8,
        "inputs, results and what is between them: {names:?}"
    );
    for name in &names {
        assert!(name.starts_with("v0/ns/default/d/sha256/"), "{name}");
        let blob = stage.azurite.get(name).await?;
        assert!(
            blob.len() > MIB && is_encrypted(&payload_in(&blob)?),
            "{name}"
        );
    }
    server_and_account_see_no_name(&stage, before).await?;
    worker_counts_them(&worker).await?;
    command_line_and_python_read_them(&stage).await?;
    worker.signal("TERM").await?;
    assert_eq!(worker.ends().await?.code, Some(0));
    Ok(())
}

#[tokio::test]
async fn a_workflow_starts_with_an_argument_of_five_mebibytes() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let workflows = stage.workflows().await?;
    let name = long_name(5 * MIB);

    let execution = stage.greet(&workflows, "five", &name).await?;

    let started = started(&workflows, &execution).await?;
    let reference = started.input.unwrap_or_default().payloads.remove(0);
    assert!(is_stored(&reference) && reference.data.len() < 1000);
    let codec = stage.codec("default").await?;
    let payload = codec.decode_payload(codec.fetch(reference).await?)?;
    assert!(to_json(&payload) == json!(name));
    Ok(())
}

/// A memo is carried on from run to run, and a blob is deleted one day.
#[tokio::test]
async fn a_memo_is_in_no_blob_and_neither_is_the_input_of_a_cron_schedule() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let workflows = stage.workflows().await?;
    let large = || from_json(&json!(long_name(300_000)));
    let start = Start {
        workflow_type: "GreetingWorkflow".to_owned(),
        workflow_id: stage.world.id("noted"),
        task_queue: stage.world.task_queue().to_owned(),
        input: vec![large()],
        memo: [("note".to_owned(), large())].into(),
        ..Start::default()
    };

    let noted = workflows.start(start).await?.execution();
    let every_night = Request::new(StartWorkflowExecutionRequest {
        namespace: "default".to_owned(),
        workflow_id: stage.world.id("nightly"),
        request_id: "once".to_owned(),
        workflow_type: Some("GreetingWorkflow".into()),
        task_queue: Some(stage.world.task_queue().to_owned().into()),
        input: Some(large().into()),
        cron_schedule: "0 3 * * *".to_owned(),
        ..StartWorkflowExecutionRequest::default()
    });
    stage
        .client()
        .await?
        .start_workflow_execution(every_night)
        .await?;

    let started = started(&workflows, &noted).await?;
    assert!(is_stored(&started.input.unwrap_or_default().payloads[0]));
    let memo = &started.memo.unwrap_or_default().fields["note"];
    assert!(is_encrypted(memo) && memo.data.len() > 300_000);
    let nightly = Execution {
        workflow_id: stage.world.id("nightly"),
        run_id: None,
    };
    let started = self::started(&workflows, &nightly).await?;
    let input = &started.input.unwrap_or_default().payloads[0];
    assert!(is_encrypted(input) && input.data.len() > 300_000);
    Ok(())
}

/// What the first event of a history holds.
async fn started(
    workflows: &Workflows,
    execution: &Execution,
) -> anyhow::Result<WorkflowExecutionStartedEventAttributes> {
    let history = workflows.encrypted_history(execution).await?;
    let first = history.events.first().and_then(|it| it.attributes.clone());
    match first {
        Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) => Ok(started),
        other => anyhow::bail!("the history begins with {other:?}"),
    }
}

/// The server has neither the plaintext nor the bulk of the ciphertext, and the account no plaintext.
async fn server_and_account_see_no_name(stage: &Stage, before: usize) -> anyhow::Result<()> {
    let names = stage.azurite.names().await?;
    let blob = stage.azurite.get(&names[0]).await?;
    let middle = &blob[blob.len() / 2..][..64];
    let (database, account) = (stage.database()?, stage.account()?);

    assert!(
        database.len() < before + MIB,
        "{} and {before}",
        database.len()
    );
    assert!(!holds(&database, CANARY.as_bytes()));
    assert!(!holds(&database, middle));
    assert!(!holds(&account, CANARY.as_bytes()));
    // The searches find what is there.
    assert!(
        holds(&database, names[0].as_bytes()),
        "no reference to {}",
        names[0]
    );
    assert!(holds(&account, middle));
    Ok(())
}

async fn worker_counts_them(worker: &Process) -> anyhow::Result<()> {
    let page = worker.probe("/metrics").await?.body;
    let value = |series: &str| -> u64 {
        let line = page.lines().find_map(|line| line.strip_prefix(series));
        line.and_then(|value| value.trim().parse().ok())
            .unwrap_or_default()
    };
    let count = |operation: &str| {
        value(&format!(
            r#"sealane_stored_payloads_total{{operation="{operation}"}}"#
        ))
    };
    // What it stored itself it still has.
    assert!(
        count("store") >= 6 && count("fetch") >= 2 && count("recall") >= 4,
        "{page}"
    );
    let bytes = value(r#"sealane_stored_payload_bytes_total{operation="store"}"#);
    assert!(bytes > 6 << 20, "{bytes}");
    for operation in ["store", "fetch"] {
        let series =
            format!(r#"sealane_stored_payload_failures_total{{operation="{operation}"}} 0"#);
        assert!(page.contains(&series), "{page}");
    }
    Ok(())
}

async fn command_line_and_python_read_them(stage: &Stage) -> anyhow::Result<()> {
    let id = stage.world.id("one");

    let arguments = ["workflow", "result", "--workflow-id", &id, "-o", "json"];
    let result = stage.sealane(&arguments).await?;
    assert_eq!(result.code, Some(0));
    let greeting = format!("Final result: Processed: Hello, {}!", long_name(MIB));
    let said = result.said.join("\n");
    let start: String = said.chars().take(300).collect();
    assert!(said.contains(&greeting), "{} bytes: {start}", said.len());

    let audit = stage
        .sealane(&["keys", "audit", "--closed", "-o", "json"])
        .await?;
    let audit = audit.said.join("\n");
    assert!(audit.contains(r#""kind": "stored""#), "{audit}");
    assert!(!audit.contains("plaintext"), "{audit}");

    python_reads(stage, &id, greeting.len()).await
}

/// Temporal's own SDK takes the references for what they are, and reads what they refer to with a storage
/// driver that knows nothing but where blobs are.
async fn python_reads(stage: &Stage, id: &str, len: usize) -> anyhow::Result<()> {
    let blobs = stage.world.folder().join("blobs");
    for name in stage.azurite.names().await? {
        let path = blobs.join(&name);
        std::fs::create_dir_all(path.parent().expect("a folder"))?;
        std::fs::write(path, stage.azurite.get(&name).await?)?;
    }
    let python = Python::with_temporal().await?;
    let input = json!({"id": id, "blobs": blobs});

    let read = python
        .run("external_storage.py", &[], &input, &stage.world)
        .await?;

    let start = format!("Final result: Processed: Hello, {CANARY}");
    assert_eq!(read["start"], start[..40]);
    assert_eq!(read["length"], len);
    assert!(read["references"].as_u64() >= Some(2), "{read}");
    assert_eq!(read["drivers"], json!(["azure.blobdriver"]));
    assert!(read["sizes"].as_u64() > Some(2 << 20), "{read}");
    let without = read["without"].as_str().unwrap_or_default();
    assert!(without.contains("TMPRL1105"), "{read}");
    Ok(())
}
