//! gRPC messages that are compressed, and a server that does not know that.

use std::sync::{Arc, Mutex};

use sealane_client::{
    connection::{self, Extras},
    payload::from_json,
    workflow::{Start, Workflows},
};
use sealane_tests::{
    World,
    frontend::{self, Answer},
    orders::patiently,
};
use serde_json::json;
use temporalio_client::{RetryOptions, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::{
    history::v1::history_event::Attributes,
    workflowservice::v1::{DescribeNamespaceRequest, GetSystemInfoRequest},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tonic::{Code, IntoRequest};

/// Repeats itself, so that it is small when compressed.
const TEXT: usize = 300_000;

/// Lets one connection through to `target`. Returns where it listens, and what will tell how many bytes went there and back.
async fn counted(target: &str) -> anyhow::Result<(String, oneshot::Receiver<(u64, u64)>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?.to_string();
    let (tell, told) = oneshot::channel();
    let target = target.to_owned();
    tokio::spawn(async move {
        let (mut near, _) = listener.accept().await?;
        let mut far = TcpStream::connect(target).await?;
        let counts = copy_bidirectional(&mut near, &mut far).await?;
        tell.send(counts).ok();
        std::io::Result::Ok(())
    });
    Ok((address, told))
}

/// Returns how many bytes it takes to start a workflow with a text, and to read it again.
async fn traffic(compression: &str) -> anyhow::Result<(u64, u64)> {
    let mut world = World::new().await;
    let (address, told) = counted(&world.settings().temporal.address).await?;
    world
        .set("TEMPORAL_ADDRESS", address)
        .set("SEALANE_GRPC_COMPRESSION", compression)
        .set("SEALANE_ENCRYPTION", "off")
        .set("SEALANE_KEY_FILE", "");
    let client = connection::connect(&world.settings().temporal, None, Extras::default()).await?;
    let workflows = Workflows::new(client, None);
    let text = "a".repeat(TEXT);
    let start = Start {
        workflow_type: "Idle".to_owned(),
        workflow_id: world.id("idle"),
        task_queue: world.task_queue().to_owned(),
        input: vec![from_json(&json!(text))],
        ..Start::default()
    };

    let execution = workflows.start(start).await?.execution();
    let history = workflows.encrypted_history(&execution).await?;
    drop(workflows);

    let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) =
        &history.events[0].attributes
    else {
        panic!("{:?}", history.events[0]);
    };
    let input = started.input.as_ref().map(|it| it.payloads[0].data.len());
    assert!(input > Some(TEXT), "{input:?}");
    Ok(patiently("the end of the connection", told).await?)
}

#[tokio::test]
async fn requests_and_answers_are_compressed_if_wanted() -> anyhow::Result<()> {
    let (there, back) = traffic("gzip").await?;
    let (all_there, all_back) = traffic("auto").await?;

    let text = TEXT as u64;
    assert!(
        all_there > text && all_back > text,
        "{all_there} {all_back}"
    );
    assert!(there < text / 4 && back < text / 4, "{there} {back}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_cannot_unpack_is_asked_again_without() -> anyhow::Result<()> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let server = frontend::start(Answer::Unpacked("1.32.0", Arc::clone(&seen))).await?;
    let mut world = World::new().await;
    world
        .set("TEMPORAL_ADDRESS", server.to_string())
        .set("SEALANE_GRPC_COMPRESSION", "gzip");

    let settings = world.settings().temporal;
    let mut client = connection::connect(&settings, None, Extras::default()).await?;
    let request = GetSystemInfoRequest::default().into_request();
    client.get_system_info(request).await?;

    let seen = seen.lock().unwrap();
    assert!(seen[0] && seen.len() > 2, "{seen:?}");
    assert!(seen[1..].iter().all(|packed| !packed), "{seen:?}");
    Ok(())
}

/// The SDK goes by the status: whether it tries again, and when.
#[tokio::test]
async fn a_server_that_is_busy_is_busy_also_if_it_compresses() -> anyhow::Result<()> {
    let server = frontend::start(Answer::Busy("1.32.0")).await?;
    let mut world = World::new().await;
    world
        .set("TEMPORAL_ADDRESS", server.to_string())
        .set("SEALANE_GRPC_COMPRESSION", "gzip");
    let extras = Extras {
        retries: RetryOptions::no_retries(),
        ..Extras::default()
    };

    let settings = world.settings().temporal;
    let mut client = connection::connect(&settings, None, extras).await?;
    let request = DescribeNamespaceRequest::default().into_request();
    let status = client.describe_namespace(request).await.unwrap_err();

    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert_eq!(status.message(), "busy");
    Ok(())
}
