//! A workflow that continues as new, played without a worker.

use temporalio_client::{Client, NamespacedClient, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::{
    command::v1::{Command, ContinueAsNewWorkflowExecutionCommandAttributes, command::Attributes},
    common::v1::{Memo, Payload, WorkflowType},
    enums::v1::CommandType,
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{PollWorkflowTaskQueueRequest, RespondWorkflowTaskCompletedRequest},
};
use tonic::IntoRequest;

/// Lets the one workflow on `task_queue` continue as new with a memo of its own.
///
/// # Errors
///
/// What the server objects to.
pub(crate) async fn continue_with_a_note(client: &Client, task_queue: &str) -> anyhow::Result<()> {
    let queue = Some(TaskQueue {
        name: task_queue.to_owned(),
        ..TaskQueue::default()
    });
    let request = PollWorkflowTaskQueueRequest {
        namespace: client.namespace(),
        task_queue: queue.clone(),
        ..PollWorkflowTaskQueueRequest::default()
    };
    let mut client = client.clone();
    let task = client.poll_workflow_task_queue(request.into_request());
    let task = task.await?.into_inner();
    let note = Payload {
        metadata: [("encoding".to_owned(), b"json/plain".to_vec())].into(),
        data: b"\"mine\"".to_vec(),
        ..Payload::default()
    };
    let go_on = ContinueAsNewWorkflowExecutionCommandAttributes {
        workflow_type: Some(WorkflowType {
            name: "Idle".to_owned(),
        }),
        task_queue: queue,
        memo: Some(Memo {
            fields: [("note".to_owned(), note)].into(),
        }),
        ..ContinueAsNewWorkflowExecutionCommandAttributes::default()
    };
    let mut command = Command {
        attributes: Some(Attributes::ContinueAsNewWorkflowExecutionCommandAttributes(
            go_on,
        )),
        ..Command::default()
    };
    command.set_command_type(CommandType::ContinueAsNewWorkflowExecution);
    let done = RespondWorkflowTaskCompletedRequest {
        task_token: task.task_token,
        namespace: client.namespace(),
        commands: vec![command],
        ..RespondWorkflowTaskCompletedRequest::default()
    };
    client
        .respond_workflow_task_completed(done.into_request())
        .await?;
    Ok(())
}
