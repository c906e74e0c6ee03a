use super::{Address, Item, Order};
use crate::orders::InvalidOrder;

fn order() -> Order {
    Order {
        id: "A-1042".into(),
        customer: "ada".into(),
        items: vec![Item {
            sku: "tea".into(),
            quantity: 2,
        }],
        amount: 1250,
        currency: "EUR".to_owned(),
        card_token: "tok_visa".into(),
        address: Address {
            name: "Ada Lovelace".to_owned(),
            street: "12 St James's Square".to_owned(),
            postal_code: "SW1Y 4JH".to_owned(),
            city: "London".to_owned(),
            country: "GB".to_owned(),
        },
    }
}

fn refusal(change: impl FnOnce(&mut Order)) -> InvalidOrder {
    let mut order = order();
    change(&mut order);
    order.validate().unwrap_err()
}

#[test]
fn a_complete_order_is_accepted() {
    assert_eq!(order().validate(), Ok(()));
}

#[test]
fn every_field_that_must_not_be_empty_is_named_when_it_is() {
    let refusals = [
        ("id", refusal(|order| order.id = " ".into())),
        ("customer", refusal(|order| order.customer = "".into())),
        (
            "items[].sku",
            refusal(|order| order.items[0].sku = "".into()),
        ),
        ("card_token", refusal(|order| order.card_token = "".into())),
        ("address.name", refusal(|order| order.address.name.clear())),
        (
            "address.street",
            refusal(|order| order.address.street.clear()),
        ),
        (
            "address.postal_code",
            refusal(|order| order.address.postal_code.clear()),
        ),
        ("address.city", refusal(|order| order.address.city.clear())),
        (
            "address.country",
            refusal(|order| order.address.country.clear()),
        ),
    ];

    for (field, refusal) in refusals {
        assert_eq!(refusal, InvalidOrder::Empty { field });
    }
}

#[test]
fn an_order_of_nothing_for_nothing_is_refused() {
    assert_eq!(refusal(|order| order.items.clear()), InvalidOrder::NoItems);
    assert_eq!(refusal(|order| order.amount = 0), InvalidOrder::NoAmount);
    assert_eq!(
        refusal(|order| order.items[0].quantity = 0),
        InvalidOrder::NoQuantity { sku: "tea".into() }
    );
}

#[test]
fn a_currency_is_three_capital_letters() {
    for currency in ["", "eur", "EURO", "€UR"] {
        let expected = InvalidOrder::Currency {
            currency: currency.to_owned(),
        };
        assert_eq!(
            refusal(|order| order.currency = currency.to_owned()),
            expected
        );
    }
}

#[test]
fn printing_an_order_shows_neither_card_nor_address() {
    let printed = format!("{:?}", order());

    assert!(printed.contains("A-1042"), "{printed}");
    for secret in ["tok_visa", "Lovelace", "James", "SW1Y"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
