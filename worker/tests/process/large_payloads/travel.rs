//! What is too large for Temporal goes all the way and comes back.

use anyhow::Context;
use sealane_client::{
    connection::{self, Extras},
    payload::{from_json, to_json},
    workflow::{Ending, Execution, Start, Workflows},
};
use sealane_codec::{is_encrypted, is_stored};
use sealane_tests::{orders::patiently, process::Process, python::Python};
use serde_json::json;
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    common::v1::Payload,
    history::v1::{WorkflowExecutionStartedEventAttributes, history_event::Attributes},
    schedule::v1::{Schedule, schedule_action::Action},
    workflowservice::v1::{
        DescribeScheduleRequest, StartWorkflowExecutionRequest, UpdateScheduleRequest,
    },
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

/// A schedule has no end either.
#[tokio::test]
async fn a_schedule_is_in_no_blob_and_what_it_has_in_one_is_put_back() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let input = stage.world.folder().join("input.json");
    std::fs::write(&input, json!(long_name(300_000)).to_string())?;
    let input = format!("@{}", input.display());

    let line = ["schedule", "create", "-s", "nightly", "--cron", "0 3 * * *"];
    let what = ["--type", "GreetingWorkflow", "--input", &input];
    let ended = stage.sealane(&[&line[..], &what].concat()).await?;
    assert_eq!(ended.code, Some(0), "{:?}", ended.said);
    let (_, made) = schedule(&stage).await?;
    let update = ["schedule", "update", "-s", "nightly", "--input", &input];
    let ended = stage.sealane(&update).await?;
    assert_eq!(ended.code, Some(0), "{:?}", ended.said);
    let (mut changed, updated) = schedule(&stage).await?;

    // As somebody leaves it who does not know better.
    let codec = stage.codec("default").await?;
    let large = from_json(&json!(long_name(400_000)));
    let reference = codec.encode_and_store(large.clone()).await?;
    assert!(is_stored(&reference));
    *payload_of(&mut changed)? = reference;
    let request = Request::new(UpdateScheduleRequest {
        namespace: "default".to_owned(),
        schedule_id: "nightly".to_owned(),
        schedule: Some(changed),
        request_id: "once".to_owned(),
        ..UpdateScheduleRequest::default()
    });
    let settings = stage.world.settings().temporal;
    let mut plain = connection::connect(&settings, None, Extras::default()).await?;
    plain.update_schedule(request).await?;
    let (_, left) = schedule(&stage).await?;
    let ended = stage.sealane(&["keys", "reencrypt-schedules"]).await?;
    assert_eq!(ended.code, Some(0), "{:?}", ended.said);
    let (_, freed) = schedule(&stage).await?;

    for whole in [made, updated] {
        assert!(is_encrypted(&whole) && whole.data.len() > 300_000);
    }
    assert!(is_stored(&left));
    assert!(!is_stored(&freed) && codec.decode_payload(freed)? == large);
    Ok(())
}

/// The schedule `nightly`, and its input, as the server has them.
async fn schedule(stage: &Stage) -> anyhow::Result<(Schedule, Payload)> {
    let request = Request::new(DescribeScheduleRequest {
        namespace: "default".to_owned(),
        schedule_id: "nightly".to_owned(),
    });
    let described = stage.client().await?.describe_schedule(request).await?;
    let mut schedule = described.into_inner().schedule.context("a schedule")?;
    let input = payload_of(&mut schedule)?.clone();
    Ok((schedule, input))
}

fn payload_of(schedule: &mut Schedule) -> anyhow::Result<&mut Payload> {
    let action = schedule.action.as_mut().and_then(|it| it.action.as_mut());
    let Some(Action::StartWorkflow(start)) = action else {
        anyhow::bail!("the schedule does {action:?}");
    };
    let input = start.input.as_mut().and_then(|it| it.payloads.first_mut());
    input.context("an input")
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
