//! JSON Web Tokens, good and bad.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sealane_service::{
    auth::{Denied, Role},
    settings::TokenHeader,
};
use serde_json::{Value, json};

use super::Authority;
use crate::issuer::{Issuer, SUBJECT};

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}

#[tokio::test]
async fn a_good_token_gives_what_its_claims_are_granted() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;

    for token in [issuer.token(&Value::Null), issuer.elliptic(&Value::Null)] {
        let ada = authority.sees(&token).await.unwrap();
        assert_eq!(ada.name(), SUBJECT);
        assert!(ada.may("orders", Role::Reader) && !ada.may("orders", Role::Writer));
        assert!(!ada.may("billing", Role::Reader));
    }
    let permitted = json!({ "permissions": ["billing:write"] });
    let ada = authority.sees(&issuer.token(&permitted)).await.unwrap();
    assert!(ada.may("orders", Role::Reader) && ada.may("billing", Role::Writer));

    let eve = json!({ "email": "eve@example.com", "sub": "eve\n" });
    let eve = authority.sees(&issuer.token(&eve)).await.unwrap();
    assert_eq!(eve.name(), "eve\\n");
    let denied = authority
        .authenticator
        .authorize(&eve, "orders", Role::Reader);
    assert_eq!(denied, Err(Denied::Forbidden));
    assert_eq!(authority.refused("forbidden").await, 1);
}

#[tokio::test]
async fn claims_have_to_be_as_they_should_be() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;
    let now = now();

    for (claims, reason) in [
        (json!({ "exp": now - 120 }), "expired"),
        (json!({ "exp": null }), "claims"),
        (json!({ "exp": "tomorrow" }), "claims"),
        (json!({ "nbf": now + 120 }), "not_yet_valid"),
        (json!({ "nbf": "now" }), "claims"),
        (json!({ "iat": now + 120 }), "not_yet_valid"),
        (json!({ "iat": "now" }), "claims"),
        (json!({ "sub": null }), "claims"),
        (json!({ "aud": "somebody" }), "audience"),
        (json!({ "aud": ["somebody", "else"] }), "audience"),
        (json!({ "aud": [] }), "audience"),
        (json!({ "aud": null }), "audience"),
        (json!({ "iss": "https://evil.example.com" }), "issuer"),
        (json!({ "iss": format!("{}/", issuer.url()) }), "issuer"),
        (json!({ "iss": [issuer.url()] }), "issuer"),
        (json!({ "iss": null }), "issuer"),
    ] {
        authority.refuses(&issuer.token(&claims), reason).await;
    }
}

#[tokio::test]
async fn clocks_may_differ_a_little_and_audiences_may_be_several() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;
    let now = now();

    for claims in [
        json!({ "exp": now - 30 }),
        json!({ "nbf": now + 30, "iat": now + 30 }),
        json!({ "iat": null }),
        json!({ "aud": ["somebody", "other"] }),
        json!({ "sub": null, "client_id": "ci" }),
    ] {
        let seen = authority.sees(&issuer.token(&claims)).await;
        assert!(seen.is_ok(), "{claims}: {seen:?}");
    }
}

#[tokio::test]
async fn signatures_have_to_be_the_issuers() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;
    let good = issuer.token(&Value::Null);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"sub":"root"}"#);
    let head = signed.split('.').next().unwrap();
    let expired = issuer.expired();
    let (old, _) = expired.rsplit_once('.').unwrap();

    for (token, reason) in [
        (issuer.expired(), "expired"),
        (issuer.unsigned(), "algorithm"),
        (issuer.hs256_with_public_key(), "algorithm"),
        (issuer.forged(), "signature"),
        (format!("{signed}."), "signature"),
        (format!("{signed}.AAAA"), "signature"),
        (format!("{head}.{claims}.{signature}"), "signature"),
        (format!("{old}.{signature}"), "signature"),
        (signed.to_owned(), "malformed"),
        (format!("{good}.AAAA"), "malformed"),
        ("sealane_AAAA".to_owned(), "malformed"),
    ] {
        authority.refuses(&token, reason).await;
    }
    assert!(authority.sees(&good).await.is_ok());
}

