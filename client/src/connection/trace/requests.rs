//! The requests that are traced: how their spans are named, and where they carry context.
//!
//! Names and attributes are those of the SDK's plugin, so that traces look the same whichever way a
//! request was made.

use opentelemetry::KeyValue;
use temporalio_common::protos::temporal::api::{
    common::v1::{Header, WorkflowExecution, WorkflowType},
    update::v1::Request as UpdateRequest,
    workflowservice::v1::{
        DescribeWorkflowExecutionRequest, ExecuteMultiOperationRequest, QueryWorkflowRequest,
        RequestCancelWorkflowExecutionRequest, SignalWithStartWorkflowExecutionRequest,
        SignalWorkflowExecutionRequest, StartWorkflowExecutionRequest,
        TerminateWorkflowExecutionRequest, UpdateWorkflowExecutionRequest,
        execute_multi_operation_request::operation::Operation,
    },
};

/// A request that starts or talks to one workflow.
pub(super) trait Traced {
    /// What the span is called: the operation, and the name of what is started or sent.
    fn span_name(&self) -> String;

    /// What the span says about the workflow.
    fn attributes(&self) -> Vec<KeyValue>;

    /// Where context goes, made where missing. Requests that run no workflow code have no place.
    fn headers(&mut self) -> Vec<&mut Option<Header>> {
        Vec::new()
    }
}

impl Traced for StartWorkflowExecutionRequest {
    fn span_name(&self) -> String {
        format!("StartWorkflow:{}", type_name(self.workflow_type.as_ref()))
    }

    fn attributes(&self) -> Vec<KeyValue> {
        of_id(&self.workflow_id)
    }

    fn headers(&mut self) -> Vec<&mut Option<Header>> {
        vec![&mut self.header]
    }
}

impl Traced for SignalWithStartWorkflowExecutionRequest {
    fn span_name(&self) -> String {
        let name = type_name(self.workflow_type.as_ref());
        format!("SignalWithStartWorkflow:{name}")
    }

    fn attributes(&self) -> Vec<KeyValue> {
        of_id(&self.workflow_id)
    }

    fn headers(&mut self) -> Vec<&mut Option<Header>> {
        vec![&mut self.header]
    }
}

/// An update together with the start of its workflow.
impl Traced for ExecuteMultiOperationRequest {
    fn span_name(&self) -> String {
        let name = start(self).map(|start| type_name(start.workflow_type.as_ref()));
        format!("UpdateWithStartWorkflow:{}", name.unwrap_or_default())
    }

    fn attributes(&self) -> Vec<KeyValue> {
        start(self).map_or_else(Vec::new, |start| of_id(&start.workflow_id))
    }

    fn headers(&mut self) -> Vec<&mut Option<Header>> {
        let operations = self.operations.iter_mut();
        operations
            .filter_map(|operation| match operation.operation.as_mut()? {
                Operation::StartWorkflow(start) => Some(&mut start.header),
                Operation::UpdateWorkflow(update) => update_header(update.request.as_mut()),
            })
            .collect()
    }
}

impl Traced for SignalWorkflowExecutionRequest {
    fn span_name(&self) -> String {
        format!("SignalWorkflow:{}", self.signal_name)
    }

    fn attributes(&self) -> Vec<KeyValue> {
        of(self.workflow_execution.as_ref())
    }

    fn headers(&mut self) -> Vec<&mut Option<Header>> {
        vec![&mut self.header]
    }
}

impl Traced for QueryWorkflowRequest {
    fn span_name(&self) -> String {
        let name = self.query.as_ref().map(|query| query.query_type.as_str());
        format!("QueryWorkflow:{}", name.unwrap_or_default())
    }

    fn attributes(&self) -> Vec<KeyValue> {
        of(self.execution.as_ref())
    }

    fn headers(&mut self) -> Vec<&mut Option<Header>> {
        let query = self.query.iter_mut();
        query.map(|query| &mut query.header).collect()
    }
}

impl Traced for UpdateWorkflowExecutionRequest {
    fn span_name(&self) -> String {
        let input = self.request.as_ref().and_then(|it| it.input.as_ref());
        let name = input.map(|input| input.name.as_str());
        format!("StartWorkflowUpdate:{}", name.unwrap_or_default())
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let mut attributes = of(self.workflow_execution.as_ref());
        let meta = self.request.as_ref().and_then(|it| it.meta.as_ref());
        attributes
            .extend(meta.map(|meta| KeyValue::new("temporalUpdateID", meta.update_id.clone())));
        attributes
    }

    fn headers(&mut self) -> Vec<&mut Option<Header>> {
        update_header(self.request.as_mut()).into_iter().collect()
    }
}

impl Traced for DescribeWorkflowExecutionRequest {
    fn span_name(&self) -> String {
        "DescribeWorkflow".to_owned()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        of(self.execution.as_ref())
    }
}

impl Traced for RequestCancelWorkflowExecutionRequest {
    fn span_name(&self) -> String {
        "CancelWorkflow".to_owned()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        of(self.workflow_execution.as_ref())
    }
}

impl Traced for TerminateWorkflowExecutionRequest {
    fn span_name(&self) -> String {
        "TerminateWorkflow".to_owned()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        of(self.workflow_execution.as_ref())
    }
}

fn start(request: &ExecuteMultiOperationRequest) -> Option<&StartWorkflowExecutionRequest> {
    let mut operations = request.operations.iter();
    operations.find_map(|operation| match operation.operation.as_ref()? {
        Operation::StartWorkflow(start) => Some(start),
        Operation::UpdateWorkflow(_) => None,
    })
}

fn update_header(request: Option<&mut UpdateRequest>) -> Option<&mut Option<Header>> {
    Some(&mut request?.input.as_mut()?.header)
}

fn type_name(workflow_type: Option<&WorkflowType>) -> &str {
    workflow_type.map_or("", |it| &it.name)
}

fn of(execution: Option<&WorkflowExecution>) -> Vec<KeyValue> {
    let Some(execution) = execution else {
        return Vec::new();
    };
    let mut attributes = of_id(&execution.workflow_id);
    if !execution.run_id.is_empty() {
        attributes.push(KeyValue::new("temporalRunID", execution.run_id.clone()));
    }
    attributes
}

fn of_id(workflow_id: &str) -> Vec<KeyValue> {
    vec![KeyValue::new("temporalWorkflowID", workflow_id.to_owned())]
}
