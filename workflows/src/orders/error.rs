//! Why an order was not fulfilled, as its workflow reports it.

use temporalio_common::error::{ApplicationFailure, IncomingError};
use temporalio_workflow::{ActivityExecutionError, WorkflowTermination};

use super::{OrderId, Sku, Status};

/// What makes an order impossible to work on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOrder {
    /// A field that must say something is empty or blank.
    #[error("{field} is empty, expected text")]
    Empty {
        /// Where in the order, in JSON notation.
        field: &'static str,
    },

    /// There is nothing to send.
    #[error("items is empty, expected at least one item")]
    NoItems,

    /// An item is ordered zero times.
    #[error("items[].quantity is 0 for {sku}, expected at least 1")]
    NoQuantity {
        /// Which item.
        sku: Sku,
    },

    /// There is nothing to charge.
    #[error("amount is 0, expected the price in the smallest unit of the currency")]
    NoAmount,

    /// The currency is not written as an ISO 4217 code.
    #[error("currency is {currency:?}, expected three capital letters such as EUR")]
    Currency {
        /// What it says instead.
        currency: String,
    },
}

/// Why an order ended without being shipped and without being cancelled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The order made no sense; nothing was done.
    #[error("order {order:?} is invalid: {problem}", order = .order.as_str())]
    Invalid {
        /// The order, as far as it has a number.
        order: OrderId,
        /// What is wrong with it.
        problem: InvalidOrder,
    },

    /// A step failed for good. Everything done before it has been undone.
    #[error("order {order} failed while {step}, and what was done has been undone")]
    Step {
        /// The order.
        order: OrderId,
        /// What was being done.
        step: Status,
        /// What the activity reported.
        source: ActivityExecutionError,
    },

    /// Undoing failed for good. Somebody has to look at the order.
    #[error("order {order} could not be undone, left to do by hand: {}", left.join(", "))]
    NotUndone {
        /// The order.
        order: OrderId,
        /// Names of the activities that should have run, in the order in which they should have.
        left: Vec<String>,
        /// What the first of them reported.
        source: ActivityExecutionError,
    },
}

impl From<OrderError> for ApplicationFailure {
    /// Gives the failure the type of what caused it (`Declined`, `OutOfStock`, ...), so that a caller need not dig.
    /// None of them is retryable: a later attempt of the whole workflow would meet the same order.
    fn from(error: OrderError) -> Self {
        let kind = match &error {
            OrderError::Invalid { .. } => "InvalidOrder".to_owned(),
            OrderError::Step { source, .. } => kind_of(source),
            OrderError::NotUndone { .. } => "NotUndone".to_owned(),
        };
        Self::builder(error)
            .type_name(kind)
            .non_retryable(true)
            .build()
    }
}

impl From<OrderError> for WorkflowTermination {
    fn from(error: OrderError) -> Self {
        ApplicationFailure::from(error).into()
    }
}

/// The type an activity gave its failure; `TimedOut` if time was up before it said anything.
fn kind_of(error: &ActivityExecutionError) -> String {
    match error.reason() {
        Some(IncomingError::Application(failure)) => failure.type_name().unwrap_or("Failed"),
        Some(IncomingError::Timeout(_)) => "TimedOut",
        _ => "Failed",
    }
    .to_owned()
}
