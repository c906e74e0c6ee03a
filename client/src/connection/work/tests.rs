use std::{future::ready, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use prost::Message;
use temporalio_client::callback_based::GrpcSuccessResponse;
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    PollActivityTaskQueueResponse, PollWorkflowTaskQueueResponse,
    RespondWorkflowTaskCompletedRequest, RespondWorkflowTaskCompletedResponse,
    RespondWorkflowTaskFailedRequest,
};
use tonic::Status;

use super::{LONGEST_TASK, Work};

const SECOND: Duration = Duration::from_secs(1);

/// Sends `request` over a connection that answers with `answer`.
async fn send(work: &Work, rpc: &str, request: Vec<u8>, answer: Result<Vec<u8>, Status>) {
    let answer = answer.map(|proto| GrpcSuccessResponse {
        headers: HeaderMap::new(),
        proto,
    });
    let request = Bytes::from(request);
    work.observe(rpc, &request, ready(answer)).await.ok();
}

async fn polled(work: &Work, task: &'static str) {
    let answer = PollWorkflowTaskQueueResponse {
        task_token: task.into(),
        attempt: 3,
        ..Default::default()
    };
    let answer = Ok(answer.encode_to_vec());
    send(work, "PollWorkflowTaskQueue", Vec::new(), answer).await;
}

async fn completed(work: &Work, task: &str, answer: Result<Vec<u8>, Status>) {
    let request = RespondWorkflowTaskCompletedRequest {
        task_token: task.into(),
        identity: "worker".to_owned(),
        ..Default::default()
    };
    let rpc = "RespondWorkflowTaskCompleted";
    send(work, rpc, request.encode_to_vec(), answer).await;
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_brings_nothing_is_no_work() {
    let work = Work::default();
    tokio::time::advance(5 * SECOND).await;

    polled(&work, "").await;
    send(&work, "PollActivityTaskQueue", Vec::new(), Ok(Vec::new())).await;
    let refused = Err(Status::unavailable("gone"));
    send(&work, "PollWorkflowTaskQueue", Vec::new(), refused).await;

    assert_eq!(work.quiet_for(), Some(5 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_workflow_task_is_in_hand_until_it_is_answered() {
    let work = Work::default();
    polled(&work, "one").await;
    polled(&work, "two").await;
    tokio::time::advance(5 * SECOND).await;

    completed(&work, "one", Ok(Vec::new())).await;
    assert_eq!(work.quiet_for(), None);
    let failed = RespondWorkflowTaskFailedRequest {
        task_token: "two".into(),
        ..Default::default()
    };
    let failed = failed.encode_to_vec();
    send(&work, "RespondWorkflowTaskFailed", failed, Ok(Vec::new())).await;

    assert_eq!(work.quiet_for(), Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_comes_with_the_answer_to_another_is_in_hand() {
    let work = Work::default();
    polled(&work, "one").await;

    let next = PollWorkflowTaskQueueResponse {
        task_token: "two".into(),
        ..Default::default()
    };
    let answer = RespondWorkflowTaskCompletedResponse {
        workflow_task: Some(next),
        ..Default::default()
    };
    completed(&work, "one", Ok(answer.encode_to_vec())).await;

    assert_eq!(work.quiet_for(), None);
    completed(&work, "two", Ok(Vec::new())).await;
    assert_eq!(work.quiet_for(), Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_did_not_get_through_keeps_its_task_in_hand() {
    let work = Work::default();
    polled(&work, "one").await;

    completed(&work, "one", Err(Status::unavailable("gone"))).await;
    assert_eq!(work.quiet_for(), None);

    completed(&work, "one", Err(Status::not_found("timed out"))).await;
    assert_eq!(work.quiet_for(), Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_nobody_answers_is_given_up_when_the_server_has_given_it_to_another() {
    let work = Work::default();
    polled(&work, "one").await;

    tokio::time::advance(LONGEST_TASK - SECOND).await;
    assert_eq!(work.quiet_for(), None);

    tokio::time::advance(SECOND).await;
    assert_eq!(work.quiet_for(), Some(LONGEST_TASK));
}

#[tokio::test(start_paused = true)]
async fn an_activity_task_begins_the_wait_anew_and_a_hold_ends_it() {
    let work = Work::default();
    tokio::time::advance(5 * SECOND).await;
    let answer = PollActivityTaskQueueResponse {
        task_token: "one".into(),
        ..Default::default()
    };
    let answer = Ok(answer.encode_to_vec());
    send(&work, "PollActivityTaskQueue", Vec::new(), answer).await;
    assert_eq!(work.quiet_for(), Some(Duration::ZERO));

    let held = work.hold();
    tokio::time::advance(LONGEST_TASK * 10).await;
    assert_eq!(work.quiet_for(), None);
    drop(held);

    assert_eq!(work.quiet_for(), Some(Duration::ZERO));
}
