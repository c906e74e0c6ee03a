use std::time::Instant;

use sealane_client::workflow::{Ending, Outcome, Start, Workflows};
use sealane_service::encryption;
use sealane_tests::{
    World,
    local::{self, LONG},
    orders::patiently,
};
use serde_json::json;

use super::LIMIT;

#[tokio::test]
async fn a_local_activity_keeps_the_worker_while_it_runs_and_until_it_is_tried_again()
-> anyhow::Result<()> {
    let world = World::new().await;
    let settings = world.settings();
    let codec = encryption::codec(&settings.encryption).await?;
    let workflows = Workflows::new(world.client().await, codec);
    let local = Start {
        workflow_type: "LocalWorkflow".to_owned(),
        workflow_id: world.id("local"),
        task_queue: world.task_queue().to_owned(),
        ..Start::default()
    };
    let execution = workflows.start(local).await?;
    let began = Instant::now();

    let never = std::future::pending();
    let worker = sealane_worker::run_until_idle(settings, local::register, never, LIMIT);
    patiently("the worker", Box::pin(worker)).await?;

    let least = 2 * LONG + LIMIT;
    assert!(began.elapsed() >= least, "{:?}", began.elapsed());
    let outcome: Outcome =
        patiently("the outcome", workflows.outcome(&execution.execution())).await?;
    match outcome.ending {
        Ending::Completed(value) => assert_eq!(value, json!(2)),
        other => panic!("{other:?}"),
    }
    Ok(())
}
