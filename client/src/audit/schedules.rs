//! The schedules of a namespace, and the results they hand from one workflow to the next.

use futures_util::{StreamExt, stream};
use temporalio_client::{NamespacedClient, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::{
    enums::v1::WorkflowExecutionStatus,
    schedule::v1::{ScheduleActionResult, ScheduleInfo},
    workflowservice::v1::{DescribeScheduleRequest, ListSchedulesRequest},
};
use tonic::{IntoRequest, Status};

use super::{Audit, AuditError, Needs, checkpoint::Checkpoint, workflows::found};

/// How many schedules one page of a listing holds; the server's own default.
const PAGE: i32 = 1000;

impl Audit {
    /// Counts what every schedule needs.
    pub(super) async fn walk_schedules(
        &self,
        checkpoint: &mut Checkpoint,
    ) -> Result<(), AuditError> {
        let mut request = ListSchedulesRequest {
            namespace: self.client.namespace(),
            maximum_page_size: PAGE,
            ..ListSchedulesRequest::default()
        };
        loop {
            let mut client = self.client.clone();
            let answer =
                WorkflowService::list_schedules(&mut client, request.clone().into_request());
            let page = answer.await?.into_inner();
            let ids = page.schedules.into_iter().map(|entry| entry.schedule_id);
            self.fetch_schedules(ids, checkpoint).await?;
            request.next_page_token = page.next_page_token;
            if request.next_page_token.is_empty() {
                return Ok(());
            }
        }
    }

    async fn fetch_schedules(
        &self,
        ids: impl Iterator<Item = String>,
        checkpoint: &mut Checkpoint,
    ) -> Result<(), AuditError> {
        let mut new = Vec::new();
        for id in ids {
            if checkpoint.has_schedule(&id) {
                self.progress.schedule();
            } else {
                new.push(self.schedule(id));
            }
        }
        let mut fetched = stream::iter(new).buffer_unordered(self.options.concurrency.get());
        while let Some(found) = fetched.next().await {
            let (id, needs) = found?;
            if let Some(needs) = needs {
                checkpoint.schedule(id, needs);
            }
            self.progress.schedule();
            checkpoint.save_if_due()?;
        }
        Ok(())
    }

    /// Returns what a schedule needs, `None` if it is gone.
    async fn schedule(&self, id: String) -> Result<(String, Option<Needs>), Status> {
        let request = DescribeScheduleRequest {
            namespace: self.client.namespace(),
            schedule_id: id.clone(),
        };
        let mut client = self.client.clone();
        let answer = WorkflowService::describe_schedule(&mut client, request.into_request()).await;
        let Some(answer) = found(answer)? else {
            return Ok((id, None));
        };
        let (mut needs, mut stored) = (Needs::default(), answer.into_inner());
        needs.count(&mut stored).await;
        let info = stored.info.unwrap_or_default();
        self.count_handed_on(&info.recent_actions, &mut needs)
            .await?;
        if last_success_is_out_of_sight(&info) {
            needs.hidden();
        }
        Ok((id, Some(needs)))
    }

    /// Counts what the schedule hands to the next workflow it starts: the result of the last one that
    /// completed, and the failure of the last one if it failed.
    ///
    /// The server keeps both, encrypted as the workflow wrote them, and shows neither: so they are
    /// read where they came from.
    async fn count_handed_on(
        &self,
        actions: &[ScheduleActionResult],
        needs: &mut Needs,
    ) -> Result<(), Status> {
        for action in latest_first(actions) {
            let status = action.start_workflow_status();
            if status == WorkflowExecutionStatus::Running {
                continue;
            }
            if let Some(workflow) = &action.start_workflow_result
                && !self.count_outcome(&workflow.workflow_id, needs).await?
            {
                needs.hidden();
            }
            if status == WorkflowExecutionStatus::Completed {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Whether the last result of the schedule may be older than the actions that the server lists, at
/// most ten: it is kept for ever.
fn last_success_is_out_of_sight(info: &ScheduleInfo) -> bool {
    let listed = &info.recent_actions;
    let unlisted = usize::try_from(info.action_count).is_ok_and(|taken| taken > listed.len());
    let succeeded = |action: &ScheduleActionResult| {
        action.start_workflow_status() == WorkflowExecutionStatus::Completed
    };
    unlisted && !listed.iter().any(succeeded)
}

/// The server lists actions in the order in which they were taken.
fn latest_first(actions: &[ScheduleActionResult]) -> impl Iterator<Item = &ScheduleActionResult> {
    actions.iter().rev()
}

#[cfg(test)]
mod tests {
    use super::{
        ScheduleActionResult, ScheduleInfo, WorkflowExecutionStatus, last_success_is_out_of_sight,
    };

    #[test]
    fn a_result_older_than_the_listed_actions_is_not_forgotten() {
        use WorkflowExecutionStatus::{Completed, Failed, Running};
        let out_of_sight = |action_count, listed: &[WorkflowExecutionStatus]| {
            let actions = listed.iter().map(|status| ScheduleActionResult {
                start_workflow_status: (*status).into(),
                ..ScheduleActionResult::default()
            });
            last_success_is_out_of_sight(&ScheduleInfo {
                action_count,
                recent_actions: actions.collect(),
                ..ScheduleInfo::default()
            })
        };

        assert!(out_of_sight(11, &[Failed; 10]));
        assert!(out_of_sight(11, &[Running, Failed]));
        assert!(!out_of_sight(10, &[Failed; 10]), "there is no older one");
        assert!(!out_of_sight(0, &[]));
        assert!(!out_of_sight(11, &[Failed, Completed, Running]));
    }
}
