//! A peer in Python, whose codec follows Temporal's encryption samples and knows nothing of ours.

use prost::Message;
use sealane_client::{
    payload::from_json,
    workflow::{Ending, Execution, Start, Workflows},
};
use sealane_codec::is_encrypted;
use sealane_service::encryption;
use sealane_tests::{TestWorker, World, orders::patiently, python::Python};
use serde_json::json;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;

/// Found in no history by chance.
const NAME: &str = "Ada-0be6d1c4a957";

/// A Python worker, and our client.
struct Peer {
    world: World,
    workflows: Workflows,
    _worker: sealane_tests::process::Process,
}

impl Peer {
    async fn start() -> anyhow::Result<Self> {
        let python = Python::with_temporal().await?;
        let world = World::new().await;
        let worker = python.start("worker.py", &world)?;
        worker.says("polling").await?;
        let codec = encryption::codec(&world.settings().encryption).await?;
        let workflows = Workflows::new(world.client().await, codec);
        Ok(Self {
            world,
            workflows,
            _worker: worker,
        })
    }

    /// Runs `PeerWorkflow`, which goes on with the signal `note`.
    async fn run(&self, note: &str) -> anyhow::Result<(Execution, Ending)> {
        let start = Start {
            workflow_type: "PeerWorkflow".to_owned(),
            workflow_id: self.world.id(note),
            task_queue: self.world.task_queue().to_owned(),
            input: vec![from_json(&json!(NAME))],
            ..Start::default()
        };
        let execution = self.workflows.start(start).await?.execution();
        let say = vec![from_json(&json!(note))];
        self.workflows.signal(&execution, "note", say).await?;
        let outcome = patiently("the peer", self.workflows.outcome(&execution)).await?;
        Ok((execution, outcome.ending))
    }
}

#[tokio::test]
async fn a_python_client_reads_the_result_of_our_workflow() -> anyhow::Result<()> {
    let python = Python::with_temporal().await?;
    let world = World::new().await;
    let worker = TestWorker::of_flows(world.settings());

    let id = world.id("greeting");
    let arguments = ["GreetingWorkflow", &id];
    let ended = python
        .run("client.py", &arguments, &json!(NAME), &world)
        .await?;

    let greeting = format!("Final result: Processed: Hello, {NAME}!");
    assert_eq!(ended, json!({ "result": greeting }));
    worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn a_python_client_reads_why_our_workflow_failed() -> anyhow::Result<()> {
    let python = Python::with_temporal().await?;
    let world = World::new().await;
    let worker = TestWorker::of_flows(world.settings());
    let mut order = serde_json::to_value(sealane_tests::orders::order(NAME, &["tea"]))?;
    order["amount"] = json!(0);

    let id = world.id("order");
    let arguments = ["OrderWorkflow", &id];
    let ended = python.run("client.py", &arguments, &order, &world).await?;

    let failure = ended["failure"].as_str().unwrap_or_default();
    assert!(failure.contains(NAME), "{ended}");
    assert_eq!(ended["type"], "InvalidOrder", "{ended}");
    worker.stop().await?;
    Ok(())
}

#[tokio::test]
async fn our_client_reads_the_result_of_a_python_workflow() -> anyhow::Result<()> {
    let peer = Peer::start().await?;

    let (execution, ending) = peer.run("well").await?;

    assert_eq!(ending, Ending::Completed(json!(format!("{NAME} is well"))));
    let noted = peer.workflows.query(&execution, "noted", Vec::new());
    assert_eq!(patiently("the query", noted).await?, json!("well"));
    Ok(())
}

#[tokio::test]
async fn our_client_reads_why_a_python_workflow_failed() -> anyhow::Result<()> {
    let peer = Peer::start().await?;

    let (execution, ending) = peer.run("missing").await?;

    let Ending::Failed(report) = ending else {
        panic!("ended as {ending:?}");
    };
    assert_eq!(report.message, format!("nobody knows {NAME}"));
    assert_eq!(report.kind.as_deref(), Some("Missing"));
    assert_eq!(report.details, [json!([NAME])]);
    assert!(report.stack_trace.contains("peer.py"), "{report:?}");
    assert_nothing_is_readable(&peer, &execution).await
}

/// Fails if the server was told anything about the name.
async fn assert_nothing_is_readable(peer: &Peer, execution: &Execution) -> anyhow::Result<()> {
    let history = peer.workflows.encrypted_history(execution).await?;
    let mut failures = 0;
    for event in &history.events {
        if let Some(Attributes::WorkflowExecutionFailedEventAttributes(failed)) = &event.attributes
        {
            let failure = failed.failure.as_ref().expect("a failure");
            assert_eq!(failure.message, "Encoded failure");
            assert!(
                failure
                    .encoded_attributes
                    .as_ref()
                    .is_some_and(is_encrypted)
            );
            failures += 1;
        }
    }
    assert_eq!(failures, 1);
    let bytes = history.encode_to_vec();
    let mut windows = bytes.windows(NAME.len());
    assert!(!windows.any(|window| window == NAME.as_bytes()));
    Ok(())
}
