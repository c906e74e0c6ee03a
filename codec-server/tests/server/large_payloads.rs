//! References to payloads in a container, which is Azurite.

use base64::{Engine, prelude::BASE64_STANDARD};
use sealane_codec::{
    CodecOptions, EncryptionCodec, SharedKeyRing,
    large_payloads::{LargePayloadOptions, LargePayloads},
};
use sealane_tests::{
    azure::FakeAzure,
    azurite::{Azurite, CONTAINER_URL},
    ring_with,
};
use serde_json::{Value, json};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::support::{Answer, App, Asked, data, one};

const TEXT: &str = "\"Ada, who is kept in a container\"";

/// A codec server for two namespaces, and a container that it reads.
struct Stage {
    app: App,
    azurite: Azurite,
    azure: FakeAzure,
    ring: SharedKeyRing,
}

impl Stage {
    async fn set(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let azure = FakeAzure::start().await?;
        let azurite = Azurite::start(&azure).await?;
        let ring = SharedKeyRing::new(ring_with("test-key"));
        let all = [
            ("SEALANE_CODEC_NAMESPACES", "orders,payments"),
            ("SEALANE_LARGE_PAYLOADS", "read"),
            ("SEALANE_BLOB_CONTAINER_URL", CONTAINER_URL),
            ("SEALANE_AZURE_CREDENTIAL", "developer"),
        ];
        let settings = [&all, settings].concat();
        let codec = codec(&azure, &ring, "orders", false)?;
        let app = App::of(&settings, codec.into()).await;
        Ok(Self {
            app,
            azurite,
            azure,
            ring,
        })
    }

    /// A payload that a process of `namespace` has stored, as JSON.
    async fn stored(&self, namespace: &str, text: &str) -> anyhow::Result<Value> {
        let codec = codec(&self.azure, &self.ring, namespace, true)?;
        let payload = Payload {
            metadata: [("encoding".to_owned(), b"json/plain".to_vec())].into(),
            data: text.into(),
            ..Payload::default()
        };
        Ok(to_json(&codec.encode_and_store(payload).await?))
    }

    async fn post(&self, path: &str, payloads: &[&Value]) -> Answer {
        self.app.post(path, &json!({ "payloads": payloads })).await
    }

    /// Asks in the name of `namespace`.
    async fn ask(&self, path: &str, namespace: &str, payload: &Value) -> Answer {
        let body = json!({ "payloads": [payload] }).to_string();
        let asked = Asked::post(path).header("x-namespace", namespace);
        self.app.send(asked.body(body)).await
    }

    async fn metric(&self, series: &str) -> String {
        let page = self.app.metrics.render().await;
        let line = page.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap_or("none").trim().to_owned()
    }
}

/// A codec whose every payload is large.
fn codec(
    azure: &FakeAzure,
    ring: &SharedKeyRing,
    namespace: &str,
    stores: bool,
) -> anyhow::Result<EncryptionCodec> {
    let options = LargePayloadOptions {
        container: CONTAINER_URL.parse()?,
        namespace: namespace.to_owned(),
        stores,
        threshold: 0,
        max: 1 << 20,
    };
    let large = LargePayloads::new(&azure.azure(), options)?;
    let codec = EncryptionCodec::new(ring.clone(), CodecOptions::default());
    Ok(codec.with_large_payloads(large))
}

fn to_json(payload: &Payload) -> Value {
    let metadata = payload.metadata.iter();
    let metadata: serde_json::Map<_, _> = metadata
        .map(|(name, value)| (name.clone(), json!(BASE64_STANDARD.encode(value))))
        .collect();
    let size = payload.external_payloads[0].size_bytes;
    json!({
        "metadata": metadata,
        "data": BASE64_STANDARD.encode(&payload.data),
        "externalPayloads": [{"sizeBytes": size.to_string()}],
    })
}

