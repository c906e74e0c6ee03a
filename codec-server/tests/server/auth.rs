//! Who may do what: the real binary, a real issuer, and every token that should not pass.

use std::collections::BTreeMap;

use sealane_service::auth::{Grants, IssuedToken, Role};
use sealane_tests::{issuer::Issuer, orders::patiently};
use serde_json::{Value, json};

use crate::support::{Answer, Live, one, variables};

/// A codec server that trusts an issuer, serves two namespaces, and is called with tokens.
struct Guarded {
    issuer: Issuer,
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

impl Guarded {
    async fn new() -> anyhow::Result<Self> {
        let issuer = Issuer::start().await?;
        let folder = tempfile::tempdir()?;
        let mut variables = variables(folder.path())?;
        variables.extend(issuer.settings());
        for (name, value) in [
            ("SEALANE_CODEC_NAMESPACES", "orders,payments"),
            ("SEALANE_AUTH_PERMISSIONS_CLAIM", "permissions"),
        ] {
            variables.insert(name.to_owned(), value.to_owned());
        }
        Ok(Self {
            issuer,
            folder,
            variables,
        })
    }

    fn token(&self, permissions: &[&str]) -> String {
        self.issuer.token(&json!({ "permissions": permissions }))
    }

    async fn start(&self) -> anyhow::Result<Live> {
        Live::start(&self.variables).await?.once_ready().await
    }
}

fn reversed_signature(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap_or_default();
    let signature: String = signature.chars().rev().collect();
    format!("{signed}.{signature}")
}

/// Asks until the answer is no 503: the server asks a lost issuer again after a second or more.
async fn once_available(server: &Live, token: &str) -> anyhow::Result<Answer> {
    patiently("the issuer", answer_but(503, server, token)).await
}

/// Asks until the answer has another status than `status`.
async fn answer_but(status: u16, server: &Live, token: &str) -> anyhow::Result<Answer> {
    loop {
        let answer = server
            .ask("/orders/decode", Some(token), &json!({}))
            .await?;
        if answer.status != status {
            return Ok(answer);
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn no_token_but_a_good_one_passes_and_all_refusals_look_the_same() -> anyhow::Result<()> {
    let guarded = Guarded::new().await?;
    let server = guarded.start().await?;
    let issuer = &guarded.issuer;
    let may = json!(["orders:read"]);
    let with = |name: &str, value: Value| issuer.token(&json!({ "permissions": may, name: value }));
    let good = guarded.token(&["orders:read"]);
    let tampered = reversed_signature(&good);
    let mut bodies = Vec::new();
    for (what, token) in [
        ("no token", None),
        ("expired", Some(issuer.expired())),
        ("wrong audience", Some(with("aud", json!("somebody-else")))),
        ("no audience", Some(with("aud", Value::Null))),
        (
            "wrong issuer",
            Some(with("iss", json!("https://issuer.example"))),
        ),
        ("no expiry", Some(with("exp", Value::Null))),
        ("alg none", Some(issuer.unsigned())),
        (
            "HS256 with the public key",
            Some(issuer.hs256_with_public_key()),
        ),
        ("another key", Some(issuer.forged())),
        ("changed", Some(tampered)),
        ("garbage", Some("a.b.c".to_owned())),
        ("a static token", Some("sealane_AAAA".to_owned())),
    ] {
        let answer = server
            .ask("/orders/decode", token.as_deref(), &one("1"))
            .await?;
        assert_eq!(answer.status, 401, "{what}");
        answer.assert_problem(401, "unauthorized");
        answer.assert_readable();
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");

    let answer = server.ask("/orders/decode", Some(&good), &one("1")).await?;

    assert_eq!((answer.status, answer.json()), (200, one("1")));
    answer.assert_readable();
    let said = server.stop().await?.said.join("\n");
    assert!(!said.contains(&good[..40]), "a token is in the log");
    Ok(())
}

#[tokio::test]
async fn readers_decode_writers_do_both_and_nobody_leaves_their_namespace() -> anyhow::Result<()> {
    let guarded = Guarded::new().await?;
    let server = guarded.start().await?;
    let reader = guarded.token(&["orders:read"]);
    let writer = guarded.token(&["orders:write"]);
    let both = guarded.token(&["orders:read", "payments:read"]);
    let nobody = guarded.token(&[]);
    let mut refusals = Vec::new();
    for (who, path, status) in [
        (&reader, "/orders/decode", 200),
        (&reader, "/orders/encode", 403),
        (&writer, "/orders/decode", 200),
        (&writer, "/orders/encode", 200),
        (&writer, "/payments/encode", 403),
        (&reader, "/payments/decode", 403),
        (&reader, "/unheard-of/decode", 403),
        (&reader, "/decode", 403),
        (&both, "/decode", 200),
        (&both, "/encode", 403),
        (&nobody, "/orders/decode", 403),
    ] {
        let answer = server.ask(path, Some(who), &one("1")).await?;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        answer.assert_readable();
        if status == 403 {
            answer.assert_problem(403, "forbidden");
            refusals.push(answer.body);
        }
    }
    refusals.dedup();
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    let metrics = server.get("/metrics").await?.body;
    let counted = r#"sealane_auth_failures_total{reason="forbidden"} "#;
    assert!(metrics.contains(counted), "{metrics}");
    Ok(())
}

#[tokio::test]
async fn a_key_that_the_issuer_rotated_in_is_found_and_the_old_one_forgotten() -> anyhow::Result<()>
{
    let guarded = Guarded::new().await?;
    let server = guarded.start().await?;
    let old = guarded.token(&["orders:read"]);
    assert_eq!(once_available(&server, &old).await?.status, 200);

    guarded.issuer.rotate();
    let new = guarded.token(&["orders:read"]);

    let answer = server.ask("/orders/decode", Some(&new), &one("1")).await?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = server.ask("/orders/decode", Some(&old), &one("1")).await?;
    answer.assert_problem(401, "unauthorized");
    answer.assert_readable();
    Ok(())
}

#[tokio::test]
async fn an_issuer_that_goes_down_later_is_not_missed() -> anyhow::Result<()> {
    let guarded = Guarded::new().await?;
    let server = guarded.start().await?;
    let token = guarded.token(&["orders:read"]);
    assert_eq!(once_available(&server, &token).await?.status, 200);

    guarded.issuer.stop();

    let answer = server
        .ask("/orders/decode", Some(&token), &one("1"))
        .await?;
    assert_eq!((answer.status, answer.json()), (200, one("1")));
    answer.assert_readable();
    Ok(())
}

#[tokio::test]
async fn an_issuer_that_was_never_there_means_503_until_it_is() -> anyhow::Result<()> {
    let guarded = Guarded::new().await?;
    guarded.issuer.stop();
    let server = guarded.start().await?;
    let token = guarded.token(&["orders:read"]);

    let answer = server
        .ask("/orders/decode", Some(&token), &one("1"))
        .await?;

    answer.assert_problem(503, "unavailable");
    answer.assert_readable();
    assert!(!answer.header("retry-after").is_empty());
    let ready = server.get("/readyz").await?;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("issuer"), "{}", ready.body);
    assert_eq!(server.get("/livez").await?.status, 200);

    guarded.issuer.resume();
    assert_eq!(once_available(&server, &token).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn guessing_is_slowed_down() -> anyhow::Result<()> {
    let guarded = Guarded::new().await?;
    let server = guarded.start().await?;

    let refused = patiently("a refusal", answer_but(401, &server, "a.b.c")).await?;

    refused.assert_problem(429, "too-many-requests");
    assert!(!refused.header("retry-after").is_empty());
    refused.assert_readable();
    Ok(())
}

#[tokio::test]
async fn static_tokens_give_the_roles_of_their_file() -> anyhow::Result<()> {
    let mut guarded = Guarded::new().await?;
    let mut grants = Grants::default();
    grants.add("orders", Role::Reader);
    let issued = IssuedToken::generate("ci", grants)?;
    let file = guarded.folder.path().join("tokens.json");
    std::fs::write(&file, json!({ "tokens": [issued.entry()] }).to_string())?;
    let variables = &mut guarded.variables;
    variables.retain(|name, _| !name.starts_with("SEALANE_AUTH"));
    for (name, value) in [
        ("SEALANE_AUTH", "tokens"),
        ("SEALANE_AUTH_TOKENS_FILE", &file.display().to_string()),
    ] {
        guarded.variables.insert(name.to_owned(), value.to_owned());
    }
    let server = guarded.start().await?;
    let token = issued.secret();

    for (token, path, status) in [
        (Some(token), "/orders/decode", 200),
        (Some(token), "/orders/encode", 403),
        (Some(&token[..20]), "/orders/decode", 401),
        (None, "/orders/decode", 401),
    ] {
        let answer = server.ask(path, token, &one("1")).await?;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        answer.assert_readable();
    }
    let said = server.stop().await?.said.join("\n");
    assert!(!said.contains(&token[8..24]), "a token is in the log");
    Ok(())
}
