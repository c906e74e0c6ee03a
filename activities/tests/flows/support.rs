//! Requests as the workflow makes them, and what is left of an activity's failure on the way to the server.

use std::{error::Error, time::Duration};

use sealane_activities::orders::Orders;
use sealane_dev::gateway::Gateway;
use sealane_workflows::orders::{
    Address, Item,
    request::{Charge, Recall, Refund, Release, Reservation, Shipment},
};
use temporalio_sdk::{
    activities::{ActivityError, ExecutableActivity},
    testing::{ActivityEnvironment, ActivityEnvironmentError},
};

/// What must never turn up in a failure.
pub(crate) const SECRETS: [&str; 3] = ["tok_visa_4242", "Lovelace", "St James"];

/// What Temporal gets to know about a failure.
#[derive(Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) kind: String,
    pub(crate) retried: bool,
    pub(crate) delay: Option<Duration>,
}

impl Verdict {
    pub(crate) fn final_as(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            retried: false,
            delay: None,
        }
    }

    pub(crate) fn retried_as(kind: &str) -> Self {
        Self {
            retried: true,
            ..Self::final_as(kind)
        }
    }
}

pub(crate) fn orders(gateway: &Gateway) -> Orders {
    let url = gateway
        .url()
        .parse()
        .expect("a gateway that listens has a URL");
    Orders::new(url).expect("a client needs nothing from outside")
}

pub(crate) async fn run<A: ExecutableActivity>(
    gateway: &Gateway,
    activity: A,
    request: A::Input,
) -> Result<A::Output, Verdict> {
    let env = ActivityEnvironment::builder()
        .register_activities(orders(gateway))
        .build();
    verdict(env.run(activity, request).await)
}

/// Reduces a failure to its verdict, after making sure that its whole chain of texts tells no secrets.
pub(crate) fn verdict<T>(outcome: Result<T, ActivityEnvironmentError>) -> Result<T, Verdict> {
    outcome.map_err(|error| {
        let ActivityEnvironmentError::Activity(ActivityError::Application(failure)) = error else {
            panic!("not an application failure: {error:?}");
        };
        let texts = chain(&failure);
        assert!(texts.contains("A-1042"), "names no order: {texts}");
        for secret in SECRETS {
            assert!(!texts.contains(secret), "tells a secret: {texts}");
        }
        Verdict {
            kind: failure.type_name().unwrap_or_default().to_owned(),
            retried: !failure.is_non_retryable(),
            delay: failure.next_retry_delay(),
        }
    })
}

fn chain(error: &dyn Error) -> String {
    let mut texts = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        texts = format!("{texts}; {error}");
        source = error.source();
    }
    texts
}

fn items() -> Vec<Item> {
    ["tea", "cup", "pot"]
        .map(|sku| Item {
            sku: sku.into(),
            quantity: 2,
        })
        .to_vec()
}

pub(crate) fn reservation() -> Reservation {
    Reservation {
        id: "reservation-1".into(),
        order_id: "A-1042".into(),
        items: items(),
    }
}

pub(crate) fn charge() -> Charge {
    Charge {
        id: "charge-1".into(),
        order_id: "A-1042".into(),
        amount: 1250,
        currency: "EUR".to_owned(),
        card_token: SECRETS[0].into(),
    }
}

pub(crate) fn shipment() -> Shipment {
    Shipment {
        id: "shipment-1".into(),
        order_id: "A-1042".into(),
        address: Address {
            name: format!("Ada {}", SECRETS[1]),
            street: format!("12 {} Square", SECRETS[2]),
            postal_code: "SW1Y 4JH".to_owned(),
            city: "London".to_owned(),
            country: "GB".to_owned(),
        },
        items: items(),
    }
}

pub(crate) fn release() -> Release {
    Release {
        id: "reservation-1".into(),
        order_id: "A-1042".into(),
    }
}

pub(crate) fn refund() -> Refund {
    Refund {
        id: "charge-1".into(),
        order_id: "A-1042".into(),
    }
}

pub(crate) fn recall() -> Recall {
    Recall {
        id: "shipment-1".into(),
        order_id: "A-1042".into(),
    }
}
