//! The Temporal dev server as a child process.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use sealane_client::connection::{self, Extras};
use sealane_service::settings::{Settings, Temporal};
use temporalio_client::{Client, NamespacedClient, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeNamespaceRequest;
use tonic::IntoRequest;

use crate::temporal_cli::TemporalCli;

/// A loaded two-core machine takes about 5 s to start the server; beyond this something is wrong.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a starting server is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Runs the server and ends it when our end of standard input closes, which also happens when this
/// process is killed: no dev server is ever left behind. Its first line of output is the server's
/// process id.
const GUARDIAN: &str = r#"
exec 3<&0
"$@" </dev/null >/dev/null 2>&1 3<&- &
server=$!
echo "$server"
(cat <&3 >/dev/null; kill "$server" 2>/dev/null) &
wait "$server"
"#;

/// Where the server listens and what it keeps. The default is free ports, no Web UI and a database
/// in memory.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Port of the gRPC frontend; a free one if not given.
    pub port: Option<u16>,
    /// Port of the Web UI; none if not given.
    pub ui_port: Option<u16>,
    /// Address of the codec server that the Web UI asks; none if not given.
    pub codec_endpoint: Option<String>,
    /// Database file that outlives the server; in memory if not given.
    pub database: Option<PathBuf>,
    /// Whether the database may be lost with the machine. It still outlives the server, which is much faster.
    pub unsynced: bool,
}

/// A running dev server on the loopback interface. Dropping it stops the server.
#[derive(Debug)]
pub struct DevServer {
    guardian: Child,
    pid: u32,
    address: String,
    ui_url: Option<String>,
}

impl DevServer {
    /// Starts a server and waits until it answers for the namespace `default`.
    ///
    /// # Errors
    ///
    /// If the executable cannot be started, ends at once (for example because a port is taken), or
    /// does not answer within a minute.
    pub async fn start(cli: &TemporalCli, options: &Options) -> anyhow::Result<Self> {
        let port = match options.port {
            Some(port) => port,
            None => free_port()?,
        };
        let mut guardian = command(cli, options, port)
            .spawn()
            .context("sh could not be started")?;
        let pid = server_pid(&mut guardian)?;
        let mut server = Self {
            guardian,
            pid,
            address: format!("127.0.0.1:{port}"),
            ui_url: options
                .ui_port
                .map(|port| format!("http://127.0.0.1:{port}")),
        };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// Returns `host:port` of the gRPC frontend.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the address of the Web UI, if there is one.
    pub fn ui_url(&self) -> Option<&str> {
        self.ui_url.as_deref()
    }

    /// Returns the process id of the server itself, for tests that kill it.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let settings = plain_connection(&self.address)?;
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let answer = probe(&settings).await;
            // Asked even after an answer, which may come from somebody else on the same port.
            if let Some(status) = self.guardian.try_wait()? {
                bail!(
                    "the Temporal dev server at {} ended at once ({status}); is the port taken?",
                    self.address
                );
            }
            let Err(problem) = answer else {
                return Ok(());
            };
            if Instant::now() > deadline {
                return Err(problem.context("the Temporal dev server does not answer"));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

impl Drop for DevServer {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        self.guardian.wait().ok();
    }
}

/// The server runs in a process group of its own: Ctrl-C is for us, who stop it last.
fn command(cli: &TemporalCli, options: &Options, port: u16) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", GUARDIAN, "guardian"])
        .arg(&cli.path)
        .args([
            "server",
            "start-dev",
            "--ip",
            "127.0.0.1",
            "--log-level",
            "error",
        ])
        .args(["--port", &port.to_string()]);
    match options.ui_port {
        // A laptop's UI asks nobody on the internet for news.
        Some(port) => command.args(["--ui-port", &port.to_string(), "--ui-disable-news-fetch"]),
        None => command.arg("--headless"),
    };
    if let Some(endpoint) = &options.codec_endpoint {
        command.args(["--ui-codec-endpoint", endpoint]);
    }
    if let Some(database) = &options.database {
        command.arg("--db-filename").arg(database);
    }
    if options.unsynced {
        command.args(["--sqlite-pragma", "synchronous=OFF"]);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0);
    command
}

fn server_pid(guardian: &mut Child) -> anyhow::Result<u32> {
    let output = guardian
        .stdout
        .take()
        .context("the guardian has no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    line.trim()
        .parse()
        .with_context(|| format!("the guardian said {line:?}, expected a process id"))
}

/// Asks the system for a free port. Another process may take it before the server does; the server
/// then ends at once and says so.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// Only to see whether the server answers; nothing is sent that would need encryption.
fn plain_connection(address: &str) -> anyhow::Result<Temporal> {
    let settings = Settings::load(None, |name| match name {
        "TEMPORAL_ADDRESS" => Some(address.into()),
        "SEALANE_ENCRYPTION" => Some("off".into()),
        _ => None,
    })?;
    Ok(settings.temporal)
}

async fn probe(settings: &Temporal) -> anyhow::Result<()> {
    let mut client: Client = connection::connect(settings, None, Extras::default()).await?;
    let request = DescribeNamespaceRequest {
        namespace: client.namespace(),
        ..DescribeNamespaceRequest::default()
    };
    client.describe_namespace(request.into_request()).await?;
    Ok(())
}
