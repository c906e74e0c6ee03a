//! What one workflow task answers, too large only together.

use std::time::Duration;

use futures::future::{join, join_all};
use sealane_client::{
    call::CallError,
    payload::from_json,
    workflow::{Execution, Updated},
};
use sealane_tests::{
    bulky::{MUCH, text},
    orders::patiently,
};
use serde_json::{Value, json};
use temporalio_client::{Client, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::{
    common::v1::WorkflowExecution, enums::v1::UpdateWorkflowExecutionLifecycleStage::Admitted,
    update::v1::UpdateRef, workflowservice::v1::PollWorkflowExecutionUpdateRequest,
};
use tonic::IntoRequest;

use super::scene::{LIMIT, Scene};

/// Of this, two fit into one task, and three do not.
const HALF: usize = 1_500_000;

/// More than 50 KiB, which is what counts.
const LARGE: usize = 60_000;

type Answer = Result<Updated, CallError>;

/// Starts a workflow that sends `bytes` down `path`, and has all of `inputs` be answered with its first
/// task.
async fn at_once(
    scene: &mut Scene,
    (path, bytes): (&str, usize),
    inputs: &[Value],
) -> anyhow::Result<(Execution, Vec<Answer>)> {
    let start = scene.start(path, bytes);
    let execution = scene.workflows.start(start).await?.execution();
    let workflows = scene.workflows.clone();
    let updates = inputs.iter().enumerate().map(|(number, input)| {
        let (workflows, execution) = (&workflows, &execution);
        async move {
            let input = vec![from_json(input)];
            workflows.update(execution, "put", &id(number), input).await
        }
    });
    let mut client = scene.world.client().await;
    let work = async {
        for number in 0..inputs.len() {
            arrives(&mut client, &execution, &id(number)).await;
        }
        scene.work();
    };
    let (answers, ()) = patiently("the updates", join(join_all(updates), work)).await;
    Ok((execution, answers))
}

fn id(number: usize) -> String {
    format!("update-{number}")
}

/// Waits until the server has the update.
async fn arrives(client: &mut Client, execution: &Execution, update_id: &str) {
    let request = PollWorkflowExecutionUpdateRequest {
        namespace: "default".to_owned(),
        update_ref: Some(UpdateRef {
            workflow_execution: Some(WorkflowExecution {
                workflow_id: execution.workflow_id.clone(),
                ..WorkflowExecution::default()
            }),
            update_id: update_id.to_owned(),
        }),
        ..PollWorkflowExecutionUpdateRequest::default()
    };
    loop {
        let answer = client
            .poll_workflow_execution_update(request.clone().into_request())
            .await;
        if answer.is_ok_and(|answer| answer.get_ref().stage >= Admitted as i32) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The texts with which updates were refused. The others succeeded.
fn refusals(answers: Vec<Answer>) -> anyhow::Result<Vec<String>> {
    let mut refusals = Vec::new();
    for answer in answers {
        if let Updated::Failed(failure) = answer? {
            assert_eq!(
                failure.kind.as_deref(),
                Some("PayloadTooLarge"),
                "{failure}"
            );
            refusals.push(failure.message);
        }
    }
    Ok(refusals)
}

#[tokio::test]
async fn of_updates_that_are_too_large_together_one_is_refused() -> anyhow::Result<()> {
    let mut scene = Scene::without_worker().await;
    let input = json!([text(HALF), 1]);

    let inputs = [input.clone(), input.clone(), input.clone()];
    let (workflow, answers) = at_once(&mut scene, ("wait", 0), &inputs).await?;

    let refusals = refusals(answers)?;
    let [refusal] = &refusals[..] else {
        panic!("one refusal: {refusals:?}");
    };
    assert!(
        refusal.starts_with(r#"input of update "put" is 1"#),
        "{refusal}"
    );
    assert!(refusal.contains("send one after the other"), "{refusal}");
    let again = vec![from_json(&input)];
    let again = scene.workflows.update(&workflow, "put", "again", again);
    assert!(matches!(again.await?, Updated::Completed(_)));
    let end = vec![from_json(&json!("end"))];
    scene.workflows.signal(&workflow, "take", end).await?;
    let ended = scene.ended(&workflow).await?;
    assert!(ended.is_completed(), "{ended:?}");
    assert_eq!(ended.count("WorkflowTaskFailed"), 0);
    scene.close().await
}

#[tokio::test]
async fn updates_for_which_the_commands_leave_no_room_are_refused_at_the_second_attempt()
-> anyhow::Result<()> {
    let mut scene = Scene::without_worker().await;
    let inputs = [json!([text(HALF), 1]), json!([text(HALF), 1])];

    let commands = ("activity-input", LIMIT - MUCH);
    let (workflow, answers) = at_once(&mut scene, commands, &inputs).await?;

    let refusals = refusals(answers)?;
    assert_eq!(refusals.len(), 2);
    for refusal in refusals {
        assert!(refusal.contains(" bytes at once are more"), "{refusal}");
        assert!(refusal.contains(r#"input of update "put""#), "{refusal}");
    }
    let ended = scene.ended(&workflow).await?;
    assert!(ended.is_completed(), "{ended:?}");
    assert_eq!(ended.count("WorkflowTaskFailed"), 1);
    scene.close().await
}

/// The workflow fails at its first task, although an update could be given up.
async fn fails_in_spite_of(input: Value) -> anyhow::Result<()> {
    let mut scene = Scene::without_worker().await;

    let commands = ("many-inputs", LIMIT - MUCH);
    let (workflow, answers) = at_once(&mut scene, commands, &[input]).await?;

    assert!(!matches!(answers[0], Ok(Updated::Completed(_))));
    let ended = scene.ended(&workflow).await?;
    let failure = ended.failure();
    assert_eq!(failure.kind.as_deref(), Some("PayloadTooLarge"));
    assert!(failure.message.contains(" bytes at once are more"));
    assert!(failure.message.contains(r#"input of activity "take""#));
    assert_eq!(ended.count("WorkflowTaskStarted"), 1);
    assert_eq!(ended.count("WorkflowTaskFailed"), 0);
    scene.close().await
}

#[tokio::test]
async fn commands_that_are_too_large_together_fail_the_workflow_whatever_it_accepts()
-> anyhow::Result<()> {
    fails_in_spite_of(json!([text(LARGE), 1])).await
}

#[tokio::test]
async fn commands_that_are_too_large_together_fail_the_workflow_whatever_it_answers()
-> anyhow::Result<()> {
    fails_in_spite_of(json!(["", LARGE])).await
}
