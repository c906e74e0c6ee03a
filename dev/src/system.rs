//! The whole system, up and down.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context;
use sealane_client::connection::{self, Extras};
use sealane_service::{encryption, settings::Settings};
use temporalio_client::Client;

use crate::{
    arguments::Arguments,
    gateway::Gateway,
    home,
    server::{DevServer, Options},
    temporal_cli::TemporalCli,
    worker_thread::WorkerThread,
};

/// The usual ports: those of the Temporal CLI, and those of docs/configuration.md.
const TEMPORAL_PORT: u16 = 7233;
const UI_PORT: u16 = 8233;
const GATEWAY_PORT: u16 = 8070;
const WORKER_PORT: u16 = 9090;

/// Everything that runs. Stop it with [`System::stop`]; dropping it leaves no process behind either.
pub(crate) struct System {
    pub worker: WorkerThread,
    pub client: Client,
    pub settings: Settings,
    gateway: Gateway,
    server: DevServer,
    cli: TemporalCli,
    keys: PathBuf,
    database: Option<PathBuf>,
}

impl System {
    /// Starts the server, the gateway and the worker, in this order. `say` is told before anything
    /// that takes long.
    ///
    /// # Errors
    ///
    /// Whatever does not start, and why.
    pub(crate) async fn start(arguments: &Arguments, say: impl Fn(&str)) -> anyhow::Result<Self> {
        let home = home::prepare(&arguments.home)?;
        let keys = home::key_ring(&home)?;
        let cli = TemporalCli::find(&home, &say).await?;
        let database = arguments.persist.then(|| home.join("temporal.db"));
        let options = Options {
            port: Some(home::port(arguments.port, TEMPORAL_PORT)?),
            ui_port: Some(home::port(arguments.ui_port, UI_PORT)?),
            database: database.clone(),
        };
        say("Starting the Temporal server");
        let server = DevServer::start(&cli, &options).await?;
        let gateway_port = home::port(arguments.gateway_port, GATEWAY_PORT)?;
        let gateway = Gateway::start(SocketAddr::from(([127, 0, 0, 1], gateway_port)))
            .await
            .context("the order gateway cannot listen")?;
        let worker_port = home::port(arguments.worker_port, WORKER_PORT)?;
        let settings = settings(&server, &gateway, &keys, worker_port)?;
        let worker = WorkerThread::start(settings.clone(), sealane_worker::flows::register)?;
        let client = client(&settings).await?;
        Ok(Self {
            worker,
            client,
            settings,
            gateway,
            server,
            cli,
            keys,
            database,
        })
    }

    /// Stops everything in the order in which nothing misses anything.
    ///
    /// # Errors
    ///
    /// What the worker ended with.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let outcome = self.worker.stop().await;
        drop(self.gateway);
        drop(self.server);
        Ok(outcome?)
    }
}

/// Where to look.
impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = match &self.database {
            Some(path) => format!("database {}", path.display()),
            None => "database in memory; --persist keeps it".to_owned(),
        };
        let keys = self.keys.display();
        let address = self.server.address();
        writeln!(
            f,
            "Temporal CLI     {} (from {})",
            self.cli.path.display(),
            self.cli.origin
        )?;
        writeln!(f, "Temporal server  {address} ({kept})")?;
        writeln!(
            f,
            "Web UI           {} (shows ciphertext)",
            self.server.ui_url().unwrap_or("none")
        )?;
        writeln!(
            f,
            "Order gateway    {} (PUT /knobs makes it fail)",
            self.gateway.url()
        )?;
        writeln!(
            f,
            "Worker           http://{}/readyz and /metrics",
            self.settings.http_addr
        )?;
        writeln!(f, "Key ring         {keys}")?;
        writeln!(
            f,
            "Read it all      TEMPORAL_ADDRESS={address} SEALANE_KEY_FILE={keys} cargo run -qp sealane-client -- workflow list"
        )
    }
}

/// The settings of worker and trigger: ours, then `SEALANE_…` of the environment.
fn settings(
    server: &DevServer,
    gateway: &Gateway,
    keys: &Path,
    worker_port: u16,
) -> anyhow::Result<Settings> {
    let ours = BTreeMap::from([
        ("TEMPORAL_ADDRESS", server.address().to_owned()),
        ("SEALANE_KEY_FILE", keys.display().to_string()),
        ("SEALANE_HTTP_ADDR", format!("127.0.0.1:{worker_port}")),
        ("ORDERS_GATEWAY_URL", gateway.url()),
    ]);
    let quiet = BTreeMap::from([("SEALANE_LOG", "warn"), ("SEALANE_LOG_FORMAT", "text")]);
    Ok(Settings::load(None, |name| {
        ours.get(name).map(OsString::from).or_else(|| {
            let theirs = name
                .starts_with("SEALANE_")
                .then(|| std::env::var_os(name))
                .flatten();
            theirs.or_else(|| quiet.get(name).map(OsString::from))
        })
    })?)
}

async fn client(settings: &Settings) -> anyhow::Result<Client> {
    let codec = encryption::codec(&settings.encryption).await?;
    Ok(connection::connect(&settings.temporal, codec, Extras::default()).await?)
}
