use opentelemetry::trace::FutureExt;
use sealane_client::{
    payload::from_json,
    workflow::{Ending, Updated},
};
use sealane_tests::{TestWorker, canary, orders::patiently};
use serde_json::json;

use crate::scene::{Asker, collector, has, start, workflows, world};

/// Long enough to be found nowhere by chance.
const TAG: &str = "canary-of-traces-71ad0e";

#[tokio::test]
async fn spans_tell_of_failures_without_their_words() -> anyhow::Result<()> {
    let world = world().await;
    let worker = TestWorker::start(world.settings(), canary::register);
    let workflows = workflows(&world).await?;
    let asker = Asker::new();

    let failing = start(&world, "FailingWorkflow", &json!(TAG));
    let resending = start(&world, "ResendingWorkflow", &json!(TAG));
    for start in [failing, resending] {
        let starting = workflows.start(start).with_context(asker.context());
        let execution = starting.await?.execution();
        let outcome = patiently("the failure", workflows.outcome(&execution)).await?;
        assert!(matches!(outcome.ending, Ending::Failed(_)), "{outcome:?}");
    }
    let talking = start(&world, "CanaryWorkflow", &json!([TAG, 1]));
    let execution = workflows.start(talking).await?.execution();
    let say = |path: &str| vec![from_json(&json!(canary::mark(TAG, path)))];
    let asking = async {
        let refused = workflows.query(&execution, "look", say("query-failure"));
        assert!(refused.await.is_err());
        let refused = workflows.update(&execution, "put", "r", say("update-rejection"));
        assert!(matches!(refused.await?, Updated::Failed(_)));
        anyhow::Ok(())
    };
    patiently("the refusals", asking.with_context(asker.context())).await?;
    worker.stop().await?;

    let failed = [
        "RunWorkflow:FailingWorkflow",
        "RunWorkflow:ResendingWorkflow",
        "RunActivity:refuse",
        "HandleQuery:look",
        "ValidateUpdate:put",
    ];
    let enough = |spans: &[_]| failed.iter().all(|name| has(spans, name));
    let spans = collector().await.trace(&asker.trace_id(), enough).await?;
    for name in failed {
        let of_name = spans.iter().filter(|span| span.name == name);
        assert!(of_name.clone().any(|span| span.is_error), "{spans:#?}");
    }
    assert!(collector().await.has_seen("FailingWorkflow"));
    assert!(!collector().await.has_seen(TAG));
    Ok(())
}
