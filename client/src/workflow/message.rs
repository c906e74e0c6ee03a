//! Signals, queries, cancellation and termination.

use std::time::Duration;

use serde_json::Value;
use temporalio_client::grpc::WorkflowService;
use temporalio_common::protos::temporal::api::{
    common::v1::{Payload, Payloads},
    query::v1::WorkflowQuery,
    workflowservice::v1::{
        QueryWorkflowRequest, RequestCancelWorkflowExecutionRequest,
        SignalWorkflowExecutionRequest, TerminateWorkflowExecutionRequest,
    },
};
use tokio::time::timeout;
use tonic::{IntoRequest, Status};
use uuid::Uuid;

use super::{Execution, Workflows};
use crate::call::CallError;

/// How long a worker may take to answer a query. It has to load the history of the workflow first,
/// but is not supposed to wait for anything.
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

/// How much later the server gives up. If both did at once, its end of the stream could look like a
/// broken connection.
const QUERY_GRACE: Duration = Duration::from_secs(5);

impl Workflows {
    /// Sends a signal. The server accepts any name; whether the workflow knows it shows only there.
    ///
    /// # Errors
    ///
    /// [`CallError::WorkflowNotFound`] or [`CallError::Ended`], otherwise what the connection or
    /// the server objects to.
    pub async fn signal(
        &self,
        execution: &Execution,
        name: &str,
        input: Vec<Payload>,
    ) -> Result<(), CallError> {
        let mut request = SignalWorkflowExecutionRequest {
            namespace: self.namespace(),
            identity: self.identity(),
            // Retries of this request signal once.
            request_id: Uuid::new_v4().to_string(),
            workflow_execution: Some(execution.to_proto()),
            signal_name: name.to_owned(),
            input: Some(Payloads { payloads: input }),
            ..SignalWorkflowExecutionRequest::default()
        };
        self.seal(&mut request).await?;
        self.call(execution, request, |client, it| {
            client.signal_workflow_execution(it)
        })
        .await?;
        Ok(())
    }

    /// Asks a query and returns the answer. Works on ended workflows too, given a worker.
    ///
    /// # Errors
    ///
    /// [`CallError::QueryFailed`] with the worker's words, also for a name the workflow does not
    /// know; [`CallError::NoWorker`]; otherwise as for [`signal`](Self::signal).
    pub async fn query(
        &self,
        execution: &Execution,
        name: &str,
        input: Vec<Payload>,
    ) -> Result<Value, CallError> {
        let mut request = QueryWorkflowRequest {
            namespace: self.namespace(),
            execution: Some(execution.to_proto()),
            query: Some(WorkflowQuery {
                query_type: name.to_owned(),
                query_args: Some(Payloads { payloads: input }),
                header: None,
            }),
            ..QueryWorkflowRequest::default()
        };
        self.seal(&mut request).await?;
        let mut request = request.into_request();
        request.set_timeout(QUERY_TIMEOUT + QUERY_GRACE);
        let mut client = self.client.clone();
        let answer = timeout(QUERY_TIMEOUT, client.query_workflow(request)).await;
        match answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("time is up"))) {
            Ok(answer) => Ok(self
                .decoder
                .result(answer.into_inner().query_result)
                .await?),
            Err(status) => Err(CallError::of_query(&self.decoder, name, status, |status| {
                CallError::of_workflow(&self.namespace(), &execution.workflow_id, status)
            })
            .await),
        }
    }

    /// Requests cancellation; the workflow decides what to do about it.
    ///
    /// `reason` is stored in plaintext.
    ///
    /// # Errors
    ///
    /// As for [`signal`](Self::signal).
    pub async fn cancel(&self, execution: &Execution, reason: &str) -> Result<(), CallError> {
        let request = RequestCancelWorkflowExecutionRequest {
            namespace: self.namespace(),
            identity: self.identity(),
            request_id: Uuid::new_v4().to_string(),
            workflow_execution: Some(execution.to_proto()),
            reason: reason.to_owned(),
            ..RequestCancelWorkflowExecutionRequest::default()
        };
        self.call(execution, request, |client, it| {
            client.request_cancel_workflow_execution(it)
        })
        .await?;
        Ok(())
    }

    /// Ends the workflow at once, without running any more of its code.
    ///
    /// `reason` is stored in plaintext.
    ///
    /// # Errors
    ///
    /// As for [`signal`](Self::signal).
    pub async fn terminate(&self, execution: &Execution, reason: &str) -> Result<(), CallError> {
        let request = TerminateWorkflowExecutionRequest {
            namespace: self.namespace(),
            identity: self.identity(),
            workflow_execution: Some(execution.to_proto()),
            reason: reason.to_owned(),
            ..TerminateWorkflowExecutionRequest::default()
        };
        self.call(execution, request, |client, it| {
            client.terminate_workflow_execution(it)
        })
        .await?;
        Ok(())
    }
}
