//! Worker versioning, as the Temporal worker controller turns it on.

use sealane_client::handles::Greeting;
use sealane_tests::{TestWorker, World, orders::patiently};
use temporalio_client::{NamespacedClient, WorkflowStartOptions, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::workflowservice::v1::SetWorkerDeploymentCurrentVersionRequest;
use tonic::IntoRequest;

#[tokio::test]
async fn a_versioned_worker_gets_work_once_its_version_is_current() -> anyhow::Result<()> {
    let mut world = World::new().await;
    let deployment = world.id("deployment");
    world.set("TEMPORAL_DEPLOYMENT_NAME", &deployment);
    world.set("TEMPORAL_WORKER_BUILD_ID", "build-1");
    let worker = TestWorker::of_flows(world.settings());
    let mut client = world.client().await;
    let options = WorkflowStartOptions::new(world.task_queue(), world.id("versioned")).build();
    let greeting = Greeting::start(&client, "Ada".to_owned(), options).await?;

    // The server knows the version only after its first poll, and refuses until then.
    let request = SetWorkerDeploymentCurrentVersionRequest {
        namespace: client.namespace(),
        deployment_name: deployment,
        build_id: "build-1".to_owned(),
        ..SetWorkerDeploymentCurrentVersionRequest::default()
    };
    let accepted = async {
        while client
            .set_worker_deployment_current_version(request.clone().into_request())
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    };
    patiently("the version", accepted).await;

    assert_eq!(
        patiently("the greeting", greeting.result()).await?,
        "Final result: Processed: Hello, Ada!"
    );
    worker.stop().await?;
    Ok(())
}
