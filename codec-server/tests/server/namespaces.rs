//! Who asks about namespaces that are not theirs does not learn which ones there are.

use sealane_service::auth::{Grants, IssuedToken, Role};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Answer, App, Asked, codec, load};

/// A server of the namespaces `orders` and `payments`, and tokens for it.
struct Guarded {
    app: App,
    reader: IssuedToken,
    both: IssuedToken,
    _folder: TempDir,
}

fn token(namespaces: &[&str]) -> IssuedToken {
    let mut grants = Grants::default();
    for namespace in namespaces {
        grants.add(namespace, Role::Reader);
    }
    IssuedToken::generate(&namespaces.join("-"), grants).expect("a token")
}

impl Guarded {
    async fn serving(namespaces: &[&str]) -> Self {
        let (reader, both) = (token(&["orders"]), token(&["orders", "payments"]));
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("tokens.json");
        let tokens = json!({ "tokens": [reader.entry(), both.entry()] });
        std::fs::write(&file, tokens.to_string()).expect("a file");
        let mut settings = load(&[
            ("SEALANE_AUTH", "tokens"),
            ("SEALANE_AUTH_TOKENS_FILE", &file.display().to_string()),
        ]);
        settings.codec_server.namespaces = namespaces.iter().map(|it| (*it).to_owned()).collect();
        Self {
            app: App::as_told(settings, codec().into()).await,
            reader,
            both,
            _folder: folder,
        }
    }

    async fn ask(&self, who: &IssuedToken, path: &str, namespace: &str) -> Answer {
        let request = Asked::post(path)
            .header("authorization", &format!("Bearer {}", who.secret()))
            .header("x-namespace", namespace);
        self.app.send(request.body("{}")).await
    }
}

#[tokio::test]
async fn a_namespace_of_others_looks_like_none() {
    let guarded = Guarded::serving(&["orders", "payments"]).await;
    let mut refusals = Vec::new();
    for path in [
        "/decode",
        "/orders/decode",
        "/payments/decode",
        "/unheard-of/decode",
    ] {
        for namespace in ["payments", "unheard-of"] {
            let answer = guarded.ask(&guarded.reader, path, namespace).await;
            answer.assert_problem(403, "forbidden");
            refusals.push(answer.body);
        }
    }
    refusals.dedup();
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    for path in ["/payments/decode", "/unheard-of/decode"] {
        let answer = guarded.ask(&guarded.reader, path, "orders").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn who_may_use_both_is_told_of_the_contradiction() {
    let guarded = Guarded::serving(&["orders", "payments"]).await;

    let answer = guarded
        .ask(&guarded.both, "/payments/decode", "orders")
        .await;

    answer.assert_problem(400, "bad-request");
}

#[tokio::test]
async fn who_serves_nothing_is_open_to_nobody() {
    let guarded = Guarded::serving(&[]).await;

    for (path, namespace) in [("/decode", ""), ("/orders/decode", "")] {
        let answer = guarded.ask(&guarded.reader, path, namespace).await;
        answer.assert_problem(403, "forbidden");
    }
}
