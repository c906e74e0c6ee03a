//! Starting a workflow at most once, however often that is asked for.

use serde_json::Value;
use temporalio_common::protos::temporal::api::{
    common::v1::Payload,
    enums::v1::{WorkflowIdConflictPolicy, WorkflowIdReusePolicy},
    workflow::v1::WorkflowExecutionInfo,
};

use super::{Execution, Start, Started, Workflows};
use crate::{call::CallError, payload};

/// Note in which a workflow keeps the fingerprint of the request that started it.
pub(crate) const REQUEST_NOTE: &str = "sealane-request";

/// What became of a request to start a workflow at most once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Once {
    /// It started the workflow.
    Started(Started),
    /// The same request did so before. The workflow may have ended since.
    Repeated(Started),
    /// The id belongs to a workflow that another request started.
    Taken,
}

impl Workflows {
    /// Starts a workflow unless one of that id exists, running or ended and not yet forgotten.
    ///
    /// `fingerprint` tells the same request from another one. It is kept in the workflow's memo,
    /// encrypted: the digest of a guessable input would give the input away. The policies of `start`
    /// are overridden.
    ///
    /// # Errors
    ///
    /// [`CallError::Unreadable`] if the fingerprint of the workflow that exists cannot be decrypted,
    /// otherwise what the connection or the server objects to.
    pub async fn start_once(
        &self,
        mut start: Start,
        fingerprint: String,
    ) -> Result<Once, CallError> {
        start.id_conflict_policy = WorkflowIdConflictPolicy::Fail;
        start.id_reuse_policy = WorkflowIdReusePolicy::RejectDuplicate;
        let fingerprint = Value::String(fingerprint);
        let note = payload::from_json(&fingerprint);
        start.memo.insert(REQUEST_NOTE.to_owned(), note);
        match self.start(start).await {
            Ok(started) => Ok(Once::Started(started)),
            Err(CallError::AlreadyStarted { workflow_id, .. }) => {
                self.compare(workflow_id, &fingerprint).await
            }
            Err(error) => Err(error),
        }
    }

    async fn compare(&self, workflow_id: String, fingerprint: &Value) -> Result<Once, CallError> {
        let latest = Execution {
            workflow_id,
            run_id: None,
        };
        let (mut info, mut note) = self.noted(&latest).await?;
        // A retry or a continuation is another run of the same start.
        let run_id = match &info.first_run_id {
            first if first.is_empty() => info.execution.clone().unwrap_or_default().run_id,
            first => first.clone(),
        };
        let first = Execution {
            workflow_id: latest.workflow_id,
            run_id: Some(run_id.clone()),
        };
        if note.is_none() {
            // A continuation with notes of its own has none of ours. The server may have forgotten the first run.
            (info, note) = match self.noted(&first).await {
                Err(CallError::WorkflowNotFound { .. }) => return Ok(Once::Taken),
                noted => noted?,
            };
        }
        let Some(note) = note else {
            return Ok(Once::Taken);
        };
        if self.decoder.value(note).await? != *fingerprint {
            return Ok(Once::Taken);
        }
        Ok(Once::Repeated(Started {
            workflow_id: first.workflow_id,
            run_id,
            workflow_type: info.r#type.unwrap_or_default().name,
            task_queue: info.task_queue,
            namespace: self.namespace(),
            started: false,
        }))
    }

    /// Returns what the server knows about a run, and the note of the request that started it.
    async fn noted(
        &self,
        execution: &Execution,
    ) -> Result<(WorkflowExecutionInfo, Option<Payload>), CallError> {
        let answer = self.described(execution).await?;
        let mut info = answer.workflow_execution_info.unwrap_or_default();
        let memo = info.memo.as_mut();
        let note = memo.and_then(|memo| memo.fields.remove(REQUEST_NOTE));
        Ok((info, note))
    }
}
