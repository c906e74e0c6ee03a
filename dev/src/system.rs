//! The whole system, up and down.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use sealane_client::{
    api::{self, ApiError},
    connection::{self, Extras},
};
use sealane_codec_server::CodecServerError;
use sealane_service::{
    encryption,
    settings::{EncryptionMode, Settings},
    telemetry::traces::TraceGuard,
};
use sealane_worker::{WorkerError, flows, traces};
use temporalio_client::Client;

use crate::{
    arguments::Arguments,
    gateway::Gateway,
    home,
    places::Places,
    server::{DevServer, Options},
    service_thread::ServiceThread,
    temporal_cli::TemporalCli,
};

/// The usual ports: those of the Temporal CLI, and those of docs/configuration.md.
const TEMPORAL_PORT: u16 = 7233;
const UI_PORT: u16 = 8233;
const GATEWAY_PORT: u16 = 8070;
const WORKER_PORT: u16 = 9090;
const API_PORT: u16 = 8080;
const CODEC_PORT: u16 = 8081;

/// Everything that runs. Stop it with [`System::stop`]; dropping it leaves no process behind either.
pub struct System {
    /// Encrypts under the system's key ring.
    pub client: Client,
    /// What the worker was told. The API was told the same, but for where it listens.
    pub settings: Settings,
    /// Where to look.
    pub places: Places,
    /// What orders talk to.
    pub gateway: Gateway,
    worker: ServiceThread<WorkerError>,
    api: ServiceThread<ApiError>,
    codec_server: Option<ServiceThread<CodecServerError>>,
    server: DevServer,
    /// Goes last, so that the spans of the stop are sent too.
    _traces: TraceGuard,
}

/// Where we listen.
struct Ports {
    temporal: u16,
    ui: u16,
    gateway: u16,
    worker: u16,
    api: u16,
    codec: u16,
}

impl System {
    /// Starts the server and the gateway, and then what needs them. `say` is told before anything that takes long.
    ///
    /// # Errors
    ///
    /// Whatever does not start, and why.
    pub async fn start(
        arguments: &Arguments,
        cli: &TemporalCli,
        say: impl Fn(&str),
    ) -> anyhow::Result<Self> {
        let home = home::prepare(&arguments.home)?;
        let keys = home::key_ring(&home)?;
        let ports = Ports::choose(arguments)?;
        let settings = settings(&ports, &keys)?;
        let traces = traces::start(&settings.traces, "sealane-dev")?;
        let encrypted = settings.encryption.mode != EncryptionMode::Off;
        let options = Options {
            port: Some(ports.temporal),
            ui_port: Some(ports.ui),
            codec_endpoint: encrypted.then(|| format!("http://{}", local(ports.codec))),
            database: arguments.persist.then(|| home.join("temporal.db")),
            unsynced: false,
        };
        say("Starting the Temporal server");
        let server = DevServer::start(cli, &options).await?;
        let gateway = Gateway::start(local(ports.gateway))
            .await
            .context("the order gateway cannot listen")?;
        let places = places(&ports, cli, &options, &keys);
        let codec_server = encrypted
            .then(|| ServiceThread::codec_server(settings.clone()))
            .transpose()?;
        let worker = ServiceThread::worker(settings.clone(), flows::register)?;
        let api = ServiceThread::api(api_settings(&settings, &ports), start_page(&places))?;
        Ok(Self {
            client: client(&settings).await?,
            settings,
            places,
            gateway,
            worker,
            api,
            codec_server,
            server,
            _traces: traces,
        })
    }

