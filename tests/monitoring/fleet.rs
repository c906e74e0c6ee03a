//! One process of each kind, at work and in trouble: whatever can be scraped can be scraped here.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use sealane_client::{
    handles::{Greeting, OrderHandle},
    workflow::Execution,
};
use sealane_dev::{
    gateway::{Gateway, State},
    server::{DevServer, Options},
};
use sealane_tests::{
    VaultClient, VaultWorld, World,
    azure::FakeAzure,
    issuer::Issuer,
    orders::{order, patiently},
    process::{Process, probe, program},
    temporal_cli,
};
use serde_json::{Value, json};
use temporalio_client::WorkflowStartOptions;
use tokio::time::{interval, timeout};

use crate::names;

/// How long ago the key was made.
const DAY: Duration = Duration::from_hours(24);

/// How often processes are scraped while something is waited for.
const SCRAPE_EVERY: Duration = Duration::from_millis(200);

/// Nothing here takes a third of it.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the API takes, in bytes.
const MAX_BODY: usize = 4096;

/// Envelope mode, with a data key that is used up soon, and a vault that is asked often.
const KEYS: [(&str, &str); 4] = [
    ("KEYVAULT_KEY_URI", "https://unit.vault.azure.net/keys/kek"),
    ("SEALANE_KEY_MODE", "envelope"),
    ("SEALANE_DATA_KEY_MAX_SEALS", "10"),
    ("SEALANE_KEY_REFRESH", "1s"),
];

/// The secret that holds the API key.
const API_KEY: &str = "temporal-api-key";

/// A server and a vault of their own, because both go down, and the processes.
pub(crate) struct Fleet {
    vault: VaultWorld,
    gateway: Gateway,
    issuer: Issuer,
    client: VaultClient,
    /// Uses a data key that no process has met.
    stranger: VaultClient,
    processes: Vec<Scraped>,
    seen: Samples,
    // Goes down before the processes do.
    server: Option<DevServer>,
}

/// The names of metrics, each with the labels of its samples.
pub(crate) type Samples = BTreeMap<String, BTreeSet<String>>;

/// A process and where it listens.
struct Scraped {
    name: &'static str,
    url: String,
    _process: Process,
}

