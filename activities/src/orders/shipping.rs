//! Packing parcels one after the other, and going on where the last attempt stopped.

use std::{future::Future, pin::pin, time::Duration};

use sealane_workflows::orders::{Item, TrackingId, request::Shipment};
use serde::{Deserialize, Serialize};
use temporalio_common::error::ApplicationFailure;
use temporalio_sdk::activities::{ActivityContext, ActivityError};
use tokio::time::{MissedTickBehavior, interval};

use super::{
    GatewayError, NoAnswer,
    gateway::{Gateway, Operation},
};

/// How often a waiting attempt says that it is alive: several times within the heartbeat timeout of five seconds.
pub const BEAT: Duration = Duration::from_secs(1);

/// What an attempt reports with each heartbeat, and what the next one starts from.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Progress {
    /// The shipment is open under this number.
    pub tracking_id: TrackingId,
    /// How many parcels are packed. They are packed in the order of the items.
    pub packed: usize,
}

/// Opens the shipment, unless an earlier attempt did, and packs what is not packed yet.
pub(super) async fn ship(
    gateway: &Gateway,
    ctx: &ActivityContext,
    shipment: &Shipment,
) -> Result<TrackingId, ActivityError> {
    let mut progress = match reported(ctx) {
        Some(progress) => progress,
        None => open(gateway, shipment)
            .await
            .map_err(ApplicationFailure::from)?,
    };
    while let Some(item) = shipment.items.get(progress.packed) {
        let packing = pack(gateway, shipment, progress.packed, item);
        beating(ctx, &progress, packing)
            .await?
            .map_err(ApplicationFailure::from)?;
        progress.packed += 1;
    }
    Ok(progress.tracking_id)
}

/// What the last attempt got done. If that cannot be read, starting over does no harm: nothing is packed twice.
fn reported(ctx: &ActivityContext) -> Option<Progress> {
    ctx.heartbeat_details().deserialize().ok().flatten()
}

async fn open(gateway: &Gateway, shipment: &Shipment) -> Result<Progress, GatewayError> {
    let call = Operation::OpenShipment.on(&shipment.order_id, shipment.id.as_str());
    let confirmation = gateway.post(&["shipments"], &call, shipment).await?;
    match confirmation.tracking_id {
        Some(tracking_id) => Ok(Progress {
            tracking_id,
            packed: 0,
        }),
        None => Err(call.unanswered(NoAnswer::Unreadable)),
    }
}

async fn pack(
    gateway: &Gateway,
    shipment: &Shipment,
    number: usize,
    item: &Item,
) -> Result<(), GatewayError> {
    let id = shipment.id.as_str();
    let call = Operation::PackParcel
        .on(&shipment.order_id, id)
        .part(number);
    let path = ["shipments", id, "parcels", &number.to_string()];
    gateway.post(&path, &call, item).await?;
    Ok(())
}

/// Does `work`, reporting `progress` at once and at every [`BEAT`] until it is done or the activity is cancelled.
///
/// A cancelled attempt lets go of the request at hand. Whether the gateway still packs that parcel does not matter:
/// either the shipment is recalled next, or the next attempt asks for the same parcel again.
async fn beating<T>(
    ctx: &ActivityContext,
    progress: &Progress,
    work: impl Future<Output = T>,
) -> Result<T, ActivityError> {
    let mut work = pin!(work);
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = ctx.cancelled() => return Err(ActivityError::cancelled()),
            _ = beat.tick() => ctx
                .record_heartbeat(progress.clone())
                .await
                .map_err(ApplicationFailure::from)?,
            done = &mut work => return Ok(done),
        }
    }
}
