//! Names of things, each with its own type so that one cannot be passed for another.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as text, the way it is written in JSON.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<String>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// The shop's number for an order, such as `A-1042`.
    OrderId
);
id!(
    /// Who placed an order.
    CustomerId
);
id!(
    /// A kind of article in stock.
    Sku
);
id!(
    /// Stock set aside for one order.
    ReservationId
);
id!(
    /// Money taken for one order.
    ChargeId
);
id!(
    /// Parcels on their way for one order.
    ShipmentId
);
id!(
    /// The carrier's number, with which the customer follows a shipment.
    TrackingId
);

/// What the payment provider gave out in place of a card number. Whoever has it can charge the card.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct CardToken(String);

impl CardToken {
    /// The token itself, for the request that charges the card and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for CardToken {
    fn from(token: T) -> Self {
        Self(token.into())
    }
}

impl fmt::Debug for CardToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardToken(..)")
    }
}
