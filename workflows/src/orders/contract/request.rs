//! Arguments of the activities. Each names the order it is for and the thing it makes or unmakes.

use serde::{Deserialize, Serialize};

use crate::orders::{
    Address, CardToken, ChargeId, Item, Order, OrderId, ReservationId, ShipmentId,
};

/// Asks for stock to be set aside.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Reservation {
    /// Id the reservation will have.
    pub id: ReservationId,
    /// Order it is for.
    pub order_id: OrderId,
    /// What to set aside.
    pub items: Vec<Item>,
}

/// Asks for money.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Charge {
    /// Id the charge will have.
    pub id: ChargeId,
    /// Order it is for.
    pub order_id: OrderId,
    /// How much, in the currency's smallest unit.
    pub amount: u64,
    /// ISO 4217 code.
    pub currency: String,
    /// What to charge.
    pub card_token: CardToken,
}

/// Asks for parcels, one per item.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Shipment {
    /// Id the shipment will have.
    pub id: ShipmentId,
    /// Order it is for.
    pub order_id: OrderId,
    /// Where to.
    pub address: Address,
    /// What to pack.
    pub items: Vec<Item>,
}

/// Asks for a reservation to be undone.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Release {
    /// Reservation that may have been made.
    pub id: ReservationId,
    /// Order it was for.
    pub order_id: OrderId,
}

/// Asks for a charge to be undone.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Refund {
    /// Charge that may have been made.
    pub id: ChargeId,
    /// Order it was for.
    pub order_id: OrderId,
}

/// Asks for a shipment to be undone.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Recall {
    /// Shipment that may have been started.
    pub id: ShipmentId,
    /// Order it was for.
    pub order_id: OrderId,
}

impl Reservation {
    pub(in crate::orders) fn new(order: &Order, id: ReservationId) -> Self {
        Self {
            id,
            order_id: order.id.clone(),
            items: order.items.clone(),
        }
    }

    pub(in crate::orders) fn undo(&self) -> Release {
        Release {
            id: self.id.clone(),
            order_id: self.order_id.clone(),
        }
    }
}

impl Charge {
    pub(in crate::orders) fn new(order: &Order, id: ChargeId) -> Self {
        Self {
            id,
            order_id: order.id.clone(),
            amount: order.amount,
            currency: order.currency.clone(),
            card_token: order.card_token.clone(),
        }
    }

    pub(in crate::orders) fn undo(&self) -> Refund {
        Refund {
            id: self.id.clone(),
            order_id: self.order_id.clone(),
        }
    }
}

impl Shipment {
    pub(in crate::orders) fn new(order: &Order, id: ShipmentId) -> Self {
        Self {
            id,
            order_id: order.id.clone(),
            address: order.address.clone(),
            items: order.items.clone(),
        }
    }

    pub(in crate::orders) fn undo(&self) -> Recall {
        Recall {
            id: self.id.clone(),
            order_id: self.order_id.clone(),
        }
    }
}
