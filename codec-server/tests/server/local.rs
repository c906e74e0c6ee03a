//! Without auth, pages of other sites get nothing done, wherever their names lead.

use sealane_service::auth::{Grants, IssuedToken, Role};
use serde_json::json;

use crate::support::{App, Asked, ORIGIN, one};

#[tokio::test]
async fn without_auth_only_names_of_this_machine_are_answered() {
    let app = App::with(&[]).await;
    let body = one("1").to_string();
    for path in ["/decode", "/encode", "/orders/decode"] {
        for (host, status) in [
            ("localhost:8081", 200),
            ("127.0.0.1:8081", 200),
            ("[::1]:8081", 200),
            ("evil.example", 403),
            ("evil.example:8081", 403),
            ("10.0.0.1:8081", 403),
        ] {
            let request = Asked::post(path).header("host", host);
            let answer = app.send(request.body(body.clone())).await;
            assert_eq!(answer.status, status, "{host}: {}", answer.body);
        }
    }
    let rebound = Asked::post("/decode").header("host", "evil.example");
    let answer = app.send(rebound.by_page().body(body)).await;
    answer.assert_problem(403, "forbidden");
    answer.assert_readable();
}

#[tokio::test]
async fn without_auth_only_pages_of_the_list_are_answered() {
    let app = App::with(&[]).await;
    for (origin, status) in [
        (ORIGIN, 200),
        ("http://localhost:8233", 200),
        ("https://evil.example", 403),
        ("http://localhost:8081", 403),
        ("null", 403),
        ("", 403),
    ] {
        let request = Asked::post("/decode").header("host", "localhost:8081");
        let request = request.header("origin", origin);
        let answer = app.send(request.body(one("1").to_string())).await;
        assert_eq!(answer.status, status, "{origin}: {}", answer.body);
    }
}

#[tokio::test]
async fn whoever_has_a_token_may_be_anywhere() {
    let mut grants = Grants::default();
    grants.add("orders", Role::Reader);
    let issued = IssuedToken::generate("ci", grants).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.json");
    std::fs::write(&file, json!({ "tokens": [issued.entry()] }).to_string()).unwrap();
    let app = App::with(&[
        ("SEALANE_AUTH", "tokens"),
        ("SEALANE_AUTH_TOKENS_FILE", &file.display().to_string()),
    ])
    .await;
    let request = Asked::post("/decode")
        .header("host", "codec.example.com")
        .header("origin", "https://ui.example")
        .header("authorization", &format!("Bearer {}", issued.secret()));

    let answer = app.send(request.body(one("1").to_string())).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.assert_unreadable();
}
