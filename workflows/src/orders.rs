//! Fulfilling an order as a saga: reserve stock, charge the card, ship; on the way back undo what was done, in reverse.
//!
//! Every reservation, charge and shipment gets its id from the workflow before it is asked for. An attempt whose answer
//! was lost can therefore be repeated or undone without knowing whether it took effect.

mod contract;
mod error;
mod id;
mod order;
pub mod policy;
mod receipt;
mod saga;
mod workflow;

pub use contract::{
    ChargeCard, OrderActivities, RecallShipment, RefundCharge, ReleaseStock, ReserveStock, Ship,
};
pub use error::{InvalidOrder, OrderError};
pub use id::{
    CardToken, ChargeId, CustomerId, OrderId, ReservationId, ShipmentId, Sku, TrackingId,
};
pub use order::{Address, Item, Order};
pub use receipt::{Receipt, Status};
pub use workflow::OrderWorkflow;

/// Arguments of the activities, as they appear in the history.
pub mod request {
    pub use super::contract::request::*;
}
