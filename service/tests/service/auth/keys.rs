//! The issuer's keys: rotation, outages, and documents that are not to be trusted.

use std::{net::IpAddr, time::Duration};

use futures_util::FutureExt;
use sealane_service::{
    auth::Denied,
    probes::{self, Health, Metrics},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tower::ServiceExt;

use super::Authority;
use crate::issuer::{Answer, Issuer, SUBJECT};

/// Longest time that anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest queue for one look at the issuer.
const WAITING: usize = 16;

#[tokio::test]
async fn a_new_key_is_looked_for_once_and_the_old_one_is_gone() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;
    let old = issuer.token(&Value::Null);
    assert!(authority.sees(&old).await.is_ok());
    assert_eq!(issuer.fetches(), 1);

    issuer.rotate();
    let new = issuer.token(&Value::Null);
    let looks = (0..WAITING).map(|_| authority.sees(&new));
    for seen in futures_util::future::join_all(looks).await {
        assert_eq!(seen.unwrap().name(), SUBJECT);
    }
    assert_eq!(issuer.fetches(), 2, "those who wait share a look");
    authority.refuses(&old, "key").await;
}

#[tokio::test]
async fn names_of_keys_that_nobody_has_do_not_reach_the_issuer_again_and_again() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;

    for number in 0..100_u8 {
        let header = json!({ "alg": "RS256", "kid": format!("made-up-{number}") });
        let bearer = format!("Bearer {}", issuer.with_header(&header, &Value::Null));
        let peer = IpAddr::from([203, 0, 113, number]);
        let seen = authority
            .sees_from(peer, &[("authorization", &bearer)])
            .await;
        assert_eq!(seen.unwrap_err(), Denied::Unauthenticated);
    }

    assert_eq!(issuer.fetches(), 2);
    assert_eq!(authority.refused("key").await, 100);
}

#[tokio::test]
async fn an_outage_does_not_touch_keys_that_are_loaded() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;

    issuer.stop();
    assert!(authority.sees(&issuer.token(&Value::Null)).await.is_ok());
    assert!(authority.sees(&issuer.elliptic(&Value::Null)).await.is_ok());
    issuer.rotate();
    authority.refuses(&issuer.token(&Value::Null), "key").await;
    assert!(authority.counter("sealane_auth_jwks_failures_total").await >= 1);
    let page = authority.metrics.render().await;
    assert!(page.contains("\nsealane_auth_jwks_age_seconds "), "{page}");
}

