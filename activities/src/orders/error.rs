//! Why the gateway did not do what it was asked, and what Temporal should do about it.

use std::time::Duration;

use reqwest::StatusCode;
use sealane_workflows::orders::OrderId;
use temporalio_common::error::ApplicationFailure;

use super::Code;

/// Why the activities cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The gateway's address is not one of the web. The rest of it is not quoted, since it may hold a password.
    #[error("gateway address starts with {scheme}:, expected http: or https:")]
    NotHttp {
        /// What it starts with.
        scheme: String,
    },

    /// The HTTP client cannot be built from the certificates and proxies of this machine.
    #[error("cannot build the client for the gateway")]
    Client(#[from] reqwest::Error),
}

/// Why one request to the gateway came to nothing, or to nothing we know of. Texts name the order and never quote the
/// card or the address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The card issuer said no, and would say no again.
    #[error("card for order {order} was declined: {code}")]
    Declined {
        /// Order that was not charged.
        order: OrderId,
        /// The issuer's reason.
        code: Code,
    },

    /// There is not enough of something, and asking again will not make more of it.
    #[error("stock for order {order} ran out")]
    OutOfStock {
        /// Order that nothing was set aside for.
        order: OrderId,
    },

    /// The gateway will never accept this request.
    #[error("gateway refused to {operation} for order {order}: {status} {code}", status = status.as_u16())]
    Rejected {
        /// What was asked.
        operation: &'static str,
        /// Order it was asked for.
        order: OrderId,
        /// How the gateway put it.
        status: StatusCode,
        /// Its reason.
        code: Code,
    },

    /// The gateway wants to be left alone for a while.
    #[error("gateway is too busy to {operation} for order {order}")]
    Throttled {
        /// What was asked.
        operation: &'static str,
        /// Order it was asked for.
        order: OrderId,
        /// Shortest wait it accepts, if it said so. The retry policy decides otherwise.
        retry_after: Option<Duration>,
    },

    /// No usable answer came back, so it may have happened or not.
    ///
    /// Safe to retry: every attempt sends the same idempotency key.
    #[error("gateway gave no answer when asked to {operation} for order {order}")]
    Unanswered {
        /// What was asked.
        operation: &'static str,
        /// Order it was asked for.
        order: OrderId,
        /// What came instead of an answer.
        source: NoAnswer,
    },
}

/// What came instead of an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoAnswer {
    /// Nothing: no connection, a broken one, or none in time.
    #[error("the connection failed")]
    Connection(#[source] reqwest::Error),

    /// An admission that something is broken over there.
    #[error("the gateway answered with status {}", .0.as_u16())]
    Status(StatusCode),

    /// A success that does not confirm what was asked. Its text is not repeated.
    #[error("the answer was not a confirmation")]
    Unreadable,
}

impl From<GatewayError> for ApplicationFailure {
    /// The only place that decides on retry. Convert before `?` in an activity: a bare `?` makes every error retryable.
    fn from(error: GatewayError) -> Self {
        let (kind, non_retryable, delay) = match &error {
            GatewayError::Declined { .. } => ("Declined", true, None),
            GatewayError::OutOfStock { .. } => ("OutOfStock", true, None),
            GatewayError::Rejected { .. } => ("Rejected", true, None),
            GatewayError::Throttled { retry_after, .. } => ("Throttled", false, *retry_after),
            GatewayError::Unanswered { .. } => ("Unanswered", false, None),
        };
        Self::builder(error)
            .type_name(kind.to_owned())
            .non_retryable(non_retryable)
            .maybe_next_retry_delay(delay)
            .build()
    }
}
