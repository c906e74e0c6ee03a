//! A worker's pod, with an Azure of its own around it.

use std::{collections::BTreeMap, fs, net::TcpListener, path::Path};

use anyhow::Context;
use sealane_tests::{
    azure::{FakeAzure, SECRET},
    process::{Ended, Process},
    secrets::Secrets,
};

use super::cases::long_ago;

/// 32 bytes, with the line break that `openssl rand -base64 32` leaves.
pub(crate) const KEY: &str = "pU3KGCUwux1tEyze1iN7LtkeP3IfyxlxF0SU1kk8nVw=\n";

/// What the webhook and the manifest would set, and the Azure it leads to.
pub(crate) struct Pod {
    pub(crate) azure: FakeAzure,
    variables: BTreeMap<String, String>,
    /// Where the worker would find Temporal, unless it is sent elsewhere.
    temporal: TcpListener,
}

/// How a worker ended that did not start.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: Option<i32>,
    complaints: Vec<String>,
}

impl Pod {
    /// Returns a pod whose secret has one version, in use for long.
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let pod = Self::without_key().await?;
        pod.azure.add_version_with(SECRET, KEY, long_ago());
        Ok(pod)
    }

    /// Returns a pod whose worker encrypts under data keys, and has a key to wrap them.
    pub(crate) async fn with_wrapping_key() -> anyhow::Result<Self> {
        let mut pod = Self::without_key().await?;
        pod.azure.add_key("wrapping-key");
        pod.unset("KEYVAULT_URL");
        pod.unset("KEYVAULT_SECRET_NAME");
        pod.set("SEALANE_KEY_MODE", "envelope");
        let uri = "https://unit.vault.azure.net/keys/wrapping-key";
        pod.set("KEYVAULT_KEY_URI", uri);
        Ok(pod)
    }

    /// Returns a pod whose secret does not exist yet.
    pub(crate) async fn without_key() -> anyhow::Result<Self> {
        let azure = FakeAzure::start().await?;
        let token_file = azure.token_file();
        let folder = token_file.parent().context("the token is in a folder")?;
        let variables = azure.environment(folder).into_iter().collect();
        let temporal = TcpListener::bind(("127.0.0.1", 0))?;
        temporal.set_nonblocking(true)?;
        let address = temporal.local_addr()?.to_string();
        let mut pod = Self {
            azure,
            variables,
            temporal,
        };
        pod.set("TEMPORAL_ADDRESS", address);
        pod.set("SEALANE_HTTP_ADDR", "127.0.0.1:0");
        Ok(pod)
    }

    /// Adds the key that `file` calls `id`, a version in use for long.
    pub(crate) fn share_key(&self, file: &Path, id: &str) -> anyhow::Result<()> {
        let ring: serde_json::Value = serde_json::from_slice(&fs::read(file)?)?;
        let key = ring["keys"][id].as_str().context("the key is there")?;
        let mut version = long_ago();
        version
            .tags
            .insert("sealane-key-id".to_owned(), id.to_owned());
        self.azure.add_version_with(SECRET, key, version);
        Ok(())
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.remove(name);
    }

    /// Writes a file of that `name` beside the token, and returns its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.azure.token_file().with_file_name(name);
        fs::write(&path, text).expect("the folder is there");
        path.display().to_string()
    }

    /// Starts the worker.
    pub(crate) fn start(&self) -> anyhow::Result<Process> {
        crate::support::start(&[], &self.variables)
    }

    /// Starts a worker that must end by itself, without a word to Temporal.
    pub(crate) async fn refusal(&self) -> anyhow::Result<Refusal> {
        let Ended { code, said } = self.start()?.ends().await?;
        self.assert_secrets_kept(&said);
        assert!(self.temporal.accept().is_err(), "Temporal was asked");
        let complaint = |line: &String| line.starts_with("sealane-worker: ");
        let (complaints, events): (Vec<_>, Vec<_>) = said.into_iter().partition(complaint);
        for event in events {
            assert!(event.starts_with(r#"{"timestamp""#), "{event}");
        }
        Ok(Refusal { code, complaints })
    }

    /// Checks that nothing said so far holds a key, a token or what tokens are exchanged for.
    pub(crate) fn assert_secrets_kept(&self, said: &[String]) {
        Secrets::of(&self.azure).assert_absent("what a worker says", &said.join("\n"));
    }
}

impl Refusal {
    /// Checks that there is exactly one complaint, with `words` in it.
    pub(crate) fn assert_one_line(&self, code: u8, words: &[&str]) {
        let [line] = self.complaints.as_slice() else {
            panic!("expected one line: {:#?}", self.complaints);
        };
        assert_eq!(self.code, Some(i32::from(code)), "{line}");
        for word in words {
            assert!(line.contains(word), "no {word:?} in: {line}");
        }
    }
}
