use sealane_dev::gateway::{Effect, Operation, Request};
use sealane_tests::orders::order;
use sealane_workflows::orders::{Address, Receipt};
use serde_json::json;

use super::judge;
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

/// A gateway at which this happened.
fn book(happened: &[Operation]) -> Book {
    let requests = happened.iter().map(|&operation| Request {
        operation,
        key: format!("{operation:?}"),
        body: json!({"id": thing(operation), "order_id": "A-1"}).to_string(),
    });
    let effects = happened.iter().map(|&operation| Effect {
        operation,
        id: thing(operation).to_owned(),
        key: format!("{operation:?}"),
    });
    Book::read(&requests.collect::<Vec<_>>(), &effects.collect::<Vec<_>>())
}

fn deal(wish: Wish, end: End) -> Deal {
    let wanted = Wanted {
        order: order("A-1", &["tea", "cup"]),
        wish,
        after: std::time::Duration::ZERO,
    };
    Deal {
        wanted,
        readdressed: false,
        end,
    }
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
        reason: Wanted::reason(),
    }))
}

fn failed(kind: &str) -> End {
    End::Failed(kind.to_owned())
}

#[test]
fn right_ends_are_accepted() {
    for (wish, end, happened) in [
        (Wish::Nothing, shipped(), &ALL[..]),
        (Wish::ToReaddress, shipped_to(Wanted::elsewhere()), &ALL),
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
        (Wish::Nothing, shipped_to(Wanted::elsewhere()), &ALL),
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
    let mut deal = deal(Wish::ToReaddress, shipped());
    assert_eq!(judge(&deal, &book(&ALL)), None);
    deal.readdressed = true;
    assert!(judge(&deal, &book(&ALL)).is_some());
}
