//! What a customer ordered, and which orders make sense.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CardToken, CustomerId, InvalidOrder, OrderId, Sku};

/// An order as the shop sends it: the input of [`OrderWorkflow`](super::OrderWorkflow).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Order {
    /// The shop's number for the order.
    pub id: OrderId,
    /// Who placed it.
    pub customer: CustomerId,
    /// What to send, one parcel per entry.
    pub items: Vec<Item>,
    /// Price of everything together, in the currency's smallest unit: 1250 is 12.50 EUR, or 1250 JPY.
    pub amount: u64,
    /// ISO 4217 code such as `EUR`.
    pub currency: String,
    /// What to charge.
    pub card_token: CardToken,
    /// Where to send it. `change_address` replaces it until shipping starts.
    pub address: Address,
}

/// A number of equal articles.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Item {
    /// Which article.
    pub sku: Sku,
    /// How many of it, at least one.
    pub quantity: u32,
}

/// Where to send an order.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
pub struct Address {
    /// Who opens the door.
    pub name: String,
    /// Street and house number.
    pub street: String,
    /// Postal code, in whatever form the country uses.
    pub postal_code: String,
    /// Town or city.
    pub city: String,
    /// Country, in words or as a code.
    pub country: String,
}

impl Order {
    /// Whether the order can be worked on at all. Decided from the order alone, so every replay decides alike.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, in declaration order of the fields. Never quotes the card token or the address.
    pub fn validate(&self) -> Result<(), InvalidOrder> {
        present("id", self.id.as_str())?;
        present("customer", self.customer.as_str())?;
        if self.items.is_empty() {
            return Err(InvalidOrder::NoItems);
        }
        self.items.iter().try_for_each(Item::validate)?;
        if self.amount == 0 {
            return Err(InvalidOrder::NoAmount);
        }
        validate_currency(&self.currency)?;
        present("card_token", self.card_token.expose())?;
        self.address.validate()
    }
}

impl Item {
    fn validate(&self) -> Result<(), InvalidOrder> {
        present("items[].sku", self.sku.as_str())?;
        if self.quantity == 0 {
            return Err(InvalidOrder::NoQuantity {
                sku: self.sku.clone(),
            });
        }
        Ok(())
    }
}

impl Address {
    /// Whether a parcel could be labelled with this address.
    ///
    /// # Errors
    ///
    /// [`InvalidOrder::Empty`] with the name of the first empty field.
    pub fn validate(&self) -> Result<(), InvalidOrder> {
        present("address.name", &self.name)?;
        present("address.street", &self.street)?;
        present("address.postal_code", &self.postal_code)?;
        present("address.city", &self.city)?;
        present("address.country", &self.country)
    }
}

impl fmt::Debug for Address {
    // Where somebody lives does not belong in logs and failure messages, where `{:?}` tends to end up.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

fn present(field: &'static str, text: &str) -> Result<(), InvalidOrder> {
    if text.trim().is_empty() {
        return Err(InvalidOrder::Empty { field });
    }
    Ok(())
}

fn validate_currency(currency: &str) -> Result<(), InvalidOrder> {
    if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(InvalidOrder::Currency {
        currency: currency.to_owned(),
    })
}

#[cfg(test)]
mod tests;
