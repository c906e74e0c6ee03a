//! An outage of the container delays what needs it, and nothing else.

use sealane_client::workflow::Ending;
use sealane_tests::orders::patiently;
use serde_json::json;

use super::stage::{Stage, long_name};

#[tokio::test]
async fn workflows_wait_for_a_container_that_is_down_and_small_ones_do_not_need_it()
-> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let workflows = stage.workflows().await?;
    let name = long_name(300_000);
    let large = stage.greet(&workflows, "large", &name).await?;
    let host = "sealaneunit.blob.core.windows.net";
    let to = stage.azurite.address();
    stage.fake.forward(host, None);

    let worker = stage.start_worker().await?;
    worker.says("cannot read blob").await?;
    let small = stage.greet(&workflows, "small", "Ada").await?;
    let outcome = patiently("the small one", workflows.outcome(&small)).await?;
    let greeting = "Final result: Processed: Hello, Ada!";
    assert_eq!(outcome.ending, Ending::Completed(json!(greeting)));

    stage.fake.forward(host, Some(to));
    let outcome = patiently("the large one", workflows.outcome(&large)).await?;
    let greeting = format!("Final result: Processed: Hello, {name}!");
    assert!(outcome.ending == Ending::Completed(json!(greeting)));
    worker.signal("TERM").await?;
    assert_eq!(worker.ends().await?.code, Some(0));
    Ok(())
}
