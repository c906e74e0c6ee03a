//! `sealane doctor` in a pod that lacks nothing, and in many that lack one thing.

mod api_key;
mod identity;
mod settings;
mod temporal;
mod vault;

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use sealane_tests::{
    TestWorker, World,
    azure::{self, FakeAzure, NewVersion, SECRET},
    azurite::{Azurite, CONTAINER_URL},
};
use serde_json::Value;

use crate::terminal::{Finished, Terminal};

/// In the order in which they are shown.
const CHECKS: [&str; 17] = [
    "settings",
    "token-file",
    "token-exchange",
    "vault-reachable",
    "vault-list",
    "vault-get",
    "keys",
    "data-keys",
    "blob-container",
    "api-key",
    "temporal-tcp",
    "temporal-tls",
    "temporal-auth",
    "temporal-namespace",
    "pollers-workflow",
    "pollers-activity",
    "clock",
];

/// The secret that holds the API key, where there is one.
const API_KEY: &str = "temporal-api-key";

/// A pod with everything a worker needs, but no worker.
struct Pod {
    world: World,
    azure: FakeAzure,
    terminal: Terminal,
    /// Name of the one version of the secret.
    version: String,
    /// Nothing that may be shown.
    value: String,
}

/// What the doctor said.
struct Report {
    finished: Finished,
    findings: Vec<Value>,
}

impl Pod {
    async fn new() -> anyhow::Result<Self> {
        let world = World::new().await;
        let azure = FakeAzure::start().await?;
        let value = base64_key();
        let version = add_version(&azure, &value, Duration::from_hours(1));
        let mut terminal = Terminal::of(&world).without("SEALANE_KEY_FILE");
        for (name, setting) in azure.environment(world.folder()) {
            terminal = terminal.with(&name, &setting);
        }
        Ok(Self {
            world,
            azure,
            terminal,
            version,
            value,
        })
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.terminal = self.terminal.with(name, value);
        self
    }

    /// Adds a secret that holds the API key, which the dev server does not look at.
    fn with_api_key(self, key: &str) -> Self {
        self.azure.add_version(API_KEY, key);
        self.with("KEYVAULT_API_KEY_SECRET_NAME", API_KEY)
            .with("TEMPORAL_TLS", "false")
    }

    fn without(mut self, name: &str) -> Self {
        self.terminal = self.terminal.without(name);
        self
    }

    fn token_file(&self) -> PathBuf {
        azure::token_file(self.world.folder())
    }

    async fn examine(&self) -> Report {
        let report = Report::of(self.terminal.run("doctor -o json").await);
        self.keeps_its_secrets(&report.finished);
        report
    }

    /// Neither the key, nor the pod's token, nor any of Entra's is shown.
    fn keeps_its_secrets(&self, finished: &Finished) {
        let token = std::fs::read_to_string(self.token_file()).unwrap_or_default();
        let signature = token.rsplit('.').next().map(str::to_owned);
        let tokens = self.azure.tokens().into_iter();
        let secrets = tokens.chain(signature).chain([self.value.clone()]);
        for secret in secrets.filter(|secret| !secret.is_empty()) {
            assert!(
                !finished.to_string().contains(&secret),
                "{secret}: {finished}"
            );
        }
    }
}

/// Adds a version that was made some time ago, and returns its name.
fn add_version(azure: &FakeAzure, value: &str, age: Duration) -> String {
    let created = SystemTime::now().checked_sub(age);
    let made = NewVersion {
        created,
        ..NewVersion::default()
    };
    azure.add_version_with(SECRET, value, made)
}

fn base64_key() -> String {
    BASE64_STANDARD.encode(rand::random::<[u8; 32]>())
}

impl Report {
    fn of(finished: Finished) -> Self {
        let findings = finished.json();
        let findings = findings.as_array().expect("an array").clone();
        Self { finished, findings }
    }

    fn finding(&self, check: &str) -> &Value {
        let mut findings = self.findings.iter();
        let found = findings.find(|finding| finding["check"] == check);
        found.unwrap_or_else(|| panic!("no {check}: {}", self.finished))
    }

    fn status(&self, check: &str) -> &str {
        self.finding(check)["status"].as_str().expect("a word")
    }

    /// The checks with this status, in order.
    fn all(&self, status: &str) -> Vec<&str> {
        let found = self
            .findings
            .iter()
            .filter(|finding| finding["status"] == status);
        let mut names: Vec<_> = found
            .filter_map(|finding| finding["check"].as_str())
            .collect();
        names.dedup();
        names
    }

    /// Asserts that `failed` fails and nothing else, and that only `skipped` are skipped.
    fn fails(&self, code: i32, failed: &[&str], skipped: &[&str]) -> &Self {
        let finished = &self.finished;
        assert_eq!(self.all("fail"), failed, "{finished}");
        let usually = ["data-keys", "blob-container", "api-key", "temporal-tls"];
        let mut unusual = self.all("skipped");
        unusual.retain(|check| !usually.contains(check) || skipped.contains(check));
        assert_eq!(unusual, skipped, "{finished}");
        let summary = finished.fails(code);
        assert_eq!(summary, format!("checks failed: {}", failed.join(", ")));
        self
    }

