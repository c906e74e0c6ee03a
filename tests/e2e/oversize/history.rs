//! What the server sends may be larger than what it takes: histories are.

use sealane_client::payload::from_json;
use sealane_tests::bulky::text;
use serde_json::json;

use super::scene::Scene;

/// Signals of 1.5 MB. Three are more than 4 MiB, which is what tonic accepts unless it is told otherwise.
const SIGNALS: usize = 4;

#[tokio::test]
async fn a_worker_takes_up_a_history_of_six_megabytes() -> anyhow::Result<()> {
    let mut scene = Scene::without_worker().await;
    let start = scene.start("wait", 0);
    let workflow = scene.workflows.start(start).await?.execution();
    for _ in 0..SIGNALS {
        let large = vec![from_json(&json!(text(1_500_000)))];
        scene.workflows.signal(&workflow, "take", large).await?;
    }
    let end = vec![from_json(&json!("end"))];
    scene.workflows.signal(&workflow, "take", end).await?;

    scene.work();
    let ended = scene.ended(&workflow).await?;

    assert!(ended.is_completed(), "{ended:?}");
    assert_eq!(ended.count("WorkflowExecutionSignaled"), SIGNALS + 1);
    assert_eq!(ended.count("WorkflowTaskStarted"), 1);
    scene.close().await
}