#[tokio::test]
async fn headers_choose_neither_key_nor_algorithm() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;
    let jwk = issuer.jwks()["keys"][0].clone();

    for (header, reason) in [
        (json!({ "alg": "RS384", "kid": "rsa-0" }), "algorithm"),
        (json!({ "alg": "PS256", "kid": "rsa-0" }), "algorithm"),
        (json!({ "alg": "ES256", "kid": "rsa-0" }), "algorithm"),
        (json!({ "alg": "RS256", "kid": "ec-0" }), "algorithm"),
        (json!({ "alg": "None", "kid": "rsa-0" }), "algorithm"),
        (json!({ "alg": "rs256", "kid": "rsa-0" }), "algorithm"),
        (json!({ "alg": "", "kid": "rsa-0" }), "algorithm"),
        (json!({ "kid": "rsa-0" }), "malformed"),
        (json!({ "alg": "RS256" }), "key"),
        (
            json!({ "alg": "RS256", "kid": "nobody", "jwk": jwk }),
            "key",
        ),
        (
            json!({ "alg": "RS256", "kid": "rsa-0", "crit": ["x"] }),
            "malformed",
        ),
    ] {
        let token = issuer.with_header(&header, &Value::Null);
        authority.refuses(&token, reason).await;
    }
}

#[tokio::test]
async fn the_token_may_come_in_the_extras() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::with(&issuer, |oidc| {
        oidc.token_header = TokenHeader::AuthorizationExtras;
    });
    let authority = authority.await;
    let token = issuer.token(&Value::Null);
    let bearer = format!("Bearer {token}");

    for extras in [&token, &bearer] {
        let headers = [
            ("authorization", "Bearer opaque"),
            ("authorization-extras", extras),
        ];
        let seen = authority.sees_headers(&headers).await;
        assert_eq!(seen.unwrap().name(), SUBJECT);
    }
    let denied = authority.sees_headers(&[("authorization", &bearer)]).await;
    assert_eq!(denied.unwrap_err(), Denied::Unauthenticated);
    assert_eq!(authority.refused("missing").await, 1);
}

#[tokio::test]
async fn what_the_issuer_signed_is_no_guess_and_locks_out_nobody() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;
    let later = now() + 600;

    for (token, reason) in [
        (issuer.expired(), "expired"),
        (issuer.token(&json!({ "nbf": later })), "not_yet_valid"),
        (issuer.token(&json!({ "aud": "somebody" })), "audience"),
        (issuer.token(&json!({ "iss": "https://a" })), "issuer"),
        (issuer.token(&json!({ "sub": null })), "claims"),
    ] {
        for _ in 0..50 {
            authority.refuses(&token, reason).await;
        }
    }

    assert!(authority.sees(&issuer.token(&Value::Null)).await.is_ok());
}

#[tokio::test]
async fn programs_without_a_subject_are_known_by_their_client() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;
    let mut ids = Vec::new();

    for (claims, name) in [
        (json!({ "sub": "one" }), "one"),
        (json!({ "sub": null, "client_id": "one" }), "one"),
        (json!({ "sub": null, "client_id": "two" }), "two"),
        (json!({ "sub": null, "azp": "two" }), "two"),
        (json!({ "sub": null, "appid": "two" }), "two"),
    ] {
        let seen = authority.sees(&issuer.token(&claims)).await.unwrap();
        assert_eq!(seen.name(), name);
        assert!(!ids.iter().any(|id| id == seen.id()), "{claims}");
        ids.push(seen.id().to_owned());
    }
}

#[tokio::test]
async fn many_failures_make_a_peer_wait_whatever_it_brings() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;
    let good = issuer.token(&Value::Null);
    let bearer = format!("Bearer {good}");

    for _ in 0..50 {
        let denied = authority.sees_headers(&[]).await.unwrap_err();
        assert_eq!(denied, Denied::Unauthenticated);
    }
    let mut limited = None;
    for _ in 0..100 {
        match authority.sees("nonsense").await.unwrap_err() {
            Denied::Unauthenticated => {}
            denied => limited = Some(denied),
        }
    }
    assert!(matches!(limited, Some(Denied::TooManyFailures { .. })));
    let denied = authority.sees(&good).await.unwrap_err();
    assert!(matches!(denied, Denied::TooManyFailures { .. }), "{denied}");
    assert!(authority.refused("rate_limited").await >= 1);
    let other = "198.51.100.4".parse().unwrap();
    let headers = [("authorization", bearer.as_str())];
    assert!(authority.sees_from(other, &headers).await.is_ok());
}
