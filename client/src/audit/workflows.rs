//! The workflows of a namespace: their histories, and what waits beside them.

mod run;

use futures_util::{StreamExt, stream};
use temporalio_client::{NamespacedClient, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::{
    common::v1::WorkflowExecution,
    enums::v1::HistoryEventFilterType,
    history::v1::History,
    workflowservice::v1::{
        CountWorkflowExecutionsRequest, DescribeWorkflowExecutionRequest,
        DescribeWorkflowExecutionResponse, GetWorkflowExecutionHistoryRequest,
        ListWorkflowExecutionsRequest,
    },
};
use tonic::{Code, IntoRequest, Status};

use self::run::{End, Run, drop_bookkeeping};
use super::{Audit, AuditError, Needs, Scope, checkpoint::Checkpoint};

/// Most rows the server returns at once.
const PAGE: i32 = 1000;

impl Scope {
    /// Open is what has no end: a workflow that is paused is open and does not run.
    fn filter(&self) -> String {
        match (self.closed, self.query.as_str()) {
            (true, query) => query.to_owned(),
            (false, "") => "CloseTime IS NULL".to_owned(),
            (false, query) => format!("({query}) AND CloseTime IS NULL"),
        }
    }
}

impl Audit {
    /// Returns how many workflows there are, 0 if the server does not say.
    pub(super) async fn count_workflows(&self) -> u64 {
        let request = CountWorkflowExecutionsRequest {
            namespace: self.client.namespace(),
            query: self.options.scope.filter(),
        };
        let mut client = self.client.clone();
        let answer = client.count_workflow_executions(request.into_request());
        let answer = answer.await.map(|it| it.into_inner().count);
        u64::try_from(answer.unwrap_or_default()).unwrap_or_default()
    }

    /// Counts what every workflow needs, and returns how many had ended when they were fetched.
    pub(super) async fn walk_workflows(
        &self,
        checkpoint: &mut Checkpoint,
    ) -> Result<u64, AuditError> {
        let mut ended = 0;
        let mut request = ListWorkflowExecutionsRequest {
            namespace: self.client.namespace(),
            page_size: PAGE,
            query: self.options.scope.filter(),
            ..ListWorkflowExecutionsRequest::default()
        };
        loop {
            let mut client = self.client.clone();
            let answer = client.list_workflow_executions(request.clone().into_request());
            let page = answer.await?.into_inner();
            let runs = page.executions.into_iter().map(Run::from);
            ended += self.fetch_workflows(runs, checkpoint).await?;
            request.next_page_token = page.next_page_token;
            if request.next_page_token.is_empty() {
                return Ok(ended);
            }
        }
    }

    async fn fetch_workflows(
        &self,
        runs: impl Iterator<Item = Run>,
        checkpoint: &mut Checkpoint,
    ) -> Result<u64, AuditError> {
        let (mut ended, mut new) = (0, Vec::new());
        for run in runs {
            if checkpoint.has_workflow(&run.run_id) {
                self.progress.workflow();
            } else {
                new.push(self.workflow(run));
            }
        }
        let mut fetched = stream::iter(new).buffer_unordered(self.options.concurrency.get());
        while let Some(found) = fetched.next().await {
            let (run, needs) = found?;
            match needs {
                Some(needs) => checkpoint.workflow(run.run_id, run.workflow_id, needs),
                None => ended += 1,
            }
            self.progress.workflow();
            checkpoint.save_if_due()?;
        }
        Ok(ended)
    }

    /// Returns what a run needs, `None` if it has ended or is gone.
    ///
    /// A run that was open when it was listed may have been continued since: by itself, by a retry, by
    /// its cron schedule or by a reset. The server copies the memo then, in the latter three cases
    /// everything, so the old ciphertext goes on, and the walk with it.
    async fn workflow(&self, run: Run) -> Result<(Run, Option<Needs>), Status> {
        let closed = self.options.scope.closed;
        let (mut needs, mut run_id) = (Needs::default(), run.run_id.clone());
        loop {
            let execution = WorkflowExecution {
                workflow_id: run.workflow_id.clone(),
                run_id: run_id.clone(),
            };
            let Some((found, end)) = self.fetch(execution).await? else {
                return Ok((run, None));
            };
            if end == End::Open || closed {
                needs.add(&found);
            }
            let next = match end {
                End::Open => return Ok((run, Some(needs))),
                End::Continued(next) if run.open => Some(next),
                End::Closed if run.open => self.reset_to(&run.workflow_id, &run_id).await?,
                _ => None,
            };
            match next {
                Some(next) => run_id = next,
                None => return Ok((run, closed.then_some(needs))),
            }
        }
    }

    /// Returns the open run to which the workflow was reset. The run `from` that was ended for it does
    /// not say so: it ends like one that was terminated.
    async fn reset_to(&self, workflow_id: &str, from: &str) -> Result<Option<String>, Status> {
        let latest = WorkflowExecution {
            workflow_id: workflow_id.to_owned(),
            ..WorkflowExecution::default()
        };
        let described = found(self.describe(latest).await)?.unwrap_or_default();
        let latest = Run::from(described.workflow_execution_info.unwrap_or_default());
        Ok((latest.open && latest.run_id != from).then_some(latest.run_id))
    }

    /// Returns what one run needs and how it stands, `None` if it is gone.
    async fn fetch(&self, execution: WorkflowExecution) -> Result<Option<(Needs, End)>, Status> {
        let mut needs = Needs::default();
        let Some(end) = found(self.count_history(&execution, &mut needs).await)? else {
            return Ok(None);
        };
        // Only after the history: what is pending there is in one of the two at least.
        let described = self.describe(execution).await;
        let Some(mut described) = found(described)? else {
            return Ok(None);
        };
        needs.count(&mut described).await;
        Ok(Some((needs, end)))
    }

    /// Counts a history page by page, since it can be larger than what fits in memory many times.
    async fn count_history(
        &self,
        execution: &WorkflowExecution,
        needs: &mut Needs,
    ) -> Result<End, Status> {
        let mut end = End::Open;
        let mut request = GetWorkflowExecutionHistoryRequest {
            namespace: self.client.namespace(),
            execution: Some(execution.clone()),
            history_event_filter_type: HistoryEventFilterType::AllEvent.into(),
            ..GetWorkflowExecutionHistoryRequest::default()
        };
        loop {
            let mut client = self.client.clone();
            let answer = client.get_workflow_execution_history(request.clone().into_request());
            let page = answer.await?.into_inner();
            let mut history: History = page.history.unwrap_or_default();
            history.events.iter_mut().for_each(drop_bookkeeping);
            needs.count(&mut history).await;
            end = history.events.last().map_or(end, End::after);
            request.next_page_token = page.next_page_token;
            if request.next_page_token.is_empty() {
                return Ok(end);
            }
        }
    }

    async fn describe(
        &self,
        execution: WorkflowExecution,
    ) -> Result<DescribeWorkflowExecutionResponse, Status> {
        let request = DescribeWorkflowExecutionRequest {
            namespace: self.client.namespace(),
            execution: Some(execution),
        };
        let mut client = self.client.clone();
        let answer = client.describe_workflow_execution(request.into_request());
        Ok(answer.await?.into_inner())
    }

    /// Counts the last event of the latest run of a workflow, which holds its result or failure.
    /// Returns `false` if the server does not have it any more.
    pub(super) async fn count_outcome(
        &self,
        workflow_id: &str,
        needs: &mut Needs,
    ) -> Result<bool, Status> {
        let execution = WorkflowExecution {
            workflow_id: workflow_id.to_owned(),
            ..WorkflowExecution::default()
        };
        let request = GetWorkflowExecutionHistoryRequest {
            namespace: self.client.namespace(),
            execution: Some(execution),
            history_event_filter_type: HistoryEventFilterType::CloseEvent.into(),
            ..GetWorkflowExecutionHistoryRequest::default()
        };
        let mut client = self.client.clone();
        let answer = client.get_workflow_execution_history(request.into_request());
        let Some(answer) = found(answer.await)? else {
            return Ok(false);
        };
        needs
            .count(&mut answer.into_inner().history.unwrap_or_default())
            .await;
        Ok(true)
    }
}

/// What is not there any more has ended, which is no error.
pub(super) fn found<T>(answer: Result<T, Status>) -> Result<Option<T>, Status> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn a_query_is_narrowed_to_open_workflows_unless_closed_ones_are_asked_for() {
        let scope = |query: &str, closed| Scope {
            query: query.to_owned(),
            closed,
        };

        assert_eq!(scope("", false).filter(), "CloseTime IS NULL");
        assert_eq!(
            scope("A = 1 OR B = 2", false).filter(),
            "(A = 1 OR B = 2) AND CloseTime IS NULL"
        );
        assert_eq!(scope("A = 1", true).filter(), "A = 1");
        assert_eq!(scope("", true).filter(), "");
    }
}
