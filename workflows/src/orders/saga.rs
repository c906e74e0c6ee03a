//! Steps forward and steps back.

use temporalio_common::{
    ActivityDefinition, data_converters::PayloadConversionError, error::IncomingError,
};
use temporalio_workflow::{
    ActivityExecutionError, ActivityOptions, WorkflowCancellationToken, WorkflowContext,
    WorkflowTermination,
};

use super::{
    ChargeId, Order, OrderActivities, OrderError, OrderId, OrderWorkflow, Receipt, ReservationId,
    ShipmentId, Status, policy,
    request::{Charge, Recall, Refund, Release, Reservation, Shipment},
};

/// An order being fulfilled, with everything that must be undone should it end here.
pub(super) struct Saga {
    ctx: WorkflowContext<OrderWorkflow>,
    stop: WorkflowCancellationToken,
    order_id: OrderId,
    /// Unique to this order and this run; see [`Saga::new`].
    reference: String,
    undo: Vec<Undo>,
}

/// Why an order goes no further.
pub(super) enum Stop {
    /// Somebody asked: by signal, or by cancelling the workflow.
    Cancelled,
    /// A step failed for good.
    Failed(Box<ActivityExecutionError>),
    /// A payload could not be converted. The code or a key is at fault, not the order: the workflow task is retried
    /// until a worker can, and nothing is undone.
    Unreadable(PayloadConversionError),
}

/// How to take back one step.
#[derive(Clone)]
enum Undo {
    Release(Release),
    Refund(Refund),
    Recall(Recall),
}

impl Saga {
    /// Starts with nothing to undo.
    ///
    /// The reference that all ids are built from comes from the workflow's own random stream, which a reset replays up
    /// to the reset point. The run id changes with a reset, and undoing by ids that nobody knows would do nothing.
    pub(super) fn new(
        ctx: &WorkflowContext<OrderWorkflow>,
        order: &Order,
        stop: WorkflowCancellationToken,
    ) -> Self {
        let draw: u128 = ctx.random_stream("order-reference").random();
        Self {
            ctx: ctx.clone(),
            stop,
            order_id: order.id.clone(),
            reference: format!("{draw:032x}"),
            undo: Vec::new(),
        }
    }

    /// Reserves, charges and ships.
    pub(super) async fn fulfil(&mut self) -> Result<Receipt, Stop> {
        let reservation_id = self.reserve().await?;
        let charge_id = self.charge().await?;
        self.ship(reservation_id, charge_id).await
    }

    /// Undoes what was done and decides how the workflow ends.
    pub(super) async fn end(mut self, stop: Stop) -> Result<Receipt, WorkflowTermination> {
        let step = self.enter(Status::Compensating);
        match stop {
            Stop::Unreadable(error) => Err(error.into()),
            Stop::Cancelled => {
                self.compensate().await?;
                self.cancelled()
            }
            Stop::Failed(source) => {
                self.compensate().await?;
                self.enter(Status::Failed);
                let order = self.order_id;
                let source = *source;
                Err(OrderError::Step {
                    order,
                    step,
                    source,
                }
                .into())
            }
        }
    }

    async fn reserve(&mut self) -> Result<ReservationId, Stop> {
        let order = self.begin(Status::Reserving)?;
        let id = ReservationId::from(format!("reservation-{}", self.reference));
        let request = Reservation::new(&order, id.clone());
        let undo = Undo::Release(request.undo());
        let options = policy::request(&self.stop);
        self.step(OrderActivities::reserve_stock, request, undo, options)
            .await?;
        Ok(id)
    }

    async fn charge(&mut self) -> Result<ChargeId, Stop> {
        let order = self.begin(Status::Charging)?;
        let id = ChargeId::from(format!("charge-{}", self.reference));
        let request = Charge::new(&order, id.clone());
        let undo = Undo::Refund(request.undo());
        let options = policy::request(&self.stop);
        self.step(OrderActivities::charge_card, request, undo, options)
            .await?;
        Ok(id)
    }

    async fn ship(
        &mut self,
        reservation_id: ReservationId,
        charge_id: ChargeId,
    ) -> Result<Receipt, Stop> {
        // Read only now: the address may have been changed since the workflow started.
        let order = self.begin(Status::Shipping)?;
        let shipment_id = ShipmentId::from(format!("shipment-{}", self.reference));
        let request = Shipment::new(&order, shipment_id.clone());
        let undo = Undo::Recall(request.undo());
        let options = policy::ship(&self.stop);
        let tracking_id = self
            .step(OrderActivities::ship, request, undo, options)
            .await?;
        self.enter(Status::Shipped);
        Ok(Receipt::Shipped {
            order_id: order.id,
            reservation_id,
            charge_id,
            shipment_id,
            tracking_id,
            address: order.address,
        })
    }

