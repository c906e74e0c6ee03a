//! What clients ask, and are answered.

use sealane_client::{
    call::CallError,
    payload::from_json,
    schedule::{Begin, ScheduleError, ScheduleFields},
    workflow::{Execution, Updated},
};
use sealane_tests::{bulky::text, orders::patiently};
use serde_json::{Value, json};
use temporalio_client::{
    ActivityIdentifier, Client, ClientOptions, Connection, ConnectionOptions, RpcOptions,
    grpc::WorkflowService,
};
use temporalio_common::protos::temporal::api::{
    common::v1::{Payload, Payloads, WorkflowExecution},
    enums::v1::UpdateWorkflowExecutionLifecycleStage,
    update::v1::{Input, Meta, Request, WaitPolicy, outcome},
    workflowservice::v1::UpdateWorkflowExecutionRequest,
};
use tonic::IntoRequest;
use url::Url;

use super::{OVER, scene::Scene};

fn bulk() -> Vec<Payload> {
    vec![from_json(&json!(text(OVER)))]
}

/// Asserts that nothing was sent, because of `field`.
fn assert_refused<T: std::fmt::Debug>(answer: Result<T, CallError>, field: &str) {
    match answer {
        Err(CallError::PayloadTooLarge { reason }) => {
            assert!(reason.starts_with(&format!("{field} is 2")), "{reason}");
            assert!(
                reason.contains("the limit of the namespace is 2097152"),
                "{reason}"
            );
        }
        other => panic!("{field}: {other:?}"),
    }
}

async fn waiting(scene: &Scene) -> anyhow::Result<Execution> {
    Ok(scene
        .workflows
        .start(scene.start("wait", 0))
        .await?
        .execution())
}

async fn end(scene: &Scene, execution: &Execution) -> anyhow::Result<()> {
    let end = vec![from_json(&json!("end"))];
    scene.workflows.signal(execution, "take", end).await?;
    let ended = scene.ended(execution).await?;
    assert!(ended.is_completed(), "{ended:?}");
    assert_eq!(ended.count("WorkflowTaskFailed"), 0, "{ended:?}");
    Ok(())
}

