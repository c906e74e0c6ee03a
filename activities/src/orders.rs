//! The activities of the order workflow: requests to the gateway that keeps stock, money and parcels.
//!
//! The workflow chooses the id of everything the gateway makes, and the `Idempotency-Key` of a request is built from that
//! id. It is therefore the same on every attempt, on every worker, and after a reset of the workflow, and different for
//! every order and every run that starts afresh. The gateway does what one key asks for once and repeats its answer.
#![expect(
    missing_docs,
    reason = "the macro turns each activity into a type and a constant without its comment"
)]

mod code;
mod error;
mod gateway;
mod retry_after;
mod shipping;

use std::sync::Arc;

use sealane_workflows::orders::{
    ChargeCard, RecallShipment, RefundCharge, ReleaseStock, ReserveStock, Ship, TrackingId,
    request::{Charge, Recall, Refund, Release, Reservation, Shipment},
};
use temporalio_common::error::ApplicationFailure;
use temporalio_macros::activities;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use url::Url;

pub use code::Code;
pub use error::{GatewayError, NoAnswer, SetupError};
pub use gateway::{CONNECT_TIMEOUT, PARCEL_TIMEOUT, REQUEST_TIMEOUT};
pub use retry_after::LONGEST_RETRY_AFTER;
pub use shipping::{BEAT, Progress};

use gateway::{Gateway, Operation};

/// Implements the contracts of [`OrderActivities`](sealane_workflows::orders::OrderActivities) over HTTP.
///
/// One value serves a whole worker; it keeps a pool of connections.
#[derive(Debug)]
pub struct Orders {
    gateway: Gateway,
}

impl Orders {
    /// Activities that talk to the gateway at `gateway`, which is `ORDERS_GATEWAY_URL`. Does not connect yet.
    ///
    /// # Errors
    ///
    /// [`SetupError::NotHttp`] if nothing can be requested from such an address, [`SetupError::Client`] if the machine's
    /// certificates or proxies cannot be used.
    pub fn new(gateway: Url) -> Result<Self, SetupError> {
        Ok(Self {
            gateway: Gateway::new(gateway)?,
        })
    }
}

#[activities]
impl Orders {
    /// Sets stock aside. Safe to run twice: one reservation per id.
    ///
    /// # Errors
    ///
    /// [`GatewayError`]: `OutOfStock` and `Rejected` for good, `Throttled` and `Unanswered` until a later attempt.
    #[activity(definition = ReserveStock)]
    pub async fn reserve_stock(
        self: Arc<Self>,
        _ctx: ActivityContext,
        request: Reservation,
    ) -> Result<(), ActivityError> {
        let call = Operation::ReserveStock.on(&request.order_id, request.id.as_str());
        self.gateway
            .post(&["reservations"], &call, &request)
            .await
            .map_err(ApplicationFailure::from)?;
        Ok(())
    }

    /// Takes the money. Safe to run twice: one charge per id.
    ///
    /// # Errors
    ///
    /// [`GatewayError`]: `Declined` and `Rejected` for good, `Throttled` and `Unanswered` until a later attempt.
    #[activity(definition = ChargeCard)]
    pub async fn charge_card(
        self: Arc<Self>,
        _ctx: ActivityContext,
        request: Charge,
    ) -> Result<(), ActivityError> {
        let call = Operation::ChargeCard.on(&request.order_id, request.id.as_str());
        self.gateway
            .post(&["charges"], &call, &request)
            .await
            .map_err(ApplicationFailure::from)?;
        Ok(())
    }

    /// Packs the parcels and hands them over.
    ///
    /// Safe to run twice: one shipment per id, and one parcel per number in it. An attempt goes on after the last parcel
    /// that its predecessor reported; a parcel that was packed but not reported is confirmed again, not packed again.
    ///
    /// # Errors
    ///
    /// [`GatewayError`]: `Rejected` for good, `Throttled` and `Unanswered` until a later attempt. Cancellation, as soon as it
    /// is known.
    #[activity(definition = Ship)]
    pub async fn ship(
        self: Arc<Self>,
        ctx: ActivityContext,
        request: Shipment,
    ) -> Result<TrackingId, ActivityError> {
        shipping::ship(&self.gateway, &ctx, &request).await
    }

    /// Stops a shipment. Safe to run twice: a recalled shipment stays recalled.
    ///
    /// # Errors
    ///
    /// [`GatewayError`]: `Rejected` for good, above all if the last parcel is packed; `Throttled` and `Unanswered` until a
    /// later attempt.
    #[activity(definition = RecallShipment)]
    pub async fn recall_shipment(
        self: Arc<Self>,
        _ctx: ActivityContext,
        request: Recall,
    ) -> Result<(), ActivityError> {
        let id = request.id.as_str();
        let call = Operation::RecallShipment.on(&request.order_id, id);
        self.gateway
            .undo(&["shipments", id, "recall"], &call)
            .await
            .map_err(ApplicationFailure::from)?;
        Ok(())
    }

    /// Gives the money back. Safe to run twice: a refunded charge stays refunded.
    ///
    /// # Errors
    ///
    /// [`GatewayError`]: `Rejected` for good, `Throttled` and `Unanswered` until a later attempt.
    #[activity(definition = RefundCharge)]
    pub async fn refund_charge(
        self: Arc<Self>,
        _ctx: ActivityContext,
        request: Refund,
    ) -> Result<(), ActivityError> {
        let id = request.id.as_str();
        let call = Operation::RefundCharge.on(&request.order_id, id);
        self.gateway
            .undo(&["charges", id, "refund"], &call)
            .await
            .map_err(ApplicationFailure::from)?;
        Ok(())
    }

    /// Puts the stock back. Safe to run twice: released stock stays released.
    ///
    /// # Errors
    ///
    /// [`GatewayError`]: `Rejected` for good, `Throttled` and `Unanswered` until a later attempt.
    #[activity(definition = ReleaseStock)]
    pub async fn release_stock(
        self: Arc<Self>,
        _ctx: ActivityContext,
        request: Release,
    ) -> Result<(), ActivityError> {
        let id = request.id.as_str();
        let call = Operation::ReleaseStock.on(&request.order_id, id);
        self.gateway
            .undo(&["reservations", id, "release"], &call)
            .await
            .map_err(ApplicationFailure::from)?;
        Ok(())
    }
}
