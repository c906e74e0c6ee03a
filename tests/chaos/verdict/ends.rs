//! Whether orders ended as they may, and whether that agrees with what the gateway did.

use std::collections::BTreeMap;

use sealane_dev::gateway::Operation;
use sealane_workflows::orders::{
    Address, Receipt,
    request::{Charge, Reservation, Shipment},
};
use serde::de::DeserializeOwned;

use super::Book;
use crate::{
    trade::{Deal, End},
    wish::{Wanted, Wish},
};

/// Said of an end that should not exist.
const ODD: &str = "no order may end like that";

/// Whatever is made, and how it is undone.
const UNDONE_BY: [(Operation, Operation); 3] = [
    (Operation::Reserve, Operation::Release),
    (Operation::Charge, Operation::Refund),
    (Operation::Ship, Operation::Recall),
];

/// The ends that take a message: a signal, a cancellation, an update.
const BY_MESSAGE: [&str; 3] = ["cancelled", "withdrawn", "shipped elsewhere"];

/// Among so many orders there are dozens whose customers send each message, some of them at once.
const MANY: usize = 300;

/// Returns what is wrong with the end of an order; nothing if it is the right one.
pub(crate) fn judge(deal: &Deal, book: &Book) -> Option<String> {
    let problem = match &deal.end {
        End::With(receipt) => fulfilled(deal, receipt, book),
        End::Withdrawn => undone(deal, book, deal.wanted.wish == Wish::ToWithdraw),
        End::Failed(kind) => failed(deal, book, kind),
        End::Odd(_) => Some(ODD.to_owned()),
    };
    let problem = problem.or_else(|| asked_otherwise(deal, book));
    let order = &deal.wanted.order.id;
    problem.map(|it| {
        format!(
            "{order} ({:?}) ended as {:?}: {it}",
            deal.wanted.wish, deal.end
        )
    })
}

/// Returns how many orders ended in which way.
pub(crate) fn count<'a>(deals: impl Iterator<Item = &'a Deal>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for deal in deals {
        let end = match &deal.end {
            End::With(receipt) => match **receipt {
                Receipt::Shipped { .. } if deal.readdressed => "shipped elsewhere",
                Receipt::Shipped { .. } => "shipped",
                _ => "cancelled",
            },
            End::Withdrawn => "withdrawn",
            End::Failed(kind) => kind,
            End::Odd(_) => "odd",
        };
        *counts.entry(end.to_owned()).or_default() += 1;
    }
    counts
}

/// Returns which messages had no effect on any order, if there were many. One may always come too late, but not all of
/// them: they must have been lost.
pub(crate) fn unheard(ends: &BTreeMap<String, usize>, orders: usize) -> Vec<String> {
    let missing = BY_MESSAGE
        .iter()
        .filter(|end| orders >= MANY && !ends.contains_key(**end));
    missing
        .map(|end| format!("of {orders} orders none ended as {end}"))
        .collect()
}

fn fulfilled(deal: &Deal, receipt: &Receipt, book: &Book) -> Option<String> {
    match receipt {
        Receipt::Shipped { .. } => shipped(deal, receipt, book),
        Receipt::Cancelled { reason, .. } => {
            let asked = deal.wanted.wish == Wish::ToCancel && *reason == deal.wanted.reason();
            undone(deal, book, asked)
        }
        _ => Some(ODD.to_owned()),
    }
}

/// Everything was done once, nothing undone, and the receipt says what was done.
fn shipped(deal: &Deal, receipt: &Receipt, book: &Book) -> Option<String> {
    let Wanted { order, wish, .. } = &deal.wanted;
    let Receipt::Shipped {
        order_id,
        reservation_id,
        charge_id,
        shipment_id,
        address,
        ..
    } = receipt
    else {
        return None;
    };
    let id = order.id.as_str();
    if matches!(wish, Wish::TheImpossible | Wish::ToPayLater) {
        return Some("it could not be fulfilled".to_owned());
    }
    let [reservation, charge, shipment] = UNDONE_BY.map(|(made, _)| book.made(id, made));
    let said = [
        reservation_id.as_str(),
        charge_id.as_str(),
        shipment_id.as_str(),
    ];
    if order_id != &order.id || [reservation, charge, shipment] != said.map(Some) {
        return Some(format!(
            "the gateway made {reservation:?}, {charge:?} and {shipment:?}"
        ));
    }
    if book.packed(id) != order.items.len() {
        return Some(format!("{} parcels were packed", book.packed(id)));
    }
    let labelled = parsed::<Shipment>(book.body(id, Operation::Ship));
    if !may_go_to(deal, address) || labelled.is_none_or(|it| it.address != *address) {
        return Some("it went to the wrong address".to_owned());
    }
    undoings(id, book)
}

