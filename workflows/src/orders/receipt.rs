//! How far an order is, and how it ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Address, ChargeId, OrderId, ReservationId, ShipmentId, TrackingId};

/// Answer of the query `status`, in lower case.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// Nothing has been done yet.
    Received,
    /// Stock is being set aside.
    Reserving,
    /// The card is being charged.
    Charging,
    /// Parcels are being packed. From here on the address stands and `cancel` comes too late.
    Shipping,
    /// The last parcel is out of the door.
    Shipped,
    /// What was done is being undone.
    Compensating,
    /// Cancelled as asked, everything undone.
    Cancelled,
    /// Failed; the workflow's failure says why and what became of it.
    Failed,
}

impl Status {
    /// Whether the order can still be cancelled or readdressed by a message.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Received | Self::Reserving | Self::Charging)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Received => "received",
            Self::Reserving => "reserving",
            Self::Charging => "charging",
            Self::Shipping => "shipping",
            Self::Shipped => "shipped",
            Self::Compensating => "compensating",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        })
    }
}

/// Result of [`OrderWorkflow`](super::OrderWorkflow), told apart by the field `status`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Receipt {
    /// The order is on its way.
    Shipped {
        /// Which order.
        order_id: OrderId,
        /// The stock that was set aside for it.
        reservation_id: ReservationId,
        /// The charge on the customer's card.
        charge_id: ChargeId,
        /// The parcels.
        shipment_id: ShipmentId,
        /// How the customer follows them.
        tracking_id: TrackingId,
        /// Where they went, which is not where the order said if the address was changed on the way.
        address: Address,
    },

    /// The signal `cancel` came in time, and everything was undone.
    Cancelled {
        /// Which order.
        order_id: OrderId,
        /// What the signal gave as the reason.
        reason: String,
    },
}