impl Fleet {
    /// Starts everything.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let cli = temporal_cli().await?;
        let server = DevServer::start(&cli, &Options::default()).await?;
        let gateway = Gateway::start_local().await?;
        let issuer = Issuer::start().await?;
        let vault = vault_beside(&server).await?;
        let mut fleet = Self {
            client: vault.client().await?,
            stranger: vault.client().await?,
            vault,
            gateway,
            issuer,
            processes: Vec::new(),
            seen: Samples::new(),
            server: Some(server),
        };
        fleet.start_processes().await?;
        Ok(fleet)
    }

    async fn start_processes(&mut self) -> anyhow::Result<()> {
        let trigger = "trigger GreetingWorkflow --every 1h --input-template \"Ada\"";
        for (program, line) in [
            ("sealane-worker", ""),
            ("sealane", "serve"),
            ("sealane", trigger),
            ("sealane-codec-server", ""),
        ] {
            let process = self.start_process(program, line).await?;
            self.processes.push(process);
        }
        Ok(())
    }

    async fn start_process(&self, name: &'static str, line: &str) -> anyhow::Result<Scraped> {
        let mut variables = self.vault.world.variables().clone();
        let more = [
            ("ORDERS_GATEWAY_URL", self.gateway.url()),
            ("KEYVAULT_API_KEY_SECRET_NAME", API_KEY.to_owned()),
            // The dev server speaks no TLS, and looks at no key.
            ("TEMPORAL_TLS", "false".to_owned()),
            ("SEALANE_CODEC_ADDR", "127.0.0.1:0".to_owned()),
            ("SEALANE_AUTH_PERMISSIONS_CLAIM", "permissions".to_owned()),
            ("SEALANE_HTTP_MAX_BODY", MAX_BODY.to_string()),
            ("SEALANE_MAX_CACHED_WORKFLOWS", "1".to_owned()),
        ];
        variables.extend(more.map(|(name, value)| (name.to_owned(), value)));
        variables.extend(self.issuer.settings());
        let words: Vec<_> = line.split_whitespace().collect();
        let process = Process::start(program(name)?, &words, &variables)?;
        let serves: Value = serde_json::from_str(&process.says("http.address").await?)?;
        let address = serves["http.address"].as_str().context("no address")?;
        let url = format!("http://{address}");
        patiently(name, ready(&url)).await;
        Ok(Scraped {
            name: if line == "serve" { "api" } else { name },
            url,
            _process: process,
        })
    }

    /// Has everything do its work once: orders to each of their ends, requests, payloads.
    pub(crate) async fn work(&self) -> anyhow::Result<()> {
        let shipped = self.place("A-1").await?;
        patiently("the receipt", shipped.result()).await?;
        self.gateway
            .turn(|knobs| knobs.decline = Some("insufficient_funds".to_owned()));
        let declined = self.place("A-2").await?;
        let failed = patiently("the failure", declined.result()).await;
        ensure!(failed.is_err(), "a declined order must fail");
        self.cancel_one().await?;
        let unknown_type = json!({"type": "NoSuchWorkflow"});
        let started = self.post("api", "api/v1/workflows", &unknown_type).await?;
        ensure!(started.is_success(), "{started}");
        let too_long = json!({"type": "x".repeat(MAX_BODY)});
        self.post("api", "api/v1/workflows", &too_long).await?;
        let sealed = json!({"payloads": [{
            "metadata": {"encoding": "YmluYXJ5L2VuY3J5cHRlZA==", "encryption-key-id": "bm9ib2R5J3M="},
            "data": "AAAA",
        }]});
        self.post("sealane-codec-server", "default/decode", &sealed)
            .await?;
        Ok(())
    }

    /// Takes everything away: first the vault, then the server, in the middle of an activity.
    pub(crate) async fn fail(&mut self) -> anyhow::Result<()> {
        self.gateway.turn(|knobs| knobs.pause_at_parcel = Some(0));
        let _held = self.place("A-4").await?;
        patiently("the parcel", self.gateway.wait_until(State::is_paused)).await;
        self.vault.fake.vault_down();
        let options = self.options("stranger");
        Greeting::start(&self.stranger.client, "Ada".to_owned(), options).await?;
        // A few payloads each, until the worker's data key is used up. Their results may be under one that this client
        // has never met.
        for number in 0..4 {
            let options = self.options(&format!("greeting-{number}"));
            Greeting::start(&self.client.client, "Ada".to_owned(), options).await?;
        }
        let vault = [
            "sealane_data_keys_not_made_total",
            "sealane_data_key_unwrap_failures_total",
        ];
        let missing = self.expose(&vault.map(str::to_owned).into()).await?;
        ensure!(missing.is_empty(), "the vault is down: {missing:?}");
        drop(self.server.take());
        self.gateway.turn(|knobs| knobs.pause_at_parcel = None);
        Ok(())
    }

    /// Scrapes until all of `wanted` have been seen, or patience ends, and returns what has not.
    pub(crate) async fn expose(
        &mut self,
        wanted: &BTreeSet<String>,
    ) -> anyhow::Result<BTreeSet<String>> {
        let scraping = async {
            let mut ticks = interval(SCRAPE_EVERY);
            while !self.missing(wanted).is_empty() {
                ticks.tick().await;
                self.scrape().await?;
            }
            anyhow::Ok(())
        };
        if let Ok(failed) = timeout(PATIENCE, scraping).await {
            failed?;
        }
        Ok(self.missing(wanted))
    }

    fn missing(&self, wanted: &BTreeSet<String>) -> BTreeSet<String> {
        let missing = wanted.iter().filter(|name| !self.seen.contains_key(*name));
        missing.cloned().collect()
    }

    async fn scrape(&mut self) -> anyhow::Result<()> {
        for process in &self.processes {
            let scrape = probe(&format!("{}/metrics", process.url)).await?.body;
            for (name, labels) in names::in_scrape(&scrape) {
                self.seen.entry(name).or_default().extend(labels);
            }
        }
        Ok(())
    }

    /// Returns what has been seen in scrapes so far.
    pub(crate) fn seen(&self) -> &Samples {
        &self.seen
    }

    async fn place(&self, id: &str) -> anyhow::Result<OrderHandle> {
        let options = self.options(id);
        Ok(OrderHandle::start(&self.client.client, order(id, &["tea"]), options).await?)
    }

    /// Cancels an order while its parcel is packed, through Temporal. By then another workflow has taken its place in
    /// the worker's memory.
    async fn cancel_one(&self) -> anyhow::Result<()> {
        self.gateway.turn(|knobs| {
            knobs.decline = None;
            knobs.pause_at_parcel = Some(0);
        });
        let waiting = self.place("A-3").await?;
        patiently("the parcel", self.gateway.wait_until(State::is_paused)).await;
        let options = self.options("between");
        let between = Greeting::start(&self.client.client, "Ada".to_owned(), options).await?;
        patiently("the greeting", between.result()).await?;
        let execution = Execution {
            workflow_id: self.vault.world.id("A-3"),
            run_id: None,
        };
        let workflows = &self.client.workflows;
        workflows.cancel(&execution, "shop closes").await?;
        let cancelled = patiently("the cancellation", waiting.result()).await;
        self.gateway.turn(|knobs| knobs.pause_at_parcel = None);
        ensure!(cancelled.is_err(), "a cancelled workflow has no result");
        Ok(())
    }

    fn options(&self, name: &str) -> WorkflowStartOptions {
        let world = &self.vault.world;
        WorkflowStartOptions::new(world.task_queue(), world.id(name)).build()
    }

    /// Posts `body` as somebody who may do everything.
    async fn post(&self, process: &str, path: &str, body: &Value) -> anyhow::Result<StatusCode> {
        let process = self.processes.iter().find(|it| it.name == process);
        let url = &process.context("no such process")?.url;
        let token = self
            .issuer
            .token(&json!({"permissions": ["default:write"]}));
        let client = reqwest::Client::builder().no_proxy().build()?;
        let request = client.post(format!("{url}/{path}")).bearer_auth(token);
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        Ok(patiently(path, request.send()).await?.status())
    }
}

/// A vault with one key of either kind, for a world on `server`.
async fn vault_beside(server: &DevServer) -> anyhow::Result<VaultWorld> {
    let fake = FakeAzure::start().await?;
    let mut world = World::on(server);
    world.set("SEALANE_KEY_FILE", "");
    let keys = KEYS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    for (name, value) in fake.environment(world.folder()).into_iter().chain(keys) {
        world.set(&name, value);
    }
    let vault = VaultWorld { fake, world };
    vault.fake.add_key("kek");
    vault.fake.add_version(API_KEY, "eyJ-api-key");
    vault.add_key(DAY);
    Ok(vault)
}

/// Waits until `url` says that it is ready.
async fn ready(url: &str) {
    let mut ticks = interval(SCRAPE_EVERY);
    loop {
        ticks.tick().await;
        let answer = probe(&format!("{url}/readyz")).await;
        if answer.is_ok_and(|answer| answer.status == 200) {
            return;
        }
    }
}
