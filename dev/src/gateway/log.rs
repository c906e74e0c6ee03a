//! What was asked of the gateway, and what came of it.

use serde::Serialize;

use super::Operation;

/// Everything since the start.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Log {
    /// Requests in the order of arrival.
    pub requests: Vec<Request>,
    /// Effects in the order in which they happened.
    pub effects: Vec<Effect>,
}

/// A request, whatever became of it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Request {
    /// What it asked for.
    pub operation: Operation,
    /// Of which reservation, charge or shipment; empty if it named none.
    pub id: String,
    /// Its `Idempotency-Key`; empty if it had none.
    pub key: String,
    /// Its body, as it came.
    pub body: String,
}

/// Something that happened, exactly once.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Effect {
    /// What happened.
    pub operation: Operation,
    /// To which reservation, charge or shipment.
    pub id: String,
    /// The `Idempotency-Key` of the request that did it.
    pub key: String,
}

impl Log {
    /// How many requests of one kind came, served or not.
    pub fn requests_of(&self, operation: Operation) -> usize {
        self.requests
            .iter()
            .filter(|request| request.operation == operation)
            .count()
    }

    /// How often one kind of thing happened.
    pub fn effects_of(&self, operation: Operation) -> usize {
        self.effects
            .iter()
            .filter(|effect| effect.operation == operation)
            .count()
    }
}
