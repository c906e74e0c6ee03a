//! Missing, wrong and changing keys: a workflow waits for its key and loses nothing.

mod policy;
mod rotation;
mod scene;

use sealane_tests::TestWorker;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

use self::scene::{BLUE, FALSE_BLUE, GREEN, Scene, activities, assert_harmless, decisions};

#[tokio::test]
async fn a_workflow_whose_key_the_worker_lacks_waits_until_the_key_is_there() -> anyhow::Result<()>
{
    let scene = Scene::of_client_with(&[BLUE]).await;
    let worker = scene.worker_with("worker.json", &[GREEN]);
    let greeting = scene.greet("waits").await?;

    let complaint = scene.complaint(&greeting, &[GREEN]).await?;
    scene.replace("worker.json", &[GREEN, BLUE]);
    let result = scene.result(&greeting).await?;

    assert!(
        complaint.contains(r#"under key "blue""#) && complaint.contains(r#"holds "green""#),
        "{complaint}"
    );
    assert_harmless(&complaint);
    assert_eq!(result, scene.greeted());
    worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn an_activity_whose_key_its_worker_lacks_is_retried_until_the_key_is_there()
-> anyhow::Result<()> {
    let scene = Scene::of_client_with(&[BLUE]).await;
    let deciding = TestWorker::start(scene.settings("client.json"), decisions);
    scene.replace("activities.json", &[GREEN]);
    let acting = TestWorker::start(scene.settings("activities.json"), activities);
    let greeting = scene.greet("activity").await?;

    let complaint = scene.activity_complaint(&greeting).await?;
    scene.replace("activities.json", &[GREEN, BLUE]);
    scene.replace("client.json", &[BLUE, GREEN]);
    let result = scene.result(&greeting).await?;

    assert!(complaint.contains(r#"under key "blue""#), "{complaint}");
    assert_harmless(&complaint);
    assert_eq!(result, scene.greeted());
    acting.stop().await?;
    deciding.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_result_under_a_key_the_workflow_worker_lacks_waits_for_the_key() -> anyhow::Result<()> {
    let scene = Scene::of_client_with(&[BLUE]).await;
    let deciding = TestWorker::start(scene.settings("client.json"), decisions);
    scene.replace("activities.json", &[GREEN, BLUE]);
    let acting = TestWorker::start(scene.settings("activities.json"), activities);
    let greeting = scene.greet("result").await?;

    let complaint = scene.complaint(&greeting, &[BLUE]).await?;
    scene.replace("client.json", &[BLUE, GREEN]);
    let result = scene.result(&greeting).await?;

    assert!(complaint.contains(r#"under key "green""#), "{complaint}");
    assert_harmless(&complaint);
    assert_eq!(result, scene.greeted());
    let greeted_once = scene
        .events(&greeting)
        .await?
        .iter()
        .filter(|it| matches!(it, Attributes::ActivityTaskCompletedEventAttributes(_)))
        .count();
    assert_eq!(greeted_once, 3, "a result that waited is not made again");
    acting.stop().await?;
    deciding.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_wrong_key_under_the_right_id_is_named_and_can_be_put_right() -> anyhow::Result<()> {
    let scene = Scene::of_client_with(&[BLUE]).await;
    let worker = scene.worker_with("worker.json", &[FALSE_BLUE]);
    let greeting = scene.greet("wrong-key").await?;

    let complaint = scene.complaint(&greeting, &[FALSE_BLUE]).await?;
    scene.replace("worker.json", &[BLUE]);
    let result = scene.result(&greeting).await?;

    assert!(
        complaint.contains(r#"key "blue" is not the one that encrypted it"#),
        "{complaint}"
    );
    assert_harmless(&complaint);
    assert_eq!(result, scene.greeted());
    worker.stop().await?;
    Ok(())
}
