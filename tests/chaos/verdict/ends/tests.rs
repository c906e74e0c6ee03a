use std::collections::BTreeMap;

use sealane_dev::gateway::{Effect, Operation, Request};
use sealane_tests::orders::{address, order};
use sealane_workflows::orders::{Address, Receipt};
use serde_json::{Value, json};

use super::{MANY, judge, unheard};
use crate::{
    trade::{Deal, End},
    verdict::Book,
    wish::{Wanted, Wish},
};

use Operation::{Charge, Pack, Recall, Refund, Release, Reserve, Ship};

/// What happens for an order of two parcels that is shipped.
const ALL: [Operation; 5] = [Reserve, Charge, Ship, Pack(0), Pack(1)];

fn thing(operation: Operation) -> &'static str {
    match operation {
        Reserve | Release => "r",
        Charge | Refund => "c",
        _ => "s",
    }
}

/// The request for this, as an order of two parcels that goes to `address` needs it.
fn body(operation: Operation, address: &Address) -> Value {
    let order = order("A-1", &["tea", "cup"]);
    let mut body = json!({"id": thing(operation), "order_id": "A-1"});
    body["items"] = json!(order.items);
    body["amount"] = json!(order.amount);
    body["currency"] = json!(order.currency);
    body["card_token"] = json!(order.card_token);
    body["address"] = json!(address);
    body
}

/// A gateway at which this happened, with the order's own address.
fn book(happened: &[Operation]) -> Book {
    book_with(happened, |operation| {
        body(operation, &order("A-1", &[]).address)
    })
}

fn book_with(happened: &[Operation], body: impl Fn(Operation) -> Value) -> Book {
    let requests = happened.iter().map(|&operation| Request {
        operation,
        id: thing(operation).to_owned(),
        key: format!("{operation:?}"),
        body: body(operation).to_string(),
    });
    let effects = happened.iter().map(|&operation| Effect {
        operation,
        id: thing(operation).to_owned(),
        key: format!("{operation:?}"),
    });
    Book::read(&requests.collect::<Vec<_>>(), &effects.collect::<Vec<_>>())
}

fn wanted(wish: Wish) -> Wanted {
    Wanted {
        order: order("A-1", &["tea", "cup"]),
        wish,
        after: std::time::Duration::ZERO,
    }
}

fn deal(wish: Wish, end: End) -> Deal {
    Deal {
        wanted: wanted(wish),
        readdressed: false,
        end,
    }
}

fn elsewhere() -> Address {
    wanted(Wish::ToReaddress).elsewhere()
}

fn shipped_to(address: Address) -> End {
    End::With(Box::new(Receipt::Shipped {
        order_id: "A-1".into(),
        reservation_id: "r".into(),
        charge_id: "c".into(),
        shipment_id: "s".into(),
        tracking_id: "t".into(),
        address,
    }))
}

fn shipped() -> End {
    shipped_to(order("A-1", &[]).address)
}

fn cancelled() -> End {
    End::With(Box::new(Receipt::Cancelled {
        order_id: "A-1".into(),
        reason: wanted(Wish::ToCancel).reason(),
    }))
}

fn failed(kind: &str) -> End {
    End::Failed(kind.to_owned())
}

#[test]
fn right_ends_are_accepted() {
    for (wish, end, happened) in [
        (Wish::Nothing, shipped(), &ALL[..]),
        (Wish::ToReaddress, shipped(), &ALL),
        (Wish::ToCancel, shipped(), &ALL),
        (Wish::ToCancel, cancelled(), &[]),
        (
            Wish::ToCancel,
            cancelled(),
            &[Reserve, Charge, Refund, Release],
        ),
        (
            Wish::ToWithdraw,
            End::Withdrawn,
            &[Reserve, Charge, Ship, Pack(0), Recall, Refund, Release],
        ),
        (Wish::ToWithdraw, failed("NotUndone"), &ALL),
        (Wish::TheImpossible, failed("OutOfStock"), &[]),
        (Wish::ToPayLater, failed("Declined"), &[Reserve, Release]),
    ] {
        assert_eq!(judge(&deal(wish, end), &book(happened)), None);
    }
}

