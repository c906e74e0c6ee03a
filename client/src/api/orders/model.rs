//! Orders in the shop's own JSON, whose names are those of docs/order.json.

use std::time::Duration;

use sealane_service::http::Problem;
use sealane_workflows::orders::{Address, Item, Order};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    api::{
        extract::{Name, Whole},
        problem::INVALID_ORDER,
    },
    failure::Report,
    workflow::{Listed, Started},
};

/// How long looking at an order waits for a worker to say how far it is. One that runs takes milliseconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// An order. Everything but its number is encrypted before it leaves this process.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct OrderRequest {
    /// The shop's number for the order.
    #[schema(value_type = String, pattern = r"^[^\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]*[^.\s\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069][^\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]*$", min_length = 1, max_length = 200, example = "A-1042")]
    id: Name,
    /// Who placed it.
    #[schema(pattern = r"\S", example = "C-7")]
    customer: String,
    /// What to send, one parcel per entry.
    #[schema(min_items = 1)]
    items: Vec<ItemRequest>,
    /// Price of everything together, in the currency's smallest unit: 1250 is 12.50 EUR, or 1250 JPY.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_u64, value_type = u64, example = 1250)]
    amount: Whole,
    /// ISO 4217 code.
    #[schema(pattern = "^[A-Z]{3}$", example = "EUR")]
    currency: String,
    /// What to charge: what the payment provider gave out in place of a card number.
    #[schema(pattern = r"\S", example = "tok_visa")]
    card_token: String,
    /// Where to send it.
    address: AddressRequest,
}

/// A number of equal articles.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ItemRequest {
    /// Which article.
    #[schema(pattern = r"\S", example = "tea")]
    sku: String,
    /// How many of it.
    // As a `u32` it would be documented as an `int32`, which ends at half of the maximum.
    #[schema(minimum = 1, maximum = 4_294_967_295_u64, value_type = u64, example = 2)]
    quantity: Whole,
}

/// Where to send an order.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddressRequest {
    /// Who opens the door.
    #[schema(pattern = r"\S", example = "Ada Lovelace")]
    name: String,
    /// Street and house number.
    #[schema(pattern = r"\S", example = "Unter den Linden 5")]
    street: String,
    /// Postal code, in whatever form the country uses.
    #[schema(pattern = r"\S", example = "10117")]
    postal_code: String,
    /// Town or city.
    #[schema(pattern = r"\S", example = "Berlin")]
    city: String,
    /// Country, in words or as a code.
    #[schema(pattern = r"\S", example = "DE")]
    country: String,
}

impl TryFrom<OrderRequest> for Order {
    type Error = Problem;

    fn try_from(request: OrderRequest) -> Result<Self, Problem> {
        let AddressRequest {
            name,
            street,
            postal_code,
            city,
            country,
        } = request.address;
        Ok(Self {
            id: String::from(request.id).into(),
            customer: request.customer.into(),
            items: request
                .items
                .into_iter()
                .map(Item::try_from)
                .collect::<Result<_, _>>()?,
            amount: request.amount.into(),
            currency: request.currency,
            card_token: request.card_token.into(),
            address: Address {
                name,
                street,
                postal_code,
                city,
                country,
            },
        })
    }
}

impl TryFrom<ItemRequest> for Item {
    type Error = Problem;

    fn try_from(item: ItemRequest) -> Result<Self, Problem> {
        let quantity = u32::try_from(u64::from(item.quantity));
        let quantity = quantity.map_err(|_| {
            let detail = format!("items[].quantity is more than {}", u32::MAX);
            Problem::new(INVALID_ORDER, detail)
        })?;
        Ok(Self {
            sku: item.sku.into(),
            quantity,
        })
    }
}

/// An order that was placed.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct Placed {
    /// The shop's number for the order.
    order_id: String,
    /// Id of its workflow.
    workflow_id: String,
    /// Id of the run.
    run_id: String,
}

impl Placed {
    pub(super) fn of(order: &Order, started: Started) -> Self {
        Self {
            order_id: order.id.to_string(),
            workflow_id: started.workflow_id,
            run_id: started.run_id,
        }
    }
}

/// How far an order is, or how it ended.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct OrderProgress {
    /// The shop's number for the order.
    order_id: String,
    /// Id of its workflow.
    workflow_id: String,
    /// Id of the latest run.
    run_id: String,
    /// Temporal's name of the status, such as `RUNNING`.
    status: String,
    /// How far it is, such as `shipping`; while it is running, if a worker answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) progress: Option<Value>,
    /// What the order came to; when it has completed. `status` is `shipped` or `cancelled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(super) receipt: Option<Value>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<Report>,
    /// Why receipt or failure cannot be decrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unreadable: Option<String>,
}

impl OrderProgress {
    pub(super) fn of(order_id: String, row: &Listed) -> Self {
        Self {
            order_id,
            workflow_id: row.workflow_id.clone(),
            run_id: row.run_id.clone(),
            status: row.status.clone(),
            progress: None,
            receipt: None,
            failure: None,
            unreadable: None,
        }
    }
}

/// Why an order is to be cancelled.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct CancelRequest {
    /// Goes on the receipt.
    #[serde(default)]
    #[schema(example = "ordered twice")]
    pub(super) reason: String,
}

/// What the order has been asked.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct CancelRequested {
    /// The shop's number for the order.
    pub(super) order_id: String,
    /// `cancel`.
    pub(super) requested: &'static str,
}
