//! The API key: sent with every request, and replaced while connected.

use std::{
    fs,
    sync::{Arc, Mutex},
};

use sealane_client::connection::{self, Extras};
use sealane_tests::{
    World,
    frontend::{self, Answer},
    orders::patiently,
};
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::workflowservice::v1::GetSystemInfoRequest;
use tonic::IntoRequest;

#[tokio::test]
async fn a_key_file_that_changes_is_used_without_a_new_connection() -> anyhow::Result<()> {
    let seen = Arc::new(Mutex::new(String::new()));
    let server = frontend::start(Answer::Witness("1.32.0", Arc::clone(&seen))).await?;
    let mut world = World::new().await;
    let file = world.folder().join("api-key");
    fs::write(&file, "first-key\n")?;
    world.set("TEMPORAL_ADDRESS", server.to_string());
    world.set("TEMPORAL_TLS", "false");
    world.set("TEMPORAL_API_KEY_FILE", file.display().to_string());

    let settings = world.settings().temporal;
    let mut client = connection::connect(&settings, None, Extras::default()).await?;
    assert_eq!(*seen.lock().unwrap(), "Bearer first-key");

    fs::write(&file, "second-key\n")?;
    let replaced = async {
        while *seen.lock().unwrap() != "Bearer second-key" {
            let request = GetSystemInfoRequest::default().into_request();
            client.get_system_info(request).await?;
        }
        anyhow::Ok(())
    };
    patiently("the new key", replaced).await
}
