//! A namespace of a test's own: an audit looks at everybody in it.

use sealane_client::{
    connection::{self, Extras},
    workflow::Workflows,
};
use sealane_tests::{World, orders::patiently};
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::workflowservice::v1::RegisterNamespaceRequest;
use tonic::IntoRequest;

/// Has `world` work in a new namespace.
pub(super) async fn open(world: &mut World) -> anyhow::Result<()> {
    let namespace = world.id("namespace");
    let request = RegisterNamespaceRequest {
        namespace: namespace.clone(),
        workflow_execution_retention_period: Some("86400s".parse()?),
        ..RegisterNamespaceRequest::default()
    };
    let temporal = world.settings().temporal;
    let mut client = connection::connect(&temporal, None, Extras::default()).await?;
    client.register_namespace(request.into_request()).await?;
    world.set("TEMPORAL_NAMESPACE", namespace);
    patiently("the namespace", known(world)).await;
    Ok(())
}

/// The server takes a moment to know its own namespaces.
async fn known(world: &World) {
    let temporal = world.settings().temporal;
    loop {
        let connected = connection::connect(&temporal, None, Extras::default()).await;
        let Ok(client) = connected else { continue };
        if Workflows::new(client, None).list("", 1).await.is_ok() {
            return;
        }
    }
}
