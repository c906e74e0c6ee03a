//! Keys from a vault, while they change.

use std::time::Duration;

use sealane_tests::{VaultWorld, orders::patiently, secrets::Secrets};
use serde_json::{Value, json};

use crate::support::{Live, data, one};

const DAY: Duration = Duration::from_hours(24);

/// Id of the key under which the first payload of a list is encrypted.
fn key_of(sealed: &Value) -> String {
    let id = &sealed["payloads"][0]["metadata"]["encryption-key-id"];
    data(&json!({"payloads": [{"data": id}]}))
}

#[tokio::test]
async fn a_server_follows_its_vault_and_shows_none_of_it() -> anyhow::Result<()> {
    let vault = VaultWorld::open(&[
        ("SEALANE_KEY_REFRESH", "1s"),
        ("SEALANE_KEY_ACTIVATION_DELAY", "2s"),
    ])
    .await?;
    let old = vault.add_key(DAY);
    let server = Live::start(vault.world.variables())
        .await?
        .once_ready()
        .await?;
    let sealed = server.ask("/encode", None, &one("1")).await?.json();
    assert_eq!(key_of(&sealed), old);

    let new = vault.add_key(Duration::ZERO);
    let rotated = async {
        loop {
            let sealed = server.ask("/encode", None, &one("2")).await?.json();
            if key_of(&sealed) == new {
                return anyhow::Ok(sealed);
            }
        }
    };
    let rotated = patiently("the new key to encrypt", rotated).await?;

    for (sealed, text) in [(&sealed, "1"), (&rotated, "2")] {
        let opened = server.ask("/decode", None, sealed).await?.json();
        assert_eq!(data(&opened), text);
    }
    let metrics = server.get("/metrics").await?.body;
    let active = format!("sealane_key_active{{key_id=\"{new}\"}} 1");
    assert!(metrics.contains(&active), "{metrics}");
    let secrets = Secrets::of(&vault.fake);
    secrets.assert_absent("the metrics", &metrics);
    let ended = server.stop().await?;
    assert_eq!(ended.code, Some(0));
    secrets.assert_absent("the log", &ended.said.join("\n"));
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_younger_than_the_last_refresh_is_found_when_it_is_needed()
-> anyhow::Result<()> {
    let vault = VaultWorld::open(&[]).await?;
    vault.add_key(DAY);
    let server = Live::start(vault.world.variables())
        .await?
        .once_ready()
        .await?;
    let young = vault.add_key(DAY / 2);
    let codec = vault.all_keys()?;
    let sealed = codec.encode_payload(b"young"[..].into())?;
    assert_eq!(sealed.metadata["encryption-key-id"], young.as_bytes());
    let sealed = in_json(&sealed);

    let opened = server.ask("/decode", None, &sealed).await?;

    assert_eq!(data(&opened.json()), "young", "{}", opened.body);
    Ok(())
}

#[tokio::test]
async fn a_server_whose_vault_is_silent_is_alive_and_not_ready() -> anyhow::Result<()> {
    let vault = VaultWorld::open(&[]).await?;
    vault.fake.vault_down();
    let server = Live::start(vault.world.variables()).await?;

    let answer = server.ask("/decode", None, &one("1")).await?;

    answer.assert_problem(503, "unavailable");
    answer.assert_readable();
    assert_eq!(server.get("/livez").await?.status, 200);
    assert_eq!(server.get("/readyz").await?.status, 503);
    Ok(())
}

fn in_json(payload: &temporalio_common::protos::temporal::api::common::v1::Payload) -> Value {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let metadata = payload.metadata.iter();
    let metadata: serde_json::Map<_, _> = metadata
        .map(|(name, value)| (name.clone(), BASE64_STANDARD.encode(value).into()))
        .collect();
    json!({"payloads": [{"metadata": metadata, "data": BASE64_STANDARD.encode(&payload.data)}]})
}