async fn readiness(health: &Health) -> (u16, Value) {
    let router = probes::router(health.clone(), Metrics::new());
    let request = axum::extract::Request::get("/readyz");
    let request = request.body(axum::body::Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    (status, serde_json::from_slice(&body.unwrap()).unwrap())
}

#[tokio::test]
async fn without_any_key_tokens_wait_for_the_issuer() {
    let issuer = Issuer::start().await.unwrap();
    issuer.stop();
    let authority = Authority::over(&issuer).await;
    let health = Health::new();
    health.readiness().ready();
    authority.authenticator.expose(&health);
    let token = issuer.token(&Value::Null);

    let denied = authority.sees(&token).await.unwrap_err();
    assert_eq!(denied, Denied::IssuerUnavailable);
    assert_eq!(authority.refused("issuer_unavailable").await, 1);
    let (status, body) = readiness(&health).await;
    assert_eq!(
        (status, &body["checks"]["issuer"]["ok"]),
        (503, &json!(false))
    );
    let page = authority.metrics.render().await;
    assert!(!page.contains("sealane_auth_jwks_age_seconds"), "{page}");
    // What is nonsense without any key stays nonsense.
    authority.refuses(&issuer.unsigned(), "algorithm").await;

    issuer.resume();
    let begun = Instant::now();
    while authority.sees(&token).await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "the keys are never loaded");
        sleep(Duration::from_millis(50)).await;
    }
    while readiness(&health).await.0 != 200 {
        assert!(begun.elapsed() < PATIENCE, "never ready");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Starts with `discovery` and `jwks` in place of the truth, and expects that no key is taken from there.
async fn distrusts(issuer: &Issuer, discovery: Option<Answer>, jwks: Option<Answer>) {
    let case = format!("{discovery:?} {:.60}", format!("{jwks:?}"));
    issuer.script_discovery(discovery);
    issuer.script_jwks(jwks);
    let authority = Authority::over(issuer).await;
    let denied = authority.sees(&issuer.token(&Value::Null)).await;
    assert_eq!(denied.unwrap_err(), Denied::IssuerUnavailable, "{case}");
    let failures = authority.counter("sealane_auth_jwks_failures_total").await;
    assert!(failures >= 1, "{case}");
}

#[tokio::test]
async fn descriptions_of_others_are_not_trusted() {
    let issuer = Issuer::start().await.unwrap();
    let jwks_uri = format!("{}/keys", issuer.url());
    let described = |issuer: &str, keys: &str| {
        Some(Answer::Document(
            json!({ "issuer": issuer, "jwks_uri": keys }),
        ))
    };
    for answer in [
        described("https://evil.example.com", &jwks_uri),
        described(&format!("{}/", issuer.url()), &jwks_uri),
        described(issuer.url(), "http://keys.example.com/keys"),
        described(issuer.url(), "file:///etc/passwd"),
        described(issuer.url(), "/keys"),
        Some(Answer::Document(json!({ "issuer": issuer.url() }))),
        Some(Answer::Text("<html>".to_owned())),
        Some(Answer::Text(" ".repeat(2 * 1024 * 1024))),
        Some(Answer::Status(404)),
        Some(Answer::Redirect(format!("{}/elsewhere", issuer.url()))),
    ] {
        distrusts(&issuer, answer, None).await;
    }
    assert_eq!(issuer.fetches(), 0);
}

#[tokio::test]
async fn documents_without_a_usable_key_are_not_trusted() {
    let issuer = Issuer::start().await.unwrap();
    let mut for_encryption = issuer.jwks()["keys"][0].clone();
    for_encryption["use"] = json!("enc");
    let secret = json!({ "kty": "oct", "kid": "rsa-0", "k": "AAAA", "alg": "RS256" });
    for answer in [
        Answer::Document(json!({ "keys": [] })),
        Answer::Document(json!({ "keys": [for_encryption, secret] })),
        Answer::Document(json!([])),
        Answer::Text("{".to_owned()),
        Answer::Text(format!("{}{}", issuer.jwks(), " ".repeat(1024 * 1024))),
        Answer::Status(500),
        Answer::Redirect(format!("{}/keys", issuer.url())),
    ] {
        distrusts(&issuer, None, Some(answer)).await;
    }
}

#[tokio::test]
async fn an_issuer_that_never_answers_delays_nobody_for_long() {
    let issuer = Issuer::start().await.unwrap();
    issuer.script_jwks(Some(Answer::Silence));

    let authority = Authority::over(&issuer).await;
    let denied = authority.sees(&issuer.token(&Value::Null)).await;

    assert_eq!(denied.unwrap_err(), Denied::IssuerUnavailable);
}

#[tokio::test]
async fn few_wait_for_a_slow_issuer_and_the_others_are_told_to_come_back() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;
    issuer.script_jwks(Some(Answer::Silence));
    let header = json!({ "alg": "RS256", "kid": "made-up" });
    let bearer = format!("Bearer {}", issuer.with_header(&header, &Value::Null));
    let headers = [("authorization", bearer.as_str())];

    let crowd = (0..100_u8).map(|host| {
        let peer = IpAddr::from([203, 0, 113, host]);
        authority.sees_from(peer, &headers)
    });
    let seen = futures_util::future::join_all(crowd).await;

    let told = |denied: Denied| {
        let told = seen
            .iter()
            .filter(|seen| seen.as_ref().err() == Some(&denied));
        told.count()
    };
    assert_eq!(told(Denied::Unauthenticated), WAITING);
    assert_eq!(told(Denied::IssuerUnavailable), 100 - WAITING);
    assert_eq!(authority.refused("key").await, WAITING as u64);
    assert_eq!(issuer.fetches(), 2);
    // The look is over and the next is not due: nobody waits, and the answer is the usual one.
    let other = IpAddr::from([198, 51, 100, 4]);
    let denied = authority.sees_from(other, &headers).await.unwrap_err();
    assert_eq!(denied, Denied::Unauthenticated);
}

#[tokio::test]
async fn whoever_names_odd_keys_at_once_and_hangs_up_has_guessed_as_often() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;
    issuer.script_jwks(Some(Answer::Silence));
    let header = json!({ "alg": "RS256", "kid": "made-up" });
    let odd = issuer.with_header(&header, &Value::Null);
    for _ in 0..10 {
        authority.sees("nonsense").await.unwrap_err();
    }

    let crowd = (0..WAITING).map(|_| authority.sees(&odd));
    let mut crowd: Vec<_> = crowd.map(Box::pin).collect();
    let refused = crowd.iter_mut().filter_map(FutureExt::now_or_never);
    let refused: Vec<_> = refused.map(Result::unwrap_err).collect();
    let limited = |denied: &Denied| matches!(denied, Denied::TooManyFailures { .. });
    assert!(
        !refused.is_empty() && refused.iter().all(limited),
        "{refused:?}"
    );

    let good = issuer.token(&Value::Null);
    drop(crowd);
    let denied = authority.sees(&good).await;
    assert!(limited(&denied.unwrap_err()));
}

#[tokio::test]
async fn bad_documents_do_not_replace_good_keys() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;
    let old = issuer.token(&Value::Null);

    issuer.script_jwks(Some(Answer::Document(json!({ "keys": [] }))));
    issuer.rotate();
    authority.refuses(&issuer.token(&Value::Null), "key").await;

    assert_eq!(issuer.fetches(), 2);
    assert!(authority.sees(&old).await.is_ok());
}

#[tokio::test]
async fn keys_may_be_named_instead_of_discovered() {
    let issuer = Issuer::start().await.unwrap();
    let jwks = format!("{}/keys", issuer.url()).parse().unwrap();
    let authority = Authority::with(&issuer, |oidc| oidc.jwks = Some(jwks)).await;

    assert!(authority.sees(&issuer.token(&Value::Null)).await.is_ok());
    assert_eq!((issuer.discoveries(), issuer.fetches()), (0, 1));
}
