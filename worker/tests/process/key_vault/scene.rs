//! A vault, a gateway, and processes that are watched.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::{Context, ensure};
use sealane_client::handles::Greeting;
use sealane_dev::gateway::Gateway;
use sealane_tests::{
    VaultClient, VaultWorld, azure::token_file, orders::patiently, process::Process,
    secrets::Secrets,
};
use serde_json::Value;
use temporalio_client::WorkflowStartOptions;
use tokio::time::{MissedTickBehavior, interval};

pub(super) const WORKER: &str = env!("CARGO_BIN_EXE_sealane-worker");

/// Begins every name that is greeted. Found nowhere by chance, and in no log.
pub(super) const NAME: &str = "Ada-51d7be60";

/// How long ago a key was made that has been in use for long.
pub(super) const DAY: Duration = Duration::from_hours(24);

/// How often something is asked that cannot be waited for.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Lets a process write to standard error only, where it is listened to, and leaves its process id alone.
const ONE_STREAM: [&str; 2] = ["-c", r#"exec "$0" "$@" >&2"#];

/// The SDK lets later attempts of a failing task time out, so this is how long a workflow goes without
/// noticing a key.
const TASK_TIMEOUT: Duration = Duration::from_secs(2);

/// A vault, a gateway, a task queue, and what belongs into the environment of a process.
pub(super) struct Scene {
    pub(super) vault: VaultWorld,
    pub(super) gateway: Gateway,
    variables: BTreeMap<String, String>,
}

/// A process with probes.
pub(super) struct Watched {
    process: Process,
    /// Where its probes are.
    url: String,
    /// Asks them, very often. Making one takes longer than an answer.
    http: reqwest::Client,
}

impl Scene {
    /// Sets a scene with these settings, in which no key was made yet.
    pub(super) async fn open(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let vault = VaultWorld::open(settings).await?;
        let gateway = Gateway::start_local().await?;
        let mut variables = vault.world.variables().clone();
        variables.insert("ORDERS_GATEWAY_URL".to_owned(), gateway.url());
        variables.insert("SEALANE_LOG".to_owned(), "trace".to_owned());
        Ok(Self {
            vault,
            gateway,
            variables,
        })
    }

    /// Starts a worker and waits until it takes work.
    pub(super) async fn start_worker(&self) -> anyhow::Result<Watched> {
        self.start_worker_with(&[]).await
    }

    /// Starts a worker with further settings and waits until it takes work.
    pub(super) async fn start_worker_with(
        &self,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Watched> {
        let process = self.start(Path::new(WORKER), &[], settings)?;
        process.says("polling for tasks").await?;
        Watched::of(process, "probes and metrics are served").await
    }

    /// Starts `sealane`, the command line, with these arguments.
    pub(super) fn start_sealane(&self, arguments: &[&str]) -> anyhow::Result<Process> {
        let sealane = Path::new(WORKER).with_file_name("sealane");
        let missing = "it stands beside the worker once `cargo build -p sealane-client` has made it, \
                       as `cargo test --workspace` does";
        ensure!(sealane.is_file(), "no {}: {missing}", sealane.display());
        self.start(&sealane, arguments, &[])
    }

    /// Starts `program` with further settings.
    pub(super) fn start(
        &self,
        program: &Path,
        arguments: &[&str],
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Process> {
        let mut variables = self.variables.clone();
        for (name, value) in settings {
            variables.insert((*name).to_owned(), (*value).to_owned());
        }
        let program = program.to_str().context("an odd path")?;
        let words = [&ONE_STREAM[..], &[program], arguments].concat();
        Process::start("/bin/sh", &words, &variables)
    }

    /// Starts greeting `name`, who must be somebody else each time.
    pub(super) async fn greet(&self, client: &VaultClient, name: &str) -> anyhow::Result<Greeting> {
        let mut options = self.options(name);
        options.task_timeout = Some(TASK_TIMEOUT);
        let name = format!("{NAME} {name}");
        Ok(Greeting::start(&client.client, name, options).await?)
    }

    /// Fails unless the greeting of `name` ends as it should.
    pub(super) async fn greeted(&self, greeting: &Greeting, name: &str) -> anyhow::Result<()> {
        let result = patiently(name, greeting.result()).await?;
        let expected = format!("Final result: Processed: Hello, {NAME} {name}!");
        ensure!(result == expected, "{result:?}, expected {expected:?}");
        Ok(())
    }

    /// Returns options to start a workflow called `name` where the workers of this scene find it.
    pub(super) fn options(&self, name: &str) -> WorkflowStartOptions {
        let world = &self.vault.world;
        WorkflowStartOptions::new(world.task_queue(), world.id(name)).build()
    }

    /// Returns the task queue.
    pub(super) fn task_queue(&self) -> &str {
        self.vault.world.task_queue()
    }

    /// Returns all that must not be seen: keys, tokens, and the federated token of the processes.
    pub(super) fn secrets(&self) -> anyhow::Result<Secrets> {
        let federated = std::fs::read_to_string(token_file(self.vault.world.folder()))?;
        let secrets = Secrets::of(&self.vault.fake);
        Ok(secrets.and_token("a federated token", &federated))
    }
}

impl Watched {
    /// Watches a process that says, with its address, `serving`.
    pub(super) async fn of(process: Process, serving: &str) -> anyhow::Result<Self> {
        let event: Value = serde_json::from_str(&process.says(serving).await?)?;
        let address = event["http.address"].as_str().context("no address")?;
        Ok(Self {
            process,
            url: format!("http://{address}"),
            http: reqwest::Client::builder().no_proxy().build()?,
        })
    }

    /// Waits until its log has a line with `text`.
    pub(super) async fn says(&self, text: &str) -> anyhow::Result<String> {
        self.process.says(text).await
    }

    /// Returns what `/metrics` shows.
    pub(super) async fn metrics(&self) -> anyhow::Result<String> {
        Ok(self.probe("metrics").await?.1)
    }

    /// Returns what a series shows, written as in a scrape: name and labels. None if it is not there.
    pub(super) async fn metric(&self, series: &str) -> anyhow::Result<Option<f64>> {
        let scrape = self.metrics().await?;
        let rest = scrape
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        Ok(rest.map(str::parse).transpose()?)
    }

    /// Waits until a series, which may not be there yet, shows what is `wanted`.
    pub(super) async fn reaches(
        &self,
        series: &str,
        wanted: impl Fn(f64) -> bool,
    ) -> anyhow::Result<()> {
        let reached = async || {
            let value = self.metric(series).await?;
            Ok(value.is_some_and(&wanted))
        };
        until(series, reached).await
    }

    /// Waits until `/readyz` answers with `status`, and returns the document.
    pub(super) async fn answers_ready_with(&self, status: u16) -> anyhow::Result<Value> {
        let mut document = Value::Null;
        let asked = async || {
            let answer = self.ready().await?;
            document = answer.1;
            Ok(answer.0 == status)
        };
        until(&format!("readiness to be {status}"), asked).await?;
        Ok(document)
    }

    /// Returns status and document of `/readyz`.
    pub(super) async fn ready(&self) -> anyhow::Result<(u16, Value)> {
        let (status, document) = self.probe("readyz").await?;
        Ok((status, serde_json::from_str(&document)?))
    }

    async fn probe(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let url = format!("{}/{path}", self.url);
        let answer = patiently(&url, self.http.get(&url).send()).await?;
        let status = answer.status().as_u16();
        Ok((status, patiently(&url, answer.text()).await?))
    }

    /// Ends the process, and returns its log after all that it has shown was searched.
    pub(super) async fn close(self, secrets: &Secrets) -> anyhow::Result<Vec<String>> {
        secrets.assert_absent("/metrics", &self.metrics().await?);
        secrets.assert_absent("/readyz", &self.ready().await?.1.to_string());
        self.process.signal("TERM").await?;
        close(self.process, secrets).await
    }
}

/// Waits for the end of a process, and returns its log after it was searched.
pub(super) async fn close(process: Process, secrets: &Secrets) -> anyhow::Result<Vec<String>> {
    let ended = process.ends().await?;
    let log = ended.said.join("\n");
    secrets.assert_absent("the log", &log);
    let last = ended.said.last();
    ensure!(
        ended.code == Some(0),
        "ended with {:?}: {last:?}",
        ended.code
    );
    Ok(ended.said)
}

/// Returns the lines of `log` that hold `text`.
pub(super) fn lines<'a>(log: &'a [String], text: &str) -> Vec<&'a String> {
    log.iter().filter(|line| line.contains(text)).collect()
}

/// Asks again and again, until the answer is yes.
pub(super) async fn until(
    what: &str,
    mut ask: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let asking = async {
        let mut pace = interval(ASK_EVERY);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !ask().await? {
            pace.tick().await;
        }
        Ok(())
    };
    patiently(what, asking).await
}
