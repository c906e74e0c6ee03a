//! Somebody who orders, and who asks again when they get no answer.

use std::time::Duration;

use sealane_client::{
    call::CallError,
    failure::Report,
    handles::{OrderHandle, UpdateError},
    workflow::Execution,
};
use temporalio_client::errors::{
    WorkflowGetResultError, WorkflowInteractionError, WorkflowStartError, WorkflowUpdateError,
};
use tokio::time::{sleep, timeout};

use super::{Deal, End};
use crate::{
    stage::Stage,
    wish::{Wanted, Wish},
};

/// The pause before something is asked again.
const AGAIN_AFTER: Duration = Duration::from_millis(300);

/// How long one question waits for its answer before it is asked anew.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// As before, where an answer may take as long as an order.
const END_WITHIN: Duration = Duration::from_secs(30);

pub(super) struct Customer<'a> {
    stage: &'a Stage,
    wanted: Wanted,
}

impl<'a> Customer<'a> {
    pub(super) fn new(stage: &'a Stage, wanted: Wanted) -> Self {
        Self { stage, wanted }
    }

    /// Orders, says what they want, and waits for the end.
    pub(super) async fn order(self) -> Deal {
        let handle = self.start().await;
        sleep(self.wanted.after).await;
        let mut readdressed = false;
        match self.wanted.wish {
            Wish::ToReaddress => readdressed = self.readdress(&handle).await,
            Wish::ToCancel => self.cancel(&handle).await,
            Wish::ToWithdraw => self.withdraw().await,
            Wish::Nothing | Wish::TheImpossible | Wish::ToPayLater => {}
        }
        let end = wait_for_end(&handle).await;
        Deal {
            wanted: self.wanted,
            readdressed,
            end,
        }
    }

    fn id(&self) -> &str {
        self.wanted.order.id.as_str()
    }

    /// Starts the workflow, which the server does once however often it is asked.
    async fn start(&self) -> OrderHandle {
        let client = &self.stage.client().client;
        loop {
            let options = self.stage.start_options(self.id());
            let started = OrderHandle::start(client, self.wanted.order.clone(), options);
            match timeout(ANSWER_WITHIN, started).await {
                Ok(Ok(handle)) => return handle,
                Ok(Err(WorkflowStartError::AlreadyStarted { .. })) => {
                    return OrderHandle::of(client, &self.stage.workflow_id(self.id()));
                }
                Ok(Err(_)) | Err(_) => sleep(AGAIN_AFTER).await,
            }
        }
    }

    /// Returns whether the new address was confirmed.
    async fn readdress(&self, handle: &OrderHandle) -> bool {
        loop {
            let asked = handle.change_address(self.wanted.elsewhere());
            match timeout(ANSWER_WITHIN, asked).await {
                Ok(Ok(_)) => return true,
                // Too late, or the order has ended.
                Ok(Err(
                    UpdateError::Refused(_) | UpdateError::Call(WorkflowUpdateError::NotFound(_)),
                )) => return false,
                Ok(Err(_)) | Err(_) => sleep(AGAIN_AFTER).await,
            }
        }
    }

    async fn cancel(&self, handle: &OrderHandle) {
        loop {
            let asked = handle.cancel(self.wanted.reason());
            match timeout(ANSWER_WITHIN, asked).await {
                Ok(Ok(()) | Err(WorkflowInteractionError::NotFound(_))) => return,
                Ok(Err(_)) | Err(_) => sleep(AGAIN_AFTER).await,
            }
        }
    }

    async fn withdraw(&self) {
        let execution = Execution {
            workflow_id: self.stage.workflow_id(self.id()),
            run_id: None,
        };
        let workflows = &self.stage.client().workflows;
        loop {
            let asked = workflows.cancel(&execution, "withdrawn");
            match timeout(ANSWER_WITHIN, asked).await {
                Ok(Ok(()) | Err(CallError::Ended { .. } | CallError::WorkflowNotFound { .. })) => {
                    return;
                }
                Ok(Err(_)) | Err(_) => sleep(AGAIN_AFTER).await,
            }
        }
    }
}

async fn wait_for_end(handle: &OrderHandle) -> End {
    loop {
        let asked = timeout(END_WITHIN, handle.result()).await;
        match asked {
            Ok(Ok(receipt)) => return End::With(Box::new(receipt)),
            Ok(Err(WorkflowGetResultError::Failed(error))) => {
                let report = Report::of(error.failure());
                return End::Failed(report.kind.unwrap_or_default());
            }
            Ok(Err(WorkflowGetResultError::Cancelled { .. })) => return End::Withdrawn,
            // No connection, or a key that this client has not met yet.
            Ok(Err(
                WorkflowGetResultError::Rpc(_) | WorkflowGetResultError::PayloadConversion(_),
            ))
            | Err(_) => sleep(AGAIN_AFTER).await,
            Ok(Err(other)) => return End::Odd(other.to_string()),
        }
    }
}