#[test]
fn wrong_ends_are_not() {
    for (wish, end, happened) in [
        // Something was not done, or was undone.
        (Wish::Nothing, shipped(), &ALL[..4]),
        (Wish::Nothing, shipped(), &[Reserve, Ship, Pack(0), Pack(1)]),
        (
            Wish::Nothing,
            shipped(),
            &[Reserve, Charge, Ship, Pack(0), Pack(1), Refund],
        ),
        // Something was done and not undone.
        (Wish::ToCancel, cancelled(), &[Reserve, Charge, Release]),
        (Wish::ToWithdraw, End::Withdrawn, &ALL),
        (
            Wish::ToWithdraw,
            failed("NotUndone"),
            &[Reserve, Charge, Ship, Pack(0)],
        ),
        (
            Wish::ToWithdraw,
            failed("NotUndone"),
            &[Reserve, Charge, Ship, Pack(0), Pack(1), Refund],
        ),
        (Wish::TheImpossible, failed("OutOfStock"), &[Reserve]),
        (
            Wish::ToPayLater,
            failed("Declined"),
            &[Reserve, Charge, Release],
        ),
        // Nobody wanted that.
        (Wish::Nothing, cancelled(), &[]),
        (Wish::ToCancel, End::Withdrawn, &[]),
        (Wish::Nothing, failed("Declined"), &[Reserve, Release]),
        (Wish::Nothing, failed("TimedOut"), &[]),
        (Wish::Nothing, shipped_to(elsewhere()), &ALL),
        (Wish::Nothing, shipped_to(address("another's")), &ALL),
        (Wish::ToPayLater, shipped(), &ALL),
        (
            Wish::Nothing,
            End::Odd("Workflow timed out".to_owned()),
            &[],
        ),
    ] {
        let deal = deal(wish, end);
        assert!(judge(&deal, &book(happened)).is_some(), "{deal:?}");
    }
}

#[test]
fn an_address_that_was_confirmed_must_be_the_one() {
    let mut home = deal(Wish::ToReaddress, shipped());
    assert_eq!(judge(&home, &book(&ALL)), None);
    home.readdressed = true;
    assert!(judge(&home, &book(&ALL)).is_some());

    let mut away = deal(Wish::ToReaddress, shipped_to(elsewhere()));
    let book = book_with(&ALL, |operation| body(operation, &elsewhere()));
    assert_eq!(judge(&away, &book), None);
    away.readdressed = true;
    assert_eq!(judge(&away, &book), None);
}

#[test]
fn what_the_gateway_was_asked_must_be_what_was_ordered() {
    let order = order("A-1", &["tea", "cup"]);
    for (operation, field, wrong) in [
        (Reserve, "items", json!([])),
        (Charge, "amount", json!(order.amount + 1)),
        (Charge, "card_token", json!("another's")),
        (Ship, "address", json!(address("another's"))),
        (Ship, "items", json!([])),
        (Ship, "address", Value::Null),
    ] {
        let book = book_with(&ALL, |of| {
            let mut body = body(of, &order.address);
            if of == operation {
                body[field] = wrong.clone();
            }
            body
        });
        let objection = judge(&deal(Wish::Nothing, shipped()), &book);
        assert!(objection.is_some(), "{operation:?} with {field} {wrong}");
    }
}

#[test]
fn an_order_that_was_undone_must_have_been_asked_for_rightly_too() {
    let done = [Reserve, Charge, Refund, Release];
    let book = book_with(&done, |operation| {
        let mut body = body(operation, &order("A-1", &[]).address);
        body["amount"] = json!(1);
        body
    });
    assert!(judge(&deal(Wish::ToCancel, cancelled()), &book).is_some());
}

#[test]
fn messages_that_never_have_an_effect_are_seen() {
    let mut ends: BTreeMap<_, _> = ["shipped", "cancelled", "withdrawn", "shipped elsewhere"]
        .map(|end| (end.to_owned(), 1))
        .into();
    assert_eq!(unheard(&ends, MANY), [""; 0]);
    ends.remove("cancelled");
    assert_eq!(unheard(&ends, MANY).len(), 1);
    assert_eq!(unheard(&ends, MANY - 1), [""; 0], "too few to say");
}
