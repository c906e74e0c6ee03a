use reqwest::header::{HeaderMap, RETRY_AFTER};
use temporalio_common::error::ApplicationFailure;

use super::{Call, Gateway, Operation, OrderId, StatusCode};

fn kind(call: &Call<'_>, status: u16, headers: &HeaderMap, body: &str) -> String {
    let status = StatusCode::from_u16(status).unwrap();
    let failure = ApplicationFailure::from(call.refused(status, headers, body.as_bytes()));
    let retried = if failure.is_non_retryable() {
        "final"
    } else {
        "retried"
    };
    format!("{} {retried}", failure.type_name().unwrap())
}

#[test]
fn every_status_has_its_verdict() {
    let order = OrderId::from("A-1042");
    let call = Operation::ChargeCard.on(&order, "charge-1");
    let wait = HeaderMap::from_iter([(RETRY_AFTER, "1".parse().unwrap())]);
    let none = HeaderMap::new();

    let verdicts = [
        (302, &none, "", "Rejected final"),
        (400, &none, "", "Rejected final"),
        (402, &none, r#"{"code":"stolen_card"}"#, "Declined final"),
        (404, &none, "", "Rejected final"),
        (408, &none, "", "Unanswered retried"),
        (409, &none, r#"{"code":"out_of_stock"}"#, "OutOfStock final"),
        (409, &none, r#"{"code":"undone"}"#, "Rejected final"),
        (422, &none, "", "Rejected final"),
        (429, &none, "", "Throttled retried"),
        (429, &wait, "", "Throttled retried"),
        (500, &none, "", "Unanswered retried"),
        (503, &none, "", "Unanswered retried"),
        (503, &wait, "", "Throttled retried"),
    ];

    for (status, headers, body, verdict) in verdicts {
        assert_eq!(
            kind(&call, status, headers, body),
            verdict,
            "{status} {body}"
        );
    }
}

#[test]
fn a_success_counts_only_if_it_confirms_what_was_asked() {
    let order = OrderId::from("A-1042");
    let call = Operation::ChargeCard.on(&order, "charge-1");

    assert!(call.confirmed(br#"{"id":"charge-1"}"#).is_ok());
    for answer in ["", "<html>", "{}", r#"{"id":"charge-2"}"#] {
        assert!(call.confirmed(answer.as_bytes()).is_err(), "{answer}");
    }
}

#[test]
fn ids_cannot_lead_a_request_astray() {
    let gateway = Gateway::new("http://gateway/api/".parse().unwrap()).unwrap();
    let order = OrderId::from("A-1042");

    let url = gateway.url(&["charges", "../a b/ü", "refund"]);
    let key = Operation::RefundCharge.on(&order, "a b\nü").part(2).key();

    assert_eq!(
        url.as_str(),
        "http://gateway/api/charges/..%2Fa%20b%2F%C3%BC/refund"
    );
    assert_eq!(key, "refund-the-charge/a+b%0A%C3%BC/2");
}
