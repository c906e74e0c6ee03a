//! The real binary.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context;
use reqwest::{Method, header::HeaderMap};
use sealane_codec::file_source;
use sealane_tests::{
    orders::patiently,
    process::{Ended, Process},
    ring_with,
};
use serde_json::Value;

use super::{Answer, ORIGIN};

/// A codec server as a process of its own, which logs all it can.
pub(crate) struct Live {
    pub(crate) process: Process,
    pub(crate) url: String,
    http: reqwest::Client,
}

impl Live {
    /// Starts one and waits until it listens.
    pub(crate) async fn start(variables: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let process = spawn(&[], variables)?;
        let event = process.says("probes and metrics are served").await?;
        let event: Value = serde_json::from_str(&event)?;
        let address = event["http.address"].as_str().context("no address")?;
        Ok(Self {
            process,
            url: format!("http://{address}"),
            http: reqwest::Client::builder().no_proxy().build()?,
        })
    }

    /// Waits until it has keys.
    pub(crate) async fn once_ready(self) -> anyhow::Result<Self> {
        self.process
            .says("payloads are encrypted and decrypted")
            .await?;
        Ok(self)
    }

    /// Sends a page's request for `path` with `token`, if there is one.
    pub(crate) async fn ask(
        &self,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> anyhow::Result<Answer> {
        let mut request = self
            .http
            .request(Method::POST, format!("{}{path}", self.url));
        request = request.header("origin", ORIGIN).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        answer(path, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        answer(path, self.http.get(format!("{}{path}", self.url))).await
    }

    /// Sends the body as it is, with these headers.
    pub(crate) async fn post(
        &self,
        path: &str,
        headers: HeaderMap,
        body: String,
    ) -> anyhow::Result<Answer> {
        let request = self.http.post(format!("{}{path}", self.url));
        answer(path, request.headers(headers).body(body)).await
    }

    /// Asks it to end, and waits for that.
    pub(crate) async fn stop(self) -> anyhow::Result<Ended> {
        self.process.signal("TERM").await?;
        self.process.ends().await
    }
}

/// What a codec server needs at least: a key, of its own in `folder`, and a namespace.
pub(crate) fn variables(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let keys = folder.join("keys.json");
    file_source::write_new(&keys, &ring_with("test-key"))?;
    let variables = [
        ("SEALANE_KEY_FILE", keys.display().to_string()),
        ("TEMPORAL_NAMESPACE", "orders".to_owned()),
    ];
    Ok(variables
        .map(|(name, value)| (name.to_owned(), value))
        .into())
}

/// Starts the binary with `arguments`.
pub(crate) fn spawn(
    arguments: &[&str],
    variables: &BTreeMap<String, String>,
) -> anyhow::Result<Process> {
    let mut variables = variables.clone();
    let defaults = [
        ("SEALANE_CODEC_ADDR", "127.0.0.1:0"),
        ("SEALANE_LOG", "trace"),
        ("SEALANE_LOG_FORMAT", "json"),
    ];
    for (name, value) in defaults {
        variables
            .entry(name.to_owned())
            .or_insert_with(|| value.to_owned());
    }
    Process::start(
        env!("CARGO_BIN_EXE_sealane-codec-server"),
        arguments,
        &variables,
    )
}

async fn answer(path: &str, request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
    let response = patiently(path, request.send()).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = patiently(path, response.bytes()).await?;
    Ok(Answer::new(status, headers, &body))
}