/// Whether an order may be sent there: to its own address, or to the one that its customer asked for instead. Once that
/// is confirmed, nowhere else.
fn may_go_to(deal: &Deal, address: &Address) -> bool {
    let Deal {
        wanted,
        readdressed,
        ..
    } = deal;
    let home = !readdressed && *address == wanted.order.address;
    let elsewhere = wanted.wish == Wish::ToReaddress && *address == wanted.elsewhere();
    home || elsewhere
}

/// Returns what the gateway was asked to do, and did, but was not what was ordered, whether it was undone or not.
fn asked_otherwise(deal: &Deal, book: &Book) -> Option<String> {
    let order = &deal.wanted.order;
    let id = order.id.as_str();
    let is_wrong = |made| match made {
        Operation::Reserve => differs(book.body(id, made), |it: &Reservation| {
            it.items == order.items
        }),
        Operation::Charge => differs(book.body(id, made), |it: &Charge| {
            let same = it.amount == order.amount && it.currency == order.currency;
            same && it.card_token == order.card_token
        }),
        _ => differs(book.body(id, made), |it: &Shipment| {
            it.items == order.items && may_go_to(deal, &it.address)
        }),
    };
    let mut made = UNDONE_BY.iter().map(|(made, _)| *made);
    let wrong = made.find(|made| is_wrong(*made))?;
    Some(format!("{wrong:?} was not asked for as it was ordered"))
}

/// Whether there is a request and it is not `right`, or cannot be read.
fn differs<T: DeserializeOwned>(body: Option<&str>, right: impl FnOnce(&T) -> bool) -> bool {
    body.is_some() && !parsed(body).is_some_and(|it| right(&it))
}

fn parsed<T: DeserializeOwned>(body: Option<&str>) -> Option<T> {
    serde_json::from_str(body?).ok()
}

/// Whatever was done was undone, and that was wanted.
fn undone(deal: &Deal, book: &Book, wanted: bool) -> Option<String> {
    if !wanted {
        return Some("nobody had asked for that".to_owned());
    }
    all_undone(deal.wanted.order.id.as_str(), book)
}

fn failed(deal: &Deal, book: &Book, kind: &str) -> Option<String> {
    let Wanted { order, wish, .. } = &deal.wanted;
    let id = order.id.as_str();
    let may = match kind {
        "OutOfStock" => *wish == Wish::TheImpossible,
        "Declined" => *wish == Wish::ToPayLater,
        // The last parcel was out before the worker heard of it: somebody has to look, and nothing may be undone.
        "NotUndone" if *wish == Wish::ToWithdraw => {
            let out = book.packed(id) == order.items.len();
            return match out {
                true => undoings(id, book),
                false => Some("it could have been undone".to_owned()),
            };
        }
        _ => false,
    };
    undone(deal, book, may)
}

fn all_undone(order: &str, book: &Book) -> Option<String> {
    let left = UNDONE_BY.iter().find(|(made, undone)| {
        let [made, undone] = [made, undone].map(|it| book.times(order, *it));
        made > 1 || made != undone
    });
    let (made, _) = left?;
    Some(format!("{made:?} was not undone"))
}

/// Returns what was undone, if anything was.
fn undoings(order: &str, book: &Book) -> Option<String> {
    let (_, undone) = UNDONE_BY
        .iter()
        .find(|(_, undone)| book.times(order, *undone) > 0)?;
    Some(format!("{undone:?} was done"))
}

#[cfg(test)]
mod tests;
