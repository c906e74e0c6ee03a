//! Who polls the task queue.

use std::time::{Duration, SystemTime};

use sealane_service::{exit, settings::Temporal};
use temporalio_client::{Client, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::{
    enums::v1::TaskQueueType,
    taskqueue::v1::{PollerInfo, TaskQueue},
    workflowservice::v1::DescribeTaskQueueRequest,
};
use tonic::IntoRequest;

use super::{Examined, Finding, LIMIT, clock::Reading, remedy, temporal, within};
use crate::call::CallError;

pub(super) const WORKFLOW: &str = "pollers-workflow";
pub(super) const ACTIVITY: &str = "pollers-activity";

/// A poll that finds no task lasts a minute, and then the next begins. The server remembers
/// pollers for five minutes.
const RECENT: Duration = Duration::from_mins(2);

/// Adds a finding for each kind of task, and what the server's clock says.
pub(super) async fn examine(settings: &Temporal, client: Option<Client>, examined: &mut Examined) {
    for (check, kind) in [
        (WORKFLOW, TaskQueueType::Workflow),
        (ACTIVITY, TaskQueueType::Activity),
    ] {
        let Some(client) = &client else {
            examined
                .findings
                .push(Finding::needs(check, temporal::NAMESPACE));
            continue;
        };
        let described = within(describe(settings, client.clone(), kind)).await;
        let finding = match described {
            Some(Ok(pollers)) => {
                let now = SystemTime::now();
                let newest = newest(&pollers);
                let reading =
                    newest.and_then(|at| Reading::of_past("the Temporal server", at, now));
                examined.readings.extend(reading);
                judge(check, &settings.task_queue, pollers.len(), newest, now)
            }
            Some(Err(error)) => failed(check, error.to_string()),
            None => failed(
                check,
                format!("the server does not answer within {LIMIT:?}"),
            ),
        };
        examined.findings.push(finding);
    }
}

async fn describe(
    settings: &Temporal,
    mut client: Client,
    kind: TaskQueueType,
) -> Result<Vec<PollerInfo>, CallError> {
    let request = DescribeTaskQueueRequest {
        namespace: settings.namespace.clone(),
        task_queue: Some(TaskQueue {
            name: settings.task_queue.clone(),
            ..TaskQueue::default()
        }),
        task_queue_type: kind.into(),
        ..DescribeTaskQueueRequest::default()
    };
    let answer = client.describe_task_queue(request.into_request()).await?;
    Ok(answer.into_inner().pollers)
}

fn failed(check: &'static str, detail: String) -> Finding {
    Finding::fail(check, exit::UNAVAILABLE, detail, remedy::TEMPORAL_SILENT)
}

/// When a poller was last heard of, by the server's clock.
fn newest(pollers: &[PollerInfo]) -> Option<SystemTime> {
    let times = pollers.iter().filter_map(|poller| poller.last_access_time);
    times
        .filter_map(|time| SystemTime::try_from(time).ok())
        .max()
}

/// A queue that nobody polls is a warning: before the first worker starts, it is as it should be.
fn judge(
    check: &'static str,
    queue: &str,
    pollers: usize,
    newest: Option<SystemTime>,
    now: SystemTime,
) -> Finding {
    if pollers == 0 {
        let detail = format!("nobody polls task queue {queue:?}");
        return Finding::warn(check, detail, remedy::NO_POLLERS);
    }
    let age = newest.map(|newest| now.duration_since(newest).unwrap_or_default());
    let age = age.unwrap_or_default();
    let ago = humantime::format_duration(Duration::from_secs(age.as_secs()));
    let detail = format!("{pollers} on task queue {queue:?}, the latest poll was {ago} ago");
    if age > RECENT {
        return Finding::warn(check, detail, remedy::OLD_POLLERS);
    }
    Finding::pass(check, detail)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{WORKFLOW, judge};
    use crate::doctor::Status;

    #[test]
    fn pollers_count_while_their_polls_are_recent() {
        let now = SystemTime::now();
        let status = |pollers, age| {
            let newest = now.checked_sub(Duration::from_secs(age));
            judge(WORKFLOW, "q", pollers, newest, now).status
        };

        assert_eq!(status(0, 0), Status::Warn);
        assert_eq!(status(1, 0), Status::Pass);
        assert_eq!(status(1, 119), Status::Pass);
        assert_eq!(status(3, 121), Status::Warn);
    }
}