#[tokio::test]
async fn a_client_sends_nothing_that_is_too_large() -> anyhow::Result<()> {
    let scene = Scene::open().await;
    let workflow = waiting(&scene).await?;
    let workflows = &scene.workflows;

    let mut input = scene.start("input", 0);
    input.input = bulk();
    let mut memo = scene.start("memo", 0);
    memo.memo = [("note".to_owned(), from_json(&json!(text(OVER))))].into();
    assert_refused(
        workflows.start(input).await,
        r#"input of workflow "BulkyWorkflow""#,
    );
    assert_refused(
        workflows.start(memo).await,
        r#"memo of workflow "BulkyWorkflow""#,
    );
    assert_refused(
        workflows.signal(&workflow, "take", bulk()).await,
        r#"input of signal "take""#,
    );
    assert_refused(
        workflows.query(&workflow, "give", bulk()).await,
        r#"input of query "give""#,
    );
    let update = workflows.update(&workflow, "put", "u", bulk()).await;
    assert_refused(update, r#"input of update "put""#);

    end(&scene, &workflow).await?;
    scene.close().await
}

#[tokio::test]
async fn a_schedule_stores_nothing_that_is_too_large() -> anyhow::Result<()> {
    let scene = Scene::open().await;
    let id = scene.world.id("schedule");
    let fields = |input| ScheduleFields {
        workflow_type: Some("BulkyWorkflow".to_owned()),
        task_queue: Some(scene.world.task_queue().to_owned()),
        input: Some(input),
        ..ScheduleFields::default()
    };
    let paused = || Begin {
        paused: true,
        ..Begin::default()
    };
    let field = format!("input and memo of schedule {id:?}");
    let call = |error| match error {
        ScheduleError::Call(error) => error,
        other => panic!("{other:?}"),
    };

    let created = scene.schedules.create(&id, fields(bulk()), paused()).await;
    assert_refused(created.map_err(call), &field);
    let small = vec![from_json(&json!(["wait", 0]))];
    scene.schedules.create(&id, fields(small), paused()).await?;
    let updated = scene.schedules.update(&id, fields(bulk())).await;
    assert_refused(updated.map_err(call), &field);

    scene.schedules.delete(&id).await?;
    scene.close().await
}

#[tokio::test]
async fn a_client_that_completes_an_activity_is_told_that_the_result_is_too_large()
-> anyhow::Result<()> {
    let scene = Scene::without_worker().await;
    let client = scene.world.client().await;
    let activity = ActivityIdentifier::from_task_token(b"any".to_vec().into());

    let completed = client
        .get_async_activity_handle(activity)
        .complete(Some(text(OVER)), RpcOptions::default())
        .await;

    let told = completed.expect_err("nothing is sent").to_string();
    assert!(told.contains("result of an activity is 2"), "{told}");
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_too_large_costs_only_the_answer() -> anyhow::Result<()> {
    let scene = Scene::open().await;
    let workflow = waiting(&scene).await?;
    let number = || vec![from_json(&json!(OVER))];

    let query = scene.workflows.query(&workflow, "give", number()).await;
    assert_query_fails(query);
    for (word, field) in [
        ("", "answer to update"),
        ("fail", "answer to update"),
        ("refuse", r#"refusal of update "put""#),
    ] {
        let input = vec![from_json(&json!([word, OVER]))];
        let id = format!("u-{word}");
        let updated = scene.workflows.update(&workflow, "put", &id, input).await?;
        assert_update_fails(updated, field);
    }
    end(&scene, &workflow).await?;
    scene.close().await
}

fn assert_query_fails(answer: Result<Value, CallError>) {
    let Err(CallError::QueryFailed { reason, .. }) = answer else {
        panic!("{answer:?}");
    };
    assert!(reason.starts_with("answer to a query is 2"), "{reason}");
}

fn assert_update_fails(updated: Updated, field: &str) {
    let Updated::Failed(failure) = updated else {
        panic!("{updated:?}");
    };
    assert_eq!(
        failure.kind.as_deref(),
        Some("PayloadTooLarge"),
        "{failure}"
    );
    assert!(failure.message.starts_with(field), "{failure}");
    assert!(failure.message.contains(" is 2"), "{failure}");
}

/// A client that asks the server without having measured.
async fn careless(scene: &Scene) -> anyhow::Result<Client> {
    let settings = scene.world.settings().temporal;
    let target = Url::parse(&format!("http://{}", settings.address))?;
    let options = ConnectionOptions::new(target).identity("careless").build();
    let connection = Connection::connect(options).await?;
    Ok(Client::new(
        connection,
        ClientOptions::new(settings.namespace).build(),
    )?)
}

#[tokio::test]
async fn an_update_that_others_send_too_large_is_refused() -> anyhow::Result<()> {
    let scene = Scene::open().await;
    let workflow = waiting(&scene).await?;
    let mut client = careless(&scene).await?;
    let input = Input {
        name: "put".to_owned(),
        args: Some(Payloads {
            payloads: vec![from_json(&json!([text(OVER), 1]))],
        }),
        ..Input::default()
    };
    let request = UpdateWorkflowExecutionRequest {
        namespace: "default".to_owned(),
        workflow_execution: Some(WorkflowExecution {
            workflow_id: workflow.workflow_id.clone(),
            ..WorkflowExecution::default()
        }),
        wait_policy: Some(WaitPolicy {
            lifecycle_stage: UpdateWorkflowExecutionLifecycleStage::Completed.into(),
        }),
        request: Some(Request {
            meta: Some(Meta {
                update_id: "careless".to_owned(),
                ..Meta::default()
            }),
            input: Some(input),
            ..Request::default()
        }),
        ..UpdateWorkflowExecutionRequest::default()
    };

    let answer = client.update_workflow_execution(request.into_request());
    let answer = patiently("the refusal", answer).await?.into_inner();

    let Some(outcome::Value::Failure(failure)) = answer.outcome.and_then(|it| it.value) else {
        panic!("a failure");
    };
    let failure = scene.decoder.failure(failure).await?;
    assert_eq!(
        failure.kind.as_deref(),
        Some("PayloadTooLarge"),
        "{failure}"
    );
    assert!(
        failure.message.starts_with(r#"input of update "put" is 2"#),
        "{failure}"
    );
    end(&scene, &workflow).await?;
    scene.close().await
}