#[tokio::test]
async fn references_are_followed_unless_they_are_to_be_preserved() -> anyhow::Result<()> {
    let stage = Stage::set(&[]).await?;
    let reference = stage.stored("orders", TEXT).await?;
    let sealed = stage.app.sealed("2").await["payloads"][0].clone();
    let plain = one("3")["payloads"][0].clone();
    let all = [&reference, &sealed, &plain];

    for path in [
        "/decode",
        "/orders/decode",
        "/download",
        "/orders/download?preserveStorageRefs=true",
    ] {
        let answer = stage.post(path, &all).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let payloads = answer.json()["payloads"].clone();
        for (number, text) in [TEXT, "2", "3"].into_iter().enumerate() {
            let one = json!({ "payloads": [payloads[number]] });
            assert_eq!(data(&one), text, "{path}");
        }
    }

    let answer = stage.post("/decode?preserveStorageRefs=true", &all).await;
    let payloads = answer.json()["payloads"].clone();
    assert_eq!(payloads[0], reference);
    assert_eq!(data(&json!({ "payloads": [payloads[1]] })), "2");

    for (operation, outcome, count) in [
        ("decode", "done", "5"),
        ("decode", "reference", "1"),
        ("decode", "plain", "3"),
        ("download", "done", "4"),
        ("download", "plain", "2"),
    ] {
        let labels = format!(r#"{{operation="{operation}",outcome="{outcome}"}}"#);
        let series = format!("sealane_codec_server_payloads_total{labels}");
        assert_eq!(stage.metric(&series).await, count, "{series}");
    }
    Ok(())
}

#[tokio::test]
async fn nobody_reads_a_namespace_that_they_do_not_ask_for() -> anyhow::Result<()> {
    let stage = Stage::set(&[]).await?;
    let theirs = stage.stored("payments", TEXT).await?;
    let strangers = stage.stored("unserved", TEXT).await?;

    let answer = stage.ask("/download", "payments", &theirs).await;
    assert_eq!(data(&answer.json()), TEXT);
    // It is in memory now, which must not matter.
    for (namespace, reference) in [("orders", &theirs), ("orders", &strangers)] {
        for path in ["/download", "/decode"] {
            let answer = stage.ask(path, namespace, reference).await;
            answer.assert_problem(400, "payload-unreadable");
            let detail = answer.json()["detail"].to_string();
            assert!(detail.contains("another namespace"), "{detail}");
        }
    }
    let series =
        r#"sealane_codec_server_decode_failures_total{key_id="test-key",reason="other_namespace"}"#;
    assert_eq!(stage.metric(series).await, "4");
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_a_blob_is_told_without_its_name() -> anyhow::Result<()> {
    let stage = Stage::set(&[]).await?;
    let good = stage.stored("orders", TEXT).await?;
    let bad = stage.stored("orders", "\"bad\"").await?;
    let names = stage.azurite.names().await?;
    let key = |reference: &Value| -> anyhow::Result<String> {
        let text = BASE64_STANDARD.decode(reference["data"].as_str().unwrap_or_default())?;
        let claim: Value = serde_json::from_slice(&text)?;
        Ok(claim["claimData"]["key"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    };
    let name = key(&bad)?;
    assert!(names.contains(&name), "{names:?}");
    let content = stage.azurite.get(&name).await?;

    let longer = [&content[..], b"x"].concat();
    let mut altered = content;
    altered[20] ^= 1;
    for (content, words) in [
        (Some(longer), "was altered"),
        (Some(altered), "was altered"),
        (None, "was deleted"),
    ] {
        match content {
            Some(content) => stage.azurite.put(&name, content).await?,
            None => stage.azurite.delete(&name).await?,
        }
        let answer = stage.post("/download", &[&bad]).await;
        answer.assert_problem(400, "payload-unreadable");
        let problem = answer.json().to_string();
        assert!(
            problem.contains(words) && !problem.contains("sha256"),
            "{problem}"
        );
    }
    // One bad payload does not hide the others.
    let answer = stage.post("/download", &[&bad, &good]).await;
    let payloads = answer.json()["payloads"].clone();
    assert_eq!(payloads[0], bad);
    assert_eq!(data(&json!({ "payloads": [payloads[1]] })), TEXT);
    Ok(())
}

#[tokio::test]
async fn what_is_too_much_is_refused_before_it_is_fetched() -> anyhow::Result<()> {
    let limits = [
        ("SEALANE_CODEC_MAX_BODY", "65536"),
        ("SEALANE_CODEC_MAX_PAYLOAD", "20000"),
    ];
    let stage = Stage::set(&limits).await?;
    let text = |len: usize| format!("\"{}\"", "x".repeat(len));
    let large = stage.stored("orders", &text(30_000)).await?;
    let fits = stage.stored("orders", &text(15_000)).await?;

    let answer = stage.post("/download", &[&large]).await;
    answer.assert_problem(413, "payload-too-large");
    let many = vec![&fits; 9];
    let answer = stage.post("/download", &many).await;
    answer.assert_problem(413, "payload-too-large");

    let answer = stage.post("/download", &[&fits]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    Ok(())
}

#[tokio::test]
async fn the_codec_server_stores_nothing() -> anyhow::Result<()> {
    let stage = Stage::set(&[("SEALANE_LARGE_PAYLOADS", "blob")]).await?;
    let long = format!("\"{}\"", "x".repeat(200_000));

    let sealed = stage.app.sealed(&long).await;

    assert!(stage.azurite.names().await?.is_empty());
    assert_eq!(data(&stage.app.post("/decode", &sealed).await.json()), long);
    Ok(())
}
