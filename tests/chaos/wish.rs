//! What the customer of an order wants, which is decided by the seed too.

use std::time::Duration;

use sealane_tests::orders::{address, order};
use sealane_workflows::orders::{Address, Order};

use crate::chance::Chance;

/// In every order, wherever there is room: found nowhere by chance, and nowhere but in payloads.
pub(crate) const CANARY: &str = "canary-9d03b7f64e21";

/// In every workflow id, which is no secret. Proves that a search finds what is there.
pub(crate) const IN_THE_CLEAR: &str = "chaos-order";

/// There is none of it.
pub(crate) const SOLD_OUT: &str = "canary-9d03b7f64e21-unicorn";

/// A card that is declined.
pub(crate) const DECLINED: &str = "canary-9d03b7f64e21-tok-declined";

/// What the customer does after ordering.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Wish {
    /// Waits.
    Nothing,
    /// Wants it sent elsewhere: an update.
    ToReaddress,
    /// Changes their mind: a signal.
    ToCancel,
    /// Changes their mind: a cancellation by Temporal, which counts during shipping too.
    ToWithdraw,
    /// Orders what is sold out.
    TheImpossible,
    /// Orders with a card that is declined.
    ToPayLater,
}

/// An order, and what its customer will want.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The order.
    pub(crate) order: Order,
    /// What the customer wants.
    pub(crate) wish: Wish,
    /// After how long they say so.
    pub(crate) after: Duration,
}

impl Wanted {
    /// Returns the order with this number.
    pub(crate) fn new(seed: u64, number: usize) -> Self {
        let mut chance = Chance::of_one(seed, number);
        let wish = match chance.below(100) {
            0..40 => Wish::Nothing,
            40..60 => Wish::ToReaddress,
            60..75 => Wish::ToCancel,
            75..85 => Wish::ToWithdraw,
            85..93 => Wish::TheImpossible,
            _ => Wish::ToPayLater,
        };
        let skus: Vec<_> = (0..chance.between(1, 2))
            .map(|it| format!("{CANARY}-tea-{it}"))
            .collect();
        let mut skus: Vec<&str> = skus.iter().map(String::as_str).collect();
        if wish == Wish::TheImpossible {
            skus.push(SOLD_OUT);
        }
        let mut order = order(&format!("{IN_THE_CLEAR}-{number}"), &skus);
        // The number is in everything, so that whatever is taken from another order shows.
        order.customer = format!("{CANARY}-customer-{number}").into();
        order.amount = 1000 + number as u64;
        order.address = address(&format!("{CANARY}-street-{number}"));
        order.card_token = match wish {
            Wish::ToPayLater => DECLINED.into(),
            _ => format!("{CANARY}-tok-{number}").into(),
        };
        // Some say so at once: where nothing is slow, an order is on its way within a tenth of a second.
        let after = match chance.below(3) {
            0 => Duration::ZERO,
            _ => chance.millis(0, 1500),
        };
        Self { order, wish, after }
    }

    /// Returns where the customer would rather have it sent.
    pub(crate) fn elsewhere(&self) -> Address {
        address(&format!("{CANARY}-elsewhere-{}", self.order.id))
    }

    /// Returns why the customer does not want it any more.
    pub(crate) fn reason(&self) -> String {
        format!("{CANARY}-reason-{}", self.order.id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Wanted;

    #[test]
    fn few_hundred_orders_hold_every_wish_several_times() {
        for seed in 0..20 {
            let mut wishes = BTreeMap::new();
            for number in 0..300 {
                let wish = format!("{:?}", Wanted::new(seed, number).wish);
                *wishes.entry(wish).or_insert(0) += 1;
            }
            assert_eq!(wishes.len(), 6, "{wishes:?}");
            assert!(wishes.values().all(|count| *count >= 5), "{wishes:?}");
        }
    }

    #[test]
    fn no_two_orders_are_alike() {
        let [one, other] = [1, 2].map(|number| Wanted::new(7, number));
        assert_ne!(one.order.customer, other.order.customer);
        assert_ne!(one.order.amount, other.order.amount);
        assert_ne!(one.order.address.street, other.order.address.street);
        assert_ne!(one.elsewhere().street, other.elsewhere().street);
        assert_ne!(one.reason(), other.reason());
    }
}
