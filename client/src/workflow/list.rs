//! Finding workflows by their visible attributes.

use serde::Serialize;
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    workflow::v1::WorkflowExecutionInfo, workflowservice::v1::ListWorkflowExecutionsRequest,
};
use tonic::IntoRequest;
use utoipa::ToSchema;

use super::{Execution, Workflows, description::status_name, non_empty, rfc3339};
use crate::call::CallError;

/// Most rows the server returns at once.
const PAGE: usize = 1000;

/// One row of a list. Holds nothing encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// Temporal's name of the status.
    pub status: String,
    /// Id of the workflow.
    pub workflow_id: String,
    /// Name of its type.
    #[serde(rename = "type")]
    pub workflow_type: String,
    /// When the run started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// When the run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_time: Option<String>,
    /// Task queue it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_queue: Option<String>,
    /// Id of the run.
    pub run_id: String,
}

/// The first rows of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows, latest start first unless the query orders them.
    pub rows: Vec<Listed>,
    /// Whether there are more.
    pub more: bool,
}

impl Workflows {
    /// Lists at most `limit` workflows that match `query`, in Temporal's list filter language.
    ///
    /// # Errors
    ///
    /// [`CallError::Rejected`] if the server does not understand the query, otherwise what the
    /// connection or the server objects to.
    pub async fn list(&self, query: &str, limit: usize) -> Result<Page, CallError> {
        let (mut client, mut page) = (self.client.clone(), Page::default());
        let mut request = ListWorkflowExecutionsRequest {
            namespace: self.namespace(),
            query: query.to_owned(),
            ..ListWorkflowExecutionsRequest::default()
        };
        loop {
            // One row more than asked for shows whether there are more.
            let missing = (limit + 1 - page.rows.len()).min(PAGE);
            request.page_size = i32::try_from(missing).unwrap_or(i32::MAX);
            let answer = client.list_workflow_executions(request.clone().into_request());
            let answer = answer.await?.into_inner();
            page.rows
                .extend(answer.executions.into_iter().map(Listed::from));
            request.next_page_token = answer.next_page_token;
            if request.next_page_token.is_empty() || page.rows.len() > limit {
                page.more = page.rows.len() > limit;
                page.rows.truncate(limit);
                return Ok(page);
            }
        }
    }
}

impl Workflows {
    /// Returns one page of the workflows that match `query`, and the token of the next one, if there
    /// is one. `page` is such a token; empty for the first page.
    ///
    /// # Errors
    ///
    /// As for [`list`](Self::list); a token that the server did not give is rejected too.
    pub async fn list_page(
        &self,
        query: &str,
        size: u16,
        page: Vec<u8>,
    ) -> Result<(Vec<Listed>, Vec<u8>), CallError> {
        let request = ListWorkflowExecutionsRequest {
            namespace: self.namespace(),
            query: query.to_owned(),
            page_size: size.into(),
            next_page_token: page,
        };
        let mut client = self.client.clone();
        let answer = client.list_workflow_executions(request.into_request());
        let answer = answer.await?.into_inner();
        let rows = answer.executions.into_iter().map(Listed::from);
        Ok((rows.collect(), answer.next_page_token))
    }

    /// Returns what the list shows of one workflow, but at once: lists lag behind. Decrypts nothing.
    ///
    /// # Errors
    ///
    /// [`CallError::WorkflowNotFound`], or what the connection or the server objects to.
    pub async fn look(&self, execution: &Execution) -> Result<Listed, CallError> {
        let answer = self.described(execution).await?;
        let info = answer.workflow_execution_info.unwrap_or_default();
        Ok(Listed::from(info))
    }
}

impl Listed {
    /// Names the workflow and its run.
    pub fn execution(&self) -> Execution {
        Execution {
            workflow_id: self.workflow_id.clone(),
            run_id: Some(self.run_id.clone()),
        }
    }

    /// Whether the run has not ended.
    pub fn is_running(&self) -> bool {
        matches!(self.status.as_str(), "RUNNING" | "PAUSED")
    }
}

impl From<WorkflowExecutionInfo> for Listed {
    fn from(info: WorkflowExecutionInfo) -> Self {
        let status = status_name(info.status());
        let execution = info.execution.unwrap_or_default();
        Self {
            status,
            workflow_id: execution.workflow_id,
            workflow_type: info.r#type.unwrap_or_default().name,
            start_time: info.start_time.and_then(rfc3339),
            close_time: info.close_time.and_then(rfc3339),
            task_queue: non_empty(info.task_queue),
            run_id: execution.run_id,
        }
    }
}
