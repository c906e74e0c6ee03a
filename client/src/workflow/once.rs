//! Starting a workflow at most once, however often that is asked for.

use serde_json::Value;
use temporalio_common::protos::temporal::api::enums::v1::{
    WorkflowIdConflictPolicy, WorkflowIdReusePolicy,
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
        let execution = Execution {
            workflow_id,
            run_id: None,
        };
        let answer = self.described(&execution).await?;
        let info = answer.workflow_execution_info.unwrap_or_default();
        let note = info.memo.unwrap_or_default().fields.remove(REQUEST_NOTE);
        let Some(note) = note else {
            return Ok(Once::Taken);
        };
        if self.decoder.value(note).await? != *fingerprint {
            return Ok(Once::Taken);
        }
        // A retry or a continuation is another run of the same start.
        let run_id = match info.first_run_id {
            first if first.is_empty() => info.execution.unwrap_or_default().run_id,
            first => first,
        };
        Ok(Once::Repeated(Started {
            workflow_id: execution.workflow_id,
            run_id,
            workflow_type: info.r#type.unwrap_or_default().name,
            task_queue: info.task_queue,
            namespace: self.namespace(),
            started: false,
        }))
    }
}
