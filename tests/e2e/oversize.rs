//! Payloads that Temporal does not take fail once, whichever way they would have gone.

mod asked;
mod history;
mod scene;
mod together;

use std::{collections::BTreeMap, sync::atomic::Ordering};

use sealane_tests::bulky::{MENDED, MUCH};

use self::scene::{Ended, LIMIT, Scene};

/// More than the namespace takes.
const OVER: usize = LIMIT + MUCH;

/// More than the server takes in one message.
const FAR_OVER: usize = 2 * LIMIT + MUCH;

/// How many events of each of these kinds a history has.
fn counted<const N: usize>(
    ended: &Ended,
    kinds: [&'static str; N],
) -> BTreeMap<&'static str, usize> {
    kinds.map(|kind| (kind, ended.count(kind))).into()
}

/// The workflow fails at its first task, for `field`, and no task is tried twice.
async fn fails_the_workflow(path: &str, bytes: usize, field: &str) -> anyhow::Result<()> {
    let scene = Scene::open().await;

    let ended = scene.run(path, bytes).await?;

    let failure = ended.failure();
    assert_eq!(
        failure.kind.as_deref(),
        Some("PayloadTooLarge"),
        "{failure}"
    );
    assert!(failure.non_retryable, "{failure}");
    assert!(failure.message.contains(field), "{failure}");
    assert!(failure.message.contains(" bytes"), "{failure}");
    let seen = counted(
        &ended,
        [
            "WorkflowTaskStarted",
            "WorkflowTaskFailed",
            "WorkflowTaskTimedOut",
            "WorkflowExecutionFailed",
        ],
    );
    let once = [
        ("WorkflowTaskStarted", 1),
        ("WorkflowTaskFailed", 0),
        ("WorkflowTaskTimedOut", 0),
        ("WorkflowExecutionFailed", 1),
    ];
    assert_eq!(seen, once.into(), "{path}");
    scene.close().await
}

/// The activity fails at its first attempt, for `field`, although it may be retried for ever.
async fn fails_the_activity(path: &str, bytes: usize, field: &str) -> anyhow::Result<()> {
    let scene = Scene::open().await;

    let ended = scene.run(path, bytes).await?;

    let failure = ended
        .failure()
        .cause
        .as_deref()
        .cloned()
        .unwrap_or_default();
    assert_eq!(
        failure.kind.as_deref(),
        Some("PayloadTooLarge"),
        "{failure}"
    );
    assert!(failure.non_retryable, "{failure}");
    assert!(failure.message.starts_with(field), "{failure}");
    assert_eq!(ended.attempts(), [1], "{path}");
    let seen = counted(
        &ended,
        [
            "ActivityTaskFailed",
            "ActivityTaskTimedOut",
            "WorkflowTaskFailed",
        ],
    );
    let once = [
        ("ActivityTaskFailed", 1),
        ("ActivityTaskTimedOut", 0),
        ("WorkflowTaskFailed", 0),
    ];
    assert_eq!(seen, once.into(), "{path}");
    scene.close().await
}

macro_rules! cases {
    ($check:ident: $($name:ident: $path:literal, $bytes:expr, $field:expr;)*) => { $(
        #[tokio::test]
        async fn $name() -> anyhow::Result<()> {
            $check($path, $bytes, $field).await
        }
    )* };
}

cases! { fails_the_workflow:
    an_activity_input_that_is_too_large: "activity-input", OVER, r#"input of activity "take" is 2"#;
    activity_inputs_that_are_too_large_together: "many-inputs", LIMIT - MUCH, r#"input of activity "take"; "#;
    a_local_result_that_is_too_large: "local-result", OVER, r#"result of local activity "give" is 2"#;
    a_child_input_that_is_too_large: "child-input", OVER, r#"input of child workflow "BulkyChildWorkflow" is 2"#;
    a_signal_to_another_workflow_that_is_too_large: "external-signal", OVER, r#"input of signal "take" is 2"#;
    a_memo_that_is_too_large: "memo", OVER, "memo that the workflow sets is 2";
    an_input_of_the_next_run_that_is_too_large: "continued", OVER, r#"input of the next run of workflow "BulkyWorkflow" is 2"#;
    a_result_that_is_too_large: "result", OVER, "result of the workflow is 2";
    a_result_that_is_far_too_large: "result", FAR_OVER, "result of the workflow is 4";
    a_failure_that_is_too_large: "failure", OVER, "failure of the workflow is 2";
}

cases! { fails_the_activity:
    an_activity_result_that_is_too_large: "activity-result", OVER, r#"result of activity "give" is 2"#;
    an_activity_result_that_is_far_too_large: "activity-result", FAR_OVER, r#"result of activity "give" is 4"#;
    an_activity_failure_that_is_too_large: "activity-failure", OVER, r#"failure of activity "give" is 2"#;
    failure_details_that_are_too_large: "failure-details", OVER, r#"failure of activity "give" is 2"#;
    a_heartbeat_that_is_too_large: "heartbeat", OVER, r#"heartbeat of activity "give" is 2"#;
    a_last_heartbeat_that_is_too_large: "last-heartbeat", OVER, r#"heartbeat of activity "give" is 2"#;
}

#[tokio::test]
async fn what_is_just_not_too_large_goes_through() -> anyhow::Result<()> {
    let scene = Scene::open().await;

    for path in [
        "activity-input",
        "activity-result",
        "local-result",
        "child-input",
        "memo",
        "result",
    ] {
        let ended = scene.run(path, LIMIT - MUCH).await?;
        assert!(ended.is_completed(), "{path}: {ended:?}");
    }

    scene.close().await
}

#[tokio::test]
async fn without_encryption_the_limit_is_the_same() -> anyhow::Result<()> {
    let scene = Scene::without_encryption().await;

    let workflow = scene.run("result", OVER).await?;
    let activity = scene.run("activity-result", OVER).await?;

    assert!(
        workflow
            .failure()
            .message
            .starts_with("result of the workflow is 2")
    );
    let cause = activity.failure().cause.as_ref();
    assert!(cause.is_some_and(|it| it.message.starts_with(r#"result of activity "give" is 2"#)));
    assert_eq!(activity.attempts(), [1]);
    scene.close().await
}

#[tokio::test]
async fn a_workflow_that_failed_goes_on_from_before_once_its_code_is_mended() -> anyhow::Result<()>
{
    let scene = Scene::open().await;
    let failed = scene.run("mended", OVER).await?;
    assert_eq!(failed.failure().kind.as_deref(), Some("PayloadTooLarge"));

    MENDED.store(true, Ordering::Relaxed);
    let ended = scene.reset("mended").await?;

    assert!(ended.is_completed(), "{ended:?}");
    scene.close().await
}
