//! What a caller sees.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{
        StatusCode,
        header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::Response,
    routing::get,
};
use sealane_service::auth::{Principal, protect};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::Authority;
use crate::issuer::Issuer;

fn routes() -> Router {
    Router::new().route("/", get(async |caller: Principal| caller.name().to_owned()))
}

async fn answer(router: &Router, token: Option<&str>) -> Response {
    let mut request = Request::get("/");
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

async fn text(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    String::from_utf8(body.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn handlers_learn_who_asks() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;
    let router = protect(routes(), authority.authenticator.clone());

    let response = answer(&router, Some(&issuer.token(&Value::Null))).await;

    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.extensions().get::<Principal>().is_some());
    assert_eq!(text(response).await, "ada");
}

#[tokio::test]
async fn every_refusal_looks_the_same() {
    let issuer = Issuer::start().await.unwrap();
    let authority = Authority::over(&issuer).await;
    let router = protect(routes(), authority.authenticator.clone());
    let refused = [
        None,
        Some("nonsense".to_owned()),
        Some(issuer.expired()),
        Some(issuer.unsigned()),
        Some(issuer.forged()),
        Some(issuer.hs256_with_public_key()),
        Some(issuer.token(&json!({ "aud": "somebody" }))),
        Some(issuer.token(&json!({ "iss": "https://evil.example.com" }))),
        Some(issuer.with_header(&json!({ "alg": "RS256", "kid": "nobody" }), &Value::Null)),
    ];
    let mut bodies = Vec::new();
    for token in &refused {
        let response = answer(&router, token.as_deref()).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
        bodies.push(text(response).await);
    }

    let problem: Value = serde_json::from_str(&bodies[0]).unwrap();
    assert_eq!(problem["type"], "urn:sealane:problem:unauthorized");
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[tokio::test]
async fn callers_are_told_when_to_come_back() {
    let issuer = Issuer::start().await.unwrap();
    issuer.stop();
    let authority = Authority::over(&issuer).await;
    let router = protect(routes(), authority.authenticator.clone());

    let response = answer(&router, Some(&issuer.token(&Value::Null))).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[RETRY_AFTER], "5");

    for _ in 0..100 {
        answer(&router, Some("nonsense")).await;
    }
    let response = answer(&router, Some("nonsense")).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()[RETRY_AFTER], "1");
    let body = text(response).await;
    assert!(
        body.contains("urn:sealane:problem:too-many-requests"),
        "{body}"
    );
}

#[tokio::test]
async fn a_route_that_nobody_protects_knows_nobody() {
    let response = answer(&routes(), None).await;

    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}
