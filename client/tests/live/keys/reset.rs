//! Workflows that are reset while `sealane keys audit` walks past them.

use std::num::NonZeroUsize;

use futures_util::{FutureExt, pin_mut};
use sealane_client::audit::{Audit, AuditOptions, Scope};
use temporalio_client::{Client, NamespacedClient, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::{
    common::v1::WorkflowExecution,
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{PollWorkflowTaskQueueRequest, ResetWorkflowExecutionRequest},
};
use tonic::IntoRequest;

use super::scene::Scene;

/// The first event of a workflow to which it can be reset: its task was started.
const TASK_STARTED: i64 = 3;

/// Takes the task of one workflow, as a worker does that will not be heard of again.
async fn take_task(client: &Client) -> anyhow::Result<()> {
    let request = PollWorkflowTaskQueueRequest {
        namespace: client.namespace(),
        task_queue: Some(TaskQueue {
            name: "nobody".to_owned(),
            ..TaskQueue::default()
        }),
        ..PollWorkflowTaskQueueRequest::default()
    };
    let mut client = client.clone();
    client
        .poll_workflow_task_queue(request.into_request())
        .await?;
    Ok(())
}

async fn reset(client: &Client, workflow_id: &str, run_id: &str) -> anyhow::Result<()> {
    let request = ResetWorkflowExecutionRequest {
        namespace: client.namespace(),
        workflow_execution: Some(WorkflowExecution {
            workflow_id: workflow_id.to_owned(),
            run_id: run_id.to_owned(),
        }),
        workflow_task_finish_event_id: TASK_STARTED,
        request_id: run_id.to_owned(),
        ..ResetWorkflowExecutionRequest::default()
    };
    let mut client = client.clone();
    client
        .reset_workflow_execution(request.into_request())
        .await?;
    Ok(())
}

/// The walk stands still while nobody polls it, so all but the first two workflows, in whatever order
/// they are listed, are fetched after they were reset.
#[tokio::test]
async fn a_workflow_that_is_reset_during_an_audit_is_not_taken_for_ended() -> anyhow::Result<()> {
    let scene = Scene::open().await?;
    let client = scene.bare_client().await?;
    let mut runs = Vec::new();
    for id in ["one", "two", "three", "four"] {
        runs.push((id, scene.start(id).await));
        take_task(&client).await?;
    }
    scene.audit("", 4, 0).await;

    let options = AuditOptions {
        scope: Scope::default(),
        concurrency: NonZeroUsize::MIN,
        checkpoint: None,
    };
    let audit = Audit::new(client.clone(), options);
    let progress = audit.progress();
    let walk = audit.run();
    pin_mut!(walk);
    while progress.workflows() == 0 {
        assert!((&mut walk).now_or_never().is_none(), "four are to be seen");
        tokio::task::yield_now().await;
    }
    for (id, run_id) in &runs {
        reset(&client, id, run_id).await?;
    }
    let findings = walk.await?;

    assert_eq!((findings.workflows.len(), findings.ended), (4, 0));
    for counted in &findings.workflows {
        let payloads: u64 = counted.needs.iter().map(|(_, payloads)| payloads).sum();
        assert_eq!(payloads, 3, "{counted:?}");
    }
    Ok(())
}
