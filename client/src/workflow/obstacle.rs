//! Why a workflow makes no progress, as far as the server can tell.

use std::{fmt, mem};

use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    enums::v1::TaskQueueType,
    history::v1::history_event::Attributes,
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{DescribeTaskQueueRequest, GetWorkflowExecutionHistoryReverseRequest},
};

use super::{Description, Execution, Workflows};
use crate::{call::CallError, failure::Report};

/// How many of the latest events are searched for the failure of a workflow task; the server writes
/// the first one and then only counts.
const LATEST_EVENTS: i32 = 20;

/// Why a workflow makes no progress.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Obstacle {
    /// No worker polls its task queue.
    NoWorker {
        /// The task queue.
        task_queue: String,
    },
    /// A worker polls, but fails the workflow task again and again: an unknown workflow type, a
    /// missing key, a change of code that does not replay.
    TaskFails {
        /// Attempts so far.
        attempt: i32,
        /// What the worker says.
        failure: Option<Report>,
    },
    /// An activity fails and is retried.
    ActivityFails {
        /// Name of the activity type.
        activity_type: String,
        /// The attempt that is due or running.
        attempt: i32,
        /// Why the last attempt failed.
        failure: Option<Report>,
    },
}

impl Obstacle {
    /// Whether this is the same trouble as `earlier`, perhaps some attempts later.
    pub fn is_still(&self, earlier: &Self) -> bool {
        mem::discriminant(self) == mem::discriminant(earlier) && self.failure() == earlier.failure()
    }

    fn failure(&self) -> Option<&Report> {
        match self {
            Self::NoWorker { .. } => None,
            Self::TaskFails { failure, .. } | Self::ActivityFails { failure, .. } => {
                failure.as_ref()
            }
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorker { task_queue } => write!(f, "no worker polls task queue {task_queue:?}"),
            Self::TaskFails { attempt, .. } => {
                write!(f, "the worker fails its workflow task, attempt {attempt}")
            }
            Self::ActivityFails {
                activity_type,
                attempt,
                ..
            } => write!(f, "activity {activity_type} fails, attempt {attempt}"),
        }?;
        let Some(failure) = self.failure() else {
            return Ok(());
        };
        write!(f, ": {failure}")?;
        // The Rust SDK drops the reason, for which there is one in practice.
        if failure.message.starts_with("Failed to create workflow") {
            f.write_str("; most often, the input does not fit the workflow's argument")?;
        }
        Ok(())
    }
}

impl Workflows {
    /// Returns what keeps a workflow from making progress, if the server knows of anything.
    ///
    /// # Errors
    ///
    /// As for [`describe`](Self::describe).
    pub async fn obstacle(&self, execution: &Execution) -> Result<Option<Obstacle>, CallError> {
        let (description, _) = self.describe(execution).await?;
        if !self.has_pollers(execution, &description.task_queue).await? {
            return Ok(Some(Obstacle::NoWorker {
                task_queue: description.task_queue,
            }));
        }
        if let Some(attempt) = description
            .workflow_task_attempt
            .filter(|attempt| *attempt > 1)
        {
            let failure = self.task_failure(execution).await?;
            return Ok(Some(Obstacle::TaskFails { attempt, failure }));
        }
        Ok(failing_activity(description))
    }

    /// The server remembers a poller for five minutes after it has gone.
    async fn has_pollers(&self, execution: &Execution, name: &str) -> Result<bool, CallError> {
        let request = DescribeTaskQueueRequest {
            namespace: self.namespace(),
            task_queue: Some(TaskQueue {
                name: name.to_owned(),
                ..TaskQueue::default()
            }),
            task_queue_type: TaskQueueType::Workflow.into(),
            ..DescribeTaskQueueRequest::default()
        };
        let answer = self
            .call(execution, request, |client, it| {
                client.describe_task_queue(it)
            })
            .await?;
        Ok(!answer.pollers.is_empty())
    }

    async fn task_failure(&self, execution: &Execution) -> Result<Option<Report>, CallError> {
        let request = GetWorkflowExecutionHistoryReverseRequest {
            namespace: self.namespace(),
            execution: Some(execution.to_proto()),
            maximum_page_size: LATEST_EVENTS,
            ..GetWorkflowExecutionHistoryReverseRequest::default()
        };
        let answer = self
            .call(execution, request, |client, it| {
                client.get_workflow_execution_history_reverse(it)
            })
            .await?;
        let events = answer.history.unwrap_or_default().events;
        let failure = events.into_iter().find_map(|event| match event.attributes {
            Some(Attributes::WorkflowTaskFailedEventAttributes(it)) => it.failure,
            _ => None,
        });
        Ok(match failure {
            Some(failure) => Some(self.decoder.failure_or_reason(failure).await),
            None => None,
        })
    }
}

fn failing_activity(description: Description) -> Option<Obstacle> {
    let mut activities = description.pending_activities.into_iter();
    let failing = activities.find(|it| it.last_failure.is_some())?;
    Some(Obstacle::ActivityFails {
        activity_type: failing.activity_type,
        attempt: failing.attempt,
        failure: failing.last_failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(attempt: i32, message: &str) -> Obstacle {
        let failure = Some(Report {
            message: message.to_owned(),
            ..Report::default()
        });
        Obstacle::TaskFails { attempt, failure }
    }

    #[test]
    fn a_later_attempt_is_the_same_trouble_and_another_failure_is_not() {
        let first = failing(2, "no such type");

        assert!(failing(3, "no such type").is_still(&first));
        assert!(!failing(3, "no such key").is_still(&first));
    }

    #[test]
    fn an_obstacle_says_what_fails_and_why() {
        assert_eq!(
            failing(2, "no such type").to_string(),
            "the worker fails its workflow task, attempt 2: no such type"
        );
    }
}
