//! `GreetingWorkflow` from end to end.

use sealane_tests::{TestWorker, World, orders::patiently};
use sealane_workflows::greeting::GreetingWorkflow;
use temporalio_client::{WorkflowGetResultOptions, WorkflowStartOptions};

#[tokio::test]
async fn a_greeting_passes_through_its_three_activities() -> anyhow::Result<()> {
    let world = World::new().await;
    let worker = TestWorker::of_flows(world.settings());
    let client = world.client().await;

    let options = WorkflowStartOptions::new(world.task_queue(), world.id("greeting")).build();
    let handle = client
        .start_workflow(GreetingWorkflow::run, "Ada".to_owned(), options)
        .await?;
    let result = handle.get_result(WorkflowGetResultOptions::default());
    let result = patiently("the greeting", result).await?;

    assert_eq!(result, "Final result: Processed: Hello, Ada!");
    worker.stop().await?;
    Ok(())
}