    /// Asserts what a finding says.
    fn says(&self, check: &str, details: &[&str], remedies: &[&str]) -> &Self {
        let finding = self.finding(check);
        for (field, texts) in [("detail", details), ("remedy", remedies)] {
            for text in texts {
                let said = finding[field].as_str().unwrap_or_default();
                assert!(
                    said.contains(text),
                    "{check}: {field} lacks {text:?}: {said:?}"
                );
                assert!(!said.contains('\n'), "{check}: {said:?}");
            }
        }
        self
    }
}

#[tokio::test]
async fn where_nothing_is_missing_everything_passes() -> anyhow::Result<()> {
    let pod = Pod::new().await?;
    pod.azure.add_key("payload-kek");
    let kek = "https://unit.vault.azure.net/keys/payload-kek";
    let pod = pod
        .with("KEYVAULT_KEY_URI", kek)
        .with("SEALANE_LARGE_PAYLOADS", "blob")
        .with("SEALANE_BLOB_CONTAINER_URL", CONTAINER_URL)
        .with_api_key("eyJ-api-key-5f0c1d2b9a");
    let _container = Azurite::start(&pod.azure).await?;
    let _worker = TestWorker::of_flows(pod.world.settings());

    let polled = |finished: &Finished| !finished.stdout.contains("nobody polls");
    let finished = pod.terminal.until("doctor -o json", polled).await;

    pod.keeps_its_secrets(&finished);
    assert!(!finished.to_string().contains("eyJ-api-key"), "{finished}");
    let report = Report::of(finished.succeeds());
    let checks: Vec<_> = report
        .findings
        .iter()
        .map(|it| it["check"].clone())
        .collect();
    assert_eq!(checks, CHECKS);
    assert_eq!(
        report.all("skipped"),
        ["temporal-tls"],
        "{}",
        report.finished
    );
    assert_eq!(
        report.all("pass").len(),
        CHECKS.len() - 1,
        "{}",
        report.finished
    );
    assert_eq!(report.finished.stderr, "");
    report
        .says(
            "token-file",
            &["system:serviceaccount:sealane:sealane-worker", "expires at"],
            &[],
        )
        .says(
            "vault-list",
            &["payload-key", "unit.vault.azure.net", ": 1"],
            &[],
        )
        .says(
            "keys",
            &[&format!("payload-key/{} encrypts, 1 decrypt", pod.version)],
            &[],
        )
        .says(
            "data-keys",
            &["unit.vault.azure.net/keys/payload-kek wraps and unwraps"],
            &[],
        )
        .says("blob-container", &["stored and read", CONTAINER_URL], &[])
        .says(
            "api-key",
            &["temporal-api-key", "unit.vault.azure.net"],
            &[],
        )
        .says(
            "temporal-auth",
            &["the key in KEYVAULT_API_KEY_SECRET_NAME"],
            &[],
        )
        .says(
            "clock",
            &["login.microsoftonline.com", "unit.vault.azure.net"],
            &[],
        );
    Ok(())
}

#[tokio::test]
async fn a_finding_has_four_fields() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with("TEMPORAL_NAMESPACE", "payments");

    let report = pod.examine().await;

    for finding in &report.findings {
        let fields: Vec<_> = finding.as_object().expect("an object").keys().collect();
        assert_eq!(fields, ["check", "detail", "remedy", "status"], "{finding}");
        let has_remedy = ["warn", "fail"].contains(&finding["status"].as_str().unwrap_or_default());
        assert_eq!(finding["remedy"].is_string(), has_remedy, "{finding}");
    }
    Ok(())
}

#[tokio::test]
async fn people_get_a_line_for_each_check_and_one_for_what_helps() -> anyhow::Result<()> {
    let pod = Pod::new().await?.with("TEMPORAL_NAMESPACE", "payments");

    let finished = pod.terminal.run("doctor").await;

    pod.keeps_its_secrets(&finished);
    assert_eq!(finished.fails(78), "checks failed: temporal-namespace");
    let lines: Vec<_> = finished.stdout.lines().collect();
    assert!(lines[0].starts_with("pass     settings"), "{finished}");
    let failed = lines
        .iter()
        .position(|line| line.starts_with("FAIL     temporal-namespace"));
    let remedy = lines[failed.expect("a line") + 1].trim_start();
    assert!(
        remedy.starts_with("-> check TEMPORAL_NAMESPACE"),
        "{finished}"
    );
    Ok(())
}

#[tokio::test]
async fn a_queue_that_nobody_polls_is_no_failure() -> anyhow::Result<()> {
    let pod = Pod::new().await?;

    let report = pod.examine().await;

    assert_eq!(report.finished.code, 0, "{}", report.finished);
    assert_eq!(report.all("warn"), ["pollers-workflow", "pollers-activity"]);
    let queue = format!("{:?}", pod.world.task_queue());
    report.says(
        "pollers-workflow",
        &["nobody polls", &queue],
        &["kubectl get pods", "TEMPORAL_TASK_QUEUE"],
    );
    Ok(())
}

#[tokio::test]
async fn nothing_is_written_to_the_vault() -> anyhow::Result<()> {
    let pod = Pod::new().await?;

    pod.examine().await;

    let requests = pod.azure.requests();
    let writing = requests
        .iter()
        .find(|it| it.host.contains("vault") && it.method != "GET");
    assert!(writing.is_none(), "{writing:?}");
    Ok(())
}
