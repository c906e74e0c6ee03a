//! What the gateway has promised: reservations, charges, shipments, and the answers it gave.

use std::collections::{BTreeSet, HashMap};

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Knobs;

/// What a request can ask for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Operation {
    /// Set stock aside.
    Reserve,
    /// Put it back.
    Release,
    /// Take money.
    Charge,
    /// Give it back.
    Refund,
    /// Open a shipment.
    Ship,
    /// Pack the parcel with this number, counted from 0.
    Pack(u32),
    /// Stop a shipment.
    Recall,
}

/// An answer: status and body.
pub(super) type Answer = (StatusCode, Value);

#[derive(Debug, Default)]
pub(super) struct Book {
    /// Everything ever made, and everything undone before it was made.
    things: HashMap<String, Thing>,
    /// Answers by idempotency key, with the request they answered.
    answers: HashMap<String, Given>,
}

#[derive(Debug)]
struct Given {
    operation: Operation,
    body: String,
    answer: Answer,
}

#[derive(Debug)]
enum Thing {
    Made,
    Shipment { parcels: u32, packed: BTreeSet<u32> },
    Undone,
}

/// The part of a request's body that decides something here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    items: Vec<Item>,
    card_token: String,
}

#[derive(Debug, Deserialize)]
struct Item {
    sku: String,
}

impl Book {
    /// Answers as before if `key` was answered before.
    pub(super) fn recall(&self, operation: Operation, key: &str, body: &str) -> Option<Answer> {
        let given = self.answers.get(key)?;
        if given.operation == operation && given.body == body {
            return Some(given.answer.clone());
        }
        Some(refusal(StatusCode::UNPROCESSABLE_ENTITY, "key_reused"))
    }

    /// Remembers what `key` was answered.
    pub(super) fn remember(&mut self, operation: Operation, key: &str, body: &str, answer: Answer) {
        let given = Given {
            operation,
            body: body.to_owned(),
            answer,
        };
        self.answers.insert(key.to_owned(), given);
    }

    /// Does what is asked, if that is possible. The flag says whether anything changed.
    pub(super) fn perform(
        &mut self,
        operation: Operation,
        id: &str,
        body: &str,
        knobs: &Knobs,
    ) -> (Answer, bool) {
        let Ok(body) = serde_json::from_str::<Body>(body) else {
            return (refusal(StatusCode::BAD_REQUEST, "malformed"), false);
        };
        let outcome = match operation {
            Operation::Reserve => in_stock(&body, knobs).and_then(|()| self.make(id, Thing::Made)),
            Operation::Charge => accepted(&body, knobs).and_then(|()| self.make(id, Thing::Made)),
            Operation::Ship => self.make(id, Thing::shipment(&body)),
            Operation::Pack(number) => self.pack(id, number),
            Operation::Release | Operation::Refund => Ok(self.undo(id)),
            Operation::Recall => self.undo_shipment(id),
        };
        match outcome {
            Ok(changed) => (confirmation(id), changed),
            Err(answer) => (answer, false),
        }
    }

    fn make(&mut self, id: &str, thing: Thing) -> Result<bool, Answer> {
        match self.things.get(id) {
            None => {
                self.things.insert(id.to_owned(), thing);
                Ok(true)
            }
            Some(Thing::Undone) => Err(refusal(StatusCode::CONFLICT, "undone")),
            Some(_) => Ok(false),
        }
    }

    fn pack(&mut self, id: &str, number: u32) -> Result<bool, Answer> {
        match self.things.get_mut(id) {
            Some(Thing::Shipment { parcels, packed }) if number < *parcels => {
                Ok(packed.insert(number))
            }
            Some(Thing::Undone) => Err(refusal(StatusCode::CONFLICT, "undone")),
            _ => Err(refusal(StatusCode::NOT_FOUND, "no_such_parcel")),
        }
    }

    fn undo_shipment(&mut self, id: &str) -> Result<bool, Answer> {
        match self.things.get(id) {
            Some(thing) if thing.is_out() => Err(refusal(StatusCode::CONFLICT, "shipped")),
            _ => Ok(self.undo(id)),
        }
    }

    /// True if there was something to undo. Either way it cannot be made any more.
    fn undo(&mut self, id: &str) -> bool {
        let before = self.things.insert(id.to_owned(), Thing::Undone);
        !matches!(before, None | Some(Thing::Undone))
    }
}

impl Thing {
    fn shipment(body: &Body) -> Self {
        Self::Shipment {
            parcels: u32::try_from(body.items.len()).unwrap_or(u32::MAX),
            packed: BTreeSet::new(),
        }
    }

    /// Whether the last parcel of a shipment is packed.
    fn is_out(&self) -> bool {
        match self {
            Self::Shipment { parcels, packed } => packed.len() >= *parcels as usize,
            Self::Made | Self::Undone => false,
        }
    }
}

fn in_stock(body: &Body, knobs: &Knobs) -> Result<(), Answer> {
    match body
        .items
        .iter()
        .any(|item| knobs.out_of_stock.contains(&item.sku))
    {
        true => Err(refusal(StatusCode::CONFLICT, "out_of_stock")),
        false => Ok(()),
    }
}

fn accepted(body: &Body, knobs: &Knobs) -> Result<(), Answer> {
    let this = knobs.declined_cards.contains(&body.card_token);
    match knobs.decline.as_deref() {
        Some(code) => Err(refusal(StatusCode::PAYMENT_REQUIRED, code)),
        None if this => Err(refusal(StatusCode::PAYMENT_REQUIRED, "insufficient_funds")),
        None => Ok(()),
    }
}

fn confirmation(id: &str) -> Answer {
    let tracking = id.replacen("shipment-", "TRK-", 1).to_uppercase();
    (StatusCode::OK, json!({ "id": id, "tracking_id": tracking }))
}

/// An error with a machine-readable code.
pub(super) fn refusal(status: StatusCode, code: &str) -> Answer {
    (status, json!({ "code": code }))
}
