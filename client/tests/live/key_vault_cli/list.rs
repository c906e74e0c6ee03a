//! `sealane keys list`.

use sealane_service::probes::{self, Health, Metrics, Server};
use sealane_tests::azure::{NewVersion, SECRET};
use serde_json::json;
use tokio::task::JoinHandle;

use super::{DAY, DELAY, Keyboard, REFRESH, fields, time};
use crate::terminal::Terminal;

/// The `/metrics` of a process that has encrypted this much.
struct Page {
    url: String,
    serving: JoinHandle<()>,
}

impl Page {
    async fn open(key: &str, seals: u64) -> anyhow::Result<Self> {
        let metrics = Metrics::new();
        let text = format!("sealane_key_seals_total{{key_id=\"{key}\"}} {seals}");
        metrics.add_source(move || std::future::ready(text.clone()));
        let router = probes::router(Health::new(), metrics);
        let server = Server::bind(([127, 0, 0, 1], 0).into(), router).await?;
        let url = format!("http://{}/metrics", server.address());
        let serving = tokio::spawn(async {
            server.serve(std::future::pending()).await.ok();
        });
        Ok(Self { url, serving })
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test]
async fn every_version_is_a_row_with_its_stage_and_never_its_value() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    let older = keyboard.vault.add_key(3 * DAY);
    let old = keyboard.vault.add_key(2 * DAY);
    let new = keyboard.vault.add_key(REFRESH);
    keyboard.vault.disable_key(&older);

    let rows = keyboard.json("keys list").await?;

    assert_eq!(fields(&rows[0]), ["activates", "created", "keyId", "stage"]);
    assert_eq!(
        time(&rows[0], "activates"),
        time(&rows[0], "created") + DELAY
    );
    assert_eq!(fields(&rows[1]), ["created", "keyId", "stage"]);
    let shown = |row: usize| (rows[row]["keyId"].clone(), rows[row]["stage"].clone());
    assert_eq!(shown(0), (json!(new), json!("pending")));
    assert_eq!(shown(1), (json!(old), json!("active")));
    assert_eq!(rows[2]["keyId"], json!(older));
    assert_eq!(rows.as_array().map(Vec::len), Some(3), "{rows:#}");
    Ok(())
}

#[tokio::test]
async fn tags_name_keys_and_dates_are_shown() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    keyboard.vault.add_key(DAY);
    let now = keyboard.vault.fake.now();
    let expired = NewVersion {
        created: Some(now - 2 * DAY),
        expires: Some(now - DAY),
        tags: [("sealane-key-id".to_owned(), "from-the-file".to_owned())].into(),
        ..NewVersion::default()
    };
    let value = "AAECAwQFBgcICQoLDA0ODw==";
    keyboard.vault.fake.add_version_with(SECRET, value, expired);

    let rows = keyboard.json("keys list").await?;

    assert_eq!(rows[1]["keyId"], "from-the-file");
    assert_eq!(rows[1]["stage"], "decrypts");
    assert!(time(&rows[1], "expires") < now);
    Ok(())
}

#[tokio::test]
async fn what_was_encrypted_is_summed_over_all_pods_asked() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    let old = keyboard.vault.add_key(2 * DAY);
    let new = keyboard.vault.add_key(DAY);
    let (one, other) = (Page::open(&new, 4).await?, Page::open(&new, 3).await?);

    let line = format!("keys list --metrics {} --metrics {}", one.url, other.url);
    let rows = keyboard.json(&line).await?;

    assert_eq!(
        (&rows[0]["keyId"], &rows[0]["seals"]),
        (&json!(new), &json!(7))
    );
    assert_eq!(
        (&rows[1]["keyId"], &rows[1]["seals"]),
        (&json!(old), &json!(0))
    );
    Ok(())
}

#[tokio::test]
async fn metrics_that_cannot_be_had_are_named() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    keyboard.vault.add_key(DAY);
    let page = Page::open("payload-key", 1).await?;
    let astray = page.url.replace("/metrics", "/nothing");

    for (url, code) in [
        // Nobody answers at the port of the discard protocol.
        ("http://127.0.0.1:9/metrics", 69),
        (astray.as_str(), 69),
        ("worker-1", 64),
    ] {
        let finished = keyboard.run(&format!("keys list --metrics {url}")).await?;
        let line = finished.fails(code);
        assert!(line.starts_with(&format!("--metrics {url}: ")), "{line}");
        assert!(
            line.contains("expected the /metrics of a running"),
            "{line}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_secret_without_versions_is_said_to_have_none() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;

    let finished = keyboard.terminal.run("keys list").await;

    let line = finished.fails(78);
    assert!(line.contains("`sealane keys rotate` makes one"), "{line}");
    Ok(())
}

#[tokio::test]
async fn without_encryption_there_are_no_keys_to_list() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    let file = keyboard.vault.world.folder().join("keys.json");
    let terminal = keyboard.terminal.clone().without("KEYVAULT_URL");
    let terminal = terminal.without("KEYVAULT_SECRET_NAME");
    let terminal = terminal.with("SEALANE_KEY_FILE", &file.display().to_string());

    let line = "keys list";
    let finished = terminal.with("SEALANE_ENCRYPTION", "off").run(line).await;

    let expected = "SEALANE_ENCRYPTION=off has no keys to list, expected required";
    assert_eq!(finished.fails(78), expected);
    Ok(())
}

#[tokio::test]
async fn keys_of_a_file_are_listed_as_well() -> anyhow::Result<()> {
    let keyboard = Keyboard::open().await?;
    let file = keyboard.vault.world.folder().join("keys.json");
    let terminal = keyboard.terminal.clone().without("KEYVAULT_URL");
    let terminal: Terminal = terminal.without("KEYVAULT_SECRET_NAME");
    let terminal = terminal.with("SEALANE_KEY_FILE", &file.display().to_string());

    let listed = terminal.run("keys list -o json").await.succeeds();

    let rows = json!([{"keyId": "test-key", "stage": "active"}]);
    assert_eq!(listed.json(), rows);
    Ok(())
}
