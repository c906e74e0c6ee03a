//! An outage of the container delays what needs it, and nothing else.

use sealane_client::{payload::from_json, workflow::Ending};
use sealane_codec::EncryptionCodec;
use sealane_tests::{azurite, orders::patiently};
use serde_json::json;

use super::stage::{Stage, long_name};

#[tokio::test]
async fn workflows_wait_for_a_container_that_is_down_and_small_ones_do_not_need_it()
-> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let workflows = stage.workflows().await?;
    let name = long_name(300_000);
    let large = stage.greet(&workflows, "large", &name).await?;
    let to = stage.azurite.address();
    stage.fake.forward(azurite::HOST, None);

    let worker = stage.start_worker().await?;
    worker.says("cannot read blob").await?;
    let small = stage.greet(&workflows, "small", "Ada").await?;
    let outcome = patiently("the small one", workflows.outcome(&small)).await?;
    let greeting = "Final result: Processed: Hello, Ada!";
    assert_eq!(outcome.ending, Ending::Completed(json!(greeting)));

    stage.fake.forward(azurite::HOST, Some(to));
    let outcome = patiently("the large one", workflows.outcome(&large)).await?;
    let greeting = format!("Final result: Processed: Hello, {name}!");
    assert!(outcome.ending == Ending::Completed(json!(greeting)));
    worker.signal("TERM").await?;
    assert_eq!(worker.ends().await?.code, Some(0));
    Ok(())
}

/// The longest name that is not stored itself: what greets it is.
async fn just_small_enough(codec: &EncryptionCodec) -> anyhow::Result<String> {
    let (mut small, mut large) = (100_000, 200_000);
    while large - small > 1 {
        let len = usize::midpoint(small, large);
        let payload = codec
            .encode_and_store(from_json(&json!(long_name(len))))
            .await?;
        match payload.data.len() > len {
            true => small = len,
            false => large = len,
        }
    }
    Ok(long_name(small))
}

#[tokio::test]
async fn an_activity_whose_result_cannot_be_stored_is_repeated() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let name = just_small_enough(&stage.codec("default").await?).await?;
    let workflows = stage.workflows().await?;
    stage.fake.forward(azurite::HOST, None);

    let worker = stage.start_worker().await?;
    let execution = stage.greet(&workflows, "edge", &name).await?;
    worker.says("cannot store blob").await?;
    let (description, _) = workflows.describe(&execution).await?;
    stage
        .fake
        .forward(azurite::HOST, Some(stage.azurite.address()));
    let outcome = patiently("the greeting", workflows.outcome(&execution)).await?;

    assert_eq!(description.pending_activities.len(), 1, "{description:?}");
    let greeting = format!("Final result: Processed: Hello, {name}!");
    assert!(outcome.ending == Ending::Completed(json!(greeting)));
    Ok(())
}