    /// Completes when a part of the system has ended by itself, and says why.
    pub async fn ended(&mut self) -> anyhow::Error {
        let Self {
            worker,
            api,
            codec_server,
            ..
        } = self;
        let codec_server = async {
            match codec_server {
                Some(thread) => thread.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = worker.ended() => because("the worker", ended),
            ended = api.ended() => because("the API", ended),
            ended = codec_server => because("the codec server", ended),
        }
    }

    /// Stops the codec server alone: from now on the Web UI shows ciphertext.
    ///
    /// # Errors
    ///
    /// What it ended with.
    pub async fn stop_codec_server(&mut self) -> anyhow::Result<()> {
        match self.codec_server.take() {
            Some(thread) => Ok(thread.stop().await?),
            None => Ok(()),
        }
    }

    /// Stops everything in the order in which nothing misses anything: first what starts workflows, then what runs them, then
    /// what they need.
    ///
    /// # Errors
    ///
    /// What the first that did not end well ended with.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let api = self.api.stop().await;
        let worker = self.worker.stop().await;
        let codec_server = match self.codec_server.take() {
            Some(thread) => thread.stop().await,
            None => Ok(()),
        };
        drop(self.gateway);
        drop(self.server);
        worker?;
        api?;
        Ok(codec_server?)
    }
}

impl Ports {
    fn choose(given: &Arguments) -> anyhow::Result<Self> {
        Ok(Self {
            temporal: home::port(given.port, TEMPORAL_PORT)?,
            ui: home::port(given.ui_port, UI_PORT)?,
            gateway: home::port(given.gateway_port, GATEWAY_PORT)?,
            worker: home::port(given.worker_port, WORKER_PORT)?,
            api: home::port(given.api_port, API_PORT)?,
            codec: home::port(given.codec_port, CODEC_PORT)?,
        })
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn because<E: std::error::Error + Send + Sync + 'static>(
    part: &str,
    ended: Result<(), E>,
) -> anyhow::Error {
    match ended {
        Ok(()) => anyhow!("{part} ended"),
        Err(error) => anyhow::Error::from(error).context(format!("{part} ended")),
    }
}

/// The settings of all our processes: ours, then `SEALANE_…` and `OTEL_…` of the environment.
fn settings(ports: &Ports, keys: &Path) -> anyhow::Result<Settings> {
    let ui = ports.ui;
    let ours = BTreeMap::from([
        ("TEMPORAL_ADDRESS", local(ports.temporal).to_string()),
        ("SEALANE_KEY_FILE", keys.display().to_string()),
        ("SEALANE_HTTP_ADDR", local(ports.worker).to_string()),
        ("SEALANE_CODEC_ADDR", local(ports.codec).to_string()),
        (
            "SEALANE_CORS_ORIGINS",
            format!("http://127.0.0.1:{ui},http://localhost:{ui}"),
        ),
        (
            "ORDERS_GATEWAY_URL",
            format!("http://{}", local(ports.gateway)),
        ),
    ]);
    let quiet = BTreeMap::from([("SEALANE_LOG", "warn"), ("SEALANE_LOG_FORMAT", "text")]);
    let is_theirs = |name: &str| name.starts_with("SEALANE_") || name.starts_with("OTEL_");
    Ok(Settings::load(None, |name| {
        ours.get(name).map(OsString::from).or_else(|| {
            let theirs = is_theirs(name).then(|| std::env::var_os(name)).flatten();
            theirs.or_else(|| quiet.get(name).map(OsString::from))
        })
    })?)
}

/// The API and the worker listen by the same setting, so one of them has to be told otherwise.
fn api_settings(settings: &Settings, ports: &Ports) -> Settings {
    Settings {
        http_addr: local(ports.api),
        ..settings.clone()
    }
}

fn start_page(places: &Places) -> api::Options {
    api::Options {
        start_page: Some(places.start_page()),
    }
}

fn places(ports: &Ports, cli: &TemporalCli, options: &Options, keys: &Path) -> Places {
    let shown = |path: &PathBuf| path.display().to_string();
    Places {
        temporal_cli: (shown(&cli.path), cli.origin),
        temporal: local(ports.temporal).to_string(),
        database: options.database.as_ref().map(shown),
        ui: format!("http://{}", local(ports.ui)),
        api: local(ports.api),
        codec_server: options.codec_endpoint.as_ref().map(|_| local(ports.codec)),
        gateway: format!("http://{}", local(ports.gateway)),
        worker: local(ports.worker),
        keys: keys.display().to_string(),
    }
}

async fn client(settings: &Settings) -> anyhow::Result<Client> {
    let codec = encryption::codec(&settings.encryption).await?;
    Ok(connection::connect(&settings.temporal, codec, Extras::default()).await?)
}
