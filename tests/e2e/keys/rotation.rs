use sealane_client::workflow::Execution;
use sealane_tests::{TestWorker, orders::patiently};
use temporalio_common::protos::temporal::api::{
    common::v1::Payload, history::v1::history_event::Attributes,
};

use super::scene::{BLUE, GREEN, Key, Scene, activities, decisions};

/// Returns the ids of the keys that sealed the input and the result.
async fn keys_of(scene: &Scene, greeting: &Execution) -> anyhow::Result<(String, String)> {
    let (mut input, mut result) = (String::new(), String::new());
    for event in scene.events(greeting).await? {
        match event {
            Attributes::WorkflowExecutionStartedEventAttributes(started) => {
                input = key_of(&started.input.unwrap_or_default().payloads);
            }
            Attributes::WorkflowExecutionCompletedEventAttributes(completed) => {
                result = key_of(&completed.result.unwrap_or_default().payloads);
            }
            _ => {}
        }
    }
    Ok((input, result))
}

fn key_of(payloads: &[Payload]) -> String {
    let id = &payloads[0].metadata["encryption-key-id"];
    String::from_utf8_lossy(id).into_owned()
}

/// Greets until the worker answers under `key`.
async fn greeting_under(scene: &Scene, key: Key) -> anyhow::Result<Execution> {
    let mut number = 0;
    loop {
        number += 1;
        let greeting = scene.greet(&format!("during-{number}")).await?;
        scene.result(&greeting).await?;
        if keys_of(scene, &greeting).await?.1 == key.id {
            return Ok(greeting);
        }
    }
}

#[tokio::test]
async fn a_new_active_key_is_used_without_a_restart_and_old_payloads_stay_readable()
-> anyhow::Result<()> {
    let scene = Scene::of_client_with(&[BLUE]).await;
    let worker = scene.worker_with("worker.json", &[BLUE]);
    let before = scene.greet("before").await?;
    scene.result(&before).await?;

    scene.replace("worker.json", &[GREEN, BLUE]);
    let rotated = patiently("the new key", Box::pin(greeting_under(&scene, GREEN))).await?;

    let blue_both_times = (BLUE.id.to_owned(), BLUE.id.to_owned());
    assert_eq!(keys_of(&scene, &before).await?, blue_both_times);
    let read_blue_wrote_green = (BLUE.id.to_owned(), GREEN.id.to_owned());
    assert_eq!(keys_of(&scene, &rotated).await?, read_blue_wrote_green);
    for greeting in [&before, &rotated] {
        assert_eq!(scene.result(greeting).await?, scene.greeted());
    }
    worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_workflow_that_began_under_the_old_key_ends_under_the_new_one() -> anyhow::Result<()> {
    let scene = Scene::of_client_with(&[BLUE]).await;
    scene.replace("worker.json", &[BLUE]);
    let deciding = TestWorker::start(scene.settings("worker.json"), decisions);
    let greeting = scene.greet("across").await?;
    scene.activity_is_due(&greeting).await?;

    scene.replace("worker.json", &[GREEN, BLUE]);
    let acting = TestWorker::start(scene.settings("worker.json"), activities);

    assert_eq!(scene.result(&greeting).await?, scene.greeted());
    let keys = keys_of(&scene, &greeting).await?;
    assert_eq!(keys, (BLUE.id.to_owned(), GREEN.id.to_owned()));
    acting.stop().await?;
    deciding.stop().await?;
    Ok(())
}