    /// Enters a step, unless the order was stopped meanwhile. Returns the order as it stands.
    fn begin(&self, step: Status) -> Result<Order, Stop> {
        if self.stop.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        self.enter(step);
        Ok(self.ctx.state(|workflow| workflow.order().clone()))
    }

    /// Runs one activity, with `undo` noted beforehand: an attempt that gave no answer may have taken effect.
    async fn step<A: ActivityDefinition>(
        &mut self,
        activity: A,
        request: A::Input,
        undo: Undo,
        options: ActivityOptions,
    ) -> Result<A::Output, Stop> {
        let all_or_nothing = !matches!(undo, Undo::Recall(_));
        self.undo.push(undo);
        let outcome = self.ctx.execute_activity(activity, request, options).await;
        outcome.map_err(|error| {
            let refused = was_refused(&error);
            if all_or_nothing && refused {
                self.undo.pop();
            }
            match Stop::from(error) {
                // An attempt that was running when the order was stopped is not retried if it fails.
                Stop::Failed(_) if !refused && self.stop.is_cancelled() => Stop::Cancelled,
                stop => stop,
            }
        })
    }

    /// Undoes the steps in reverse. Stops at the first that is refused, because each relies on the ones after it
    /// being undone: who has the goods must not get the money back too.
    async fn compensate(&mut self) -> Result<(), WorkflowTermination> {
        while let Some(undo) = self.undo.last() {
            match undo.run(&self.ctx).await {
                Ok(()) => self.undo.pop(),
                Err(ActivityExecutionError::Serialization(error)) => return Err(error.into()),
                Err(error) => return Err(self.not_undone(error).into()),
            };
        }
        Ok(())
    }

    fn not_undone(&self, error: ActivityExecutionError) -> OrderError {
        self.enter(Status::Failed);
        OrderError::NotUndone {
            order: self.order_id.clone(),
            left: self.undo.iter().rev().map(Undo::name).collect(),
            source: error,
        }
    }

    /// The result if the signal gave a reason; Temporal's own cancellation is reported as Temporal reports it.
    fn cancelled(self) -> Result<Receipt, WorkflowTermination> {
        self.enter(Status::Cancelled);
        match self.ctx.state(|workflow| workflow.cancel_reason().cloned()) {
            Some(reason) => Ok(Receipt::Cancelled {
                order_id: self.order_id,
                reason,
            }),
            None => Err(WorkflowTermination::cancelled()),
        }
    }

    /// Shows `next` to queries and returns what they were shown before.
    fn enter(&self, next: Status) -> Status {
        self.ctx.state_mut(|workflow| workflow.enter(next))
    }
}

impl Undo {
    async fn run(
        &self,
        ctx: &WorkflowContext<OrderWorkflow>,
    ) -> Result<(), ActivityExecutionError> {
        let options = policy::undo();
        match self.clone() {
            Self::Release(request) => {
                ctx.execute_activity(OrderActivities::release_stock, request, options)
                    .await
            }
            Self::Refund(request) => {
                ctx.execute_activity(OrderActivities::refund_charge, request, options)
                    .await
            }
            Self::Recall(request) => {
                ctx.execute_activity(OrderActivities::recall_shipment, request, options)
                    .await
            }
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Release(_) => OrderActivities::release_stock.name(),
            Self::Refund(_) => OrderActivities::refund_charge.name(),
            Self::Recall(_) => OrderActivities::recall_shipment.name(),
        }
        .to_owned()
    }
}

impl From<ActivityExecutionError> for Stop {
    fn from(error: ActivityExecutionError) -> Self {
        match error {
            ActivityExecutionError::Serialization(error) => Self::Unreadable(error),
            error if error.as_cancelled().is_some() => Self::Cancelled,
            error => Self::Failed(Box::new(error)),
        }
    }
}

/// Whether the gateway itself said no, which it does before doing anything.
fn was_refused(error: &ActivityExecutionError) -> bool {
    matches!(error.reason(), Some(IncomingError::Application(failure)) if failure.is_non_retryable())
}
