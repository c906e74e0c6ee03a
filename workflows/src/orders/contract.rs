//! What the order workflow asks of its activities.
#![expect(
    clippy::needless_pass_by_value,
    missing_docs,
    reason = "the macro turns each method into a type and a constant without its comment, and nothing calls its body"
)]

pub(super) mod request;

use temporalio_common::ActivityError;
use temporalio_macros::activity_definitions;

use super::TrackingId;

pub use order_activities::{
    ChargeCard, RecallShipment, RefundCharge, ReleaseStock, ReserveStock, Ship,
};

/// Contracts of the activities, by the names they have on the task queue. Each is safe to run twice with one request.
pub struct OrderActivities;

#[activity_definitions]
impl OrderActivities {
    /// Sets stock aside under the id in the request.
    ///
    /// # Errors
    ///
    /// `OutOfStock` and `Rejected` for good; `Throttled` and `Unanswered` until a later attempt.
    #[activity(name = "reserve_stock")]
    pub fn reserve_stock(request: request::Reservation) -> Result<(), ActivityError> {
        unimplemented!()
    }

    /// Takes the money under the id in the request.
    ///
    /// # Errors
    ///
    /// `Declined` and `Rejected` for good; `Throttled` and `Unanswered` until a later attempt.
    #[activity(name = "charge_card")]
    pub fn charge_card(request: request::Charge) -> Result<(), ActivityError> {
        unimplemented!()
    }

    /// Packs one parcel per item and hands them to the carrier. Long-running: heartbeats, and goes on where it stopped.
    ///
    /// # Errors
    ///
    /// `Rejected` for good; `Throttled` and `Unanswered` until a later attempt; cancellation once the parcel at hand is let go.
    #[activity(name = "ship")]
    pub fn ship(request: request::Shipment) -> Result<TrackingId, ActivityError> {
        unimplemented!()
    }

    /// Stops a shipment whose last parcel is not packed yet; nothing to do if there is none.
    ///
    /// # Errors
    ///
    /// `Rejected` for good, above all if the last parcel is out; `Throttled` and `Unanswered` until a later attempt.
    #[activity(name = "recall_shipment")]
    pub fn recall_shipment(request: request::Recall) -> Result<(), ActivityError> {
        unimplemented!()
    }

    /// Gives the money back; nothing to do if none was taken.
    ///
    /// # Errors
    ///
    /// `Rejected` for good; `Throttled` and `Unanswered` until a later attempt.
    #[activity(name = "refund_charge")]
    pub fn refund_charge(request: request::Refund) -> Result<(), ActivityError> {
        unimplemented!()
    }

    /// Puts the stock back; nothing to do if none was set aside.
    ///
    /// # Errors
    ///
    /// `Rejected` for good; `Throttled` and `Unanswered` until a later attempt.
    #[activity(name = "release_stock")]
    pub fn release_stock(request: request::Release) -> Result<(), ActivityError> {
        unimplemented!()
    }
}
