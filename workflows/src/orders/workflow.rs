//! `OrderWorkflow`: its messages, and the course of an order.
#![expect(
    missing_docs,
    reason = "the macro turns each method into a constant without its comment"
)]

use std::error::Error;

use temporalio_macros::{workflow, workflow_methods};
use temporalio_workflow::{
    SyncWorkflowContext, WorkflowCancellationToken, WorkflowContext, WorkflowContextView,
    WorkflowResult,
};

use super::{Address, Order, OrderError, Receipt, Status, saga::Saga};

/// Takes an [`Order`] to its [`Receipt`].
///
/// - Signal `cancel(reason)`: until shipping starts, undoes what was done and ends with [`Receipt::Cancelled`]. Later it
///   changes nothing.
/// - Query `status`: a [`Status`].
/// - Update `change_address(Address)`: until shipping starts, sends the order elsewhere. Later it is refused.
/// - Cancelling the workflow itself also works during shipping: everything is undone, then the workflow is cancelled.
#[workflow]
pub struct OrderWorkflow {
    order: Order,
    status: Status,
    cancel_reason: Option<String>,
    /// Ends the step that is running. `run` ties it to the cancellation of the workflow.
    stop: WorkflowCancellationToken,
}

#[workflow_methods]
impl OrderWorkflow {
    /// Keeps the order where messages can reach it, even those that arrive before the first step.
    #[init]
    pub fn new(_ctx: &WorkflowContextView, order: Order) -> Self {
        Self {
            order,
            status: Status::Received,
            cancel_reason: None,
            stop: WorkflowCancellationToken::new(),
        }
    }

    /// Fulfils the order, or undoes what was done of it.
    ///
    /// # Errors
    ///
    /// An [`OrderError`] as an application failure, whose type is that of the activity's failure where there is one;
    /// or the workflow's cancellation, after everything has been undone.
    #[run(name = "OrderWorkflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<Receipt> {
        let order = ctx.state(|workflow| workflow.order.clone());
        if let Err(problem) = order.validate() {
            ctx.state_mut(|workflow| workflow.enter(Status::Failed));
            let order = order.id;
            return Err(OrderError::Invalid { order, problem }.into());
        }

        let stop = Self::stop_with_workflow(ctx);
        let mut saga = Saga::new(ctx, &order, stop);
        match saga.fulfil().await {
            Ok(receipt) => Ok(receipt),
            Err(stop) => saga.end(stop).await,
        }
    }

    /// Cancels the order if shipping has not started. The first reason stands.
    #[signal(name = "cancel")]
    pub fn cancel(&mut self, _ctx: &mut SyncWorkflowContext<Self>, reason: String) {
        if self.status.is_open() && self.cancel_reason.is_none() {
            self.cancel_reason = Some(reason);
            self.stop.cancel();
        }
    }

    /// How far the order is.
    #[query(name = "status")]
    pub fn status(&self, _ctx: &WorkflowContextView) -> Status {
        self.status
    }

    /// Refuses an address that is incomplete or comes too late. What is refused leaves no trace in the history.
    #[update_validator(change_address)]
    fn validate_change_address(
        &self,
        _ctx: &WorkflowContextView,
        address: &Address,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        address.validate()?;
        if self.cancel_reason.is_some() || !self.status.is_open() {
            return Err(AddressStands(self).to_string().into());
        }
        Ok(())
    }

    /// Sends the order elsewhere and answers with the address that now stands.
    #[update(name = "change_address")]
    pub fn change_address(
        &mut self,
        _ctx: &mut SyncWorkflowContext<Self>,
        address: Address,
    ) -> Address {
        self.order.address = address;
        self.order.address.clone()
    }

    pub(super) fn order(&self) -> &Order {
        &self.order
    }

    pub(super) fn cancel_reason(&self) -> Option<&String> {
        self.cancel_reason.as_ref()
    }

    pub(super) fn enter(&mut self, next: Status) -> Status {
        std::mem::replace(&mut self.status, next)
    }

    /// A token that the workflow's cancellation cancels, and the signal `cancel` too, even if it came before the start.
    fn stop_with_workflow(ctx: &WorkflowContext<Self>) -> WorkflowCancellationToken {
        let stop = ctx.cancellation_token().child_token();
        let early = ctx.state_mut(|workflow| std::mem::replace(&mut workflow.stop, stop.clone()));
        if early.is_cancelled() {
            stop.cancel();
        }
        stop
    }
}

/// Why an order cannot be readdressed any more.
struct AddressStands<'a>(&'a OrderWorkflow);

impl std::fmt::Display for AddressStands<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Order { id, .. } = &self.0.order;
        match &self.0.cancel_reason {
            Some(_) => write!(
                f,
                "order {id} is being cancelled, its address cannot be changed"
            ),
            None => write!(
                f,
                "order {id} is {}, its address can be changed only before shipping starts",
                self.0.status
            ),
        }
    }
}
