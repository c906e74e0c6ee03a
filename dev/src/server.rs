//! The Temporal dev server as a child process.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use sealane_client::connection::{self, Extras};
use sealane_service::settings::{Settings, Temporal};
use temporalio_client::{Client, NamespacedClient, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::workflowservice::v1::DescribeNamespaceRequest;
use tonic::IntoRequest;

use crate::{guardian::Guardian, temporal_cli::TemporalCli};

/// A loaded two-core machine takes about 5 s to start the server; beyond this something is wrong.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a starting server is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How long one question may take. Whoever is at the port instead of the server may never answer.
const ASK_TIMEOUT: Duration = Duration::from_secs(10);

/// How many free ports are tried.
const PORTS: u32 = 5;

/// Runs the server and ends it when our end of standard input closes, which also happens when this
/// process is killed: no dev server is ever left behind. Its first line of output is the server's
/// process id.
///
/// A server that does not listen is killed after 10 s. Once the server has ended, nobody is told any
/// more: its process id may be that of another process.
const GUARDIAN: &str = r#"
exec 3<&0
"$@" </dev/null >/dev/null 2>&1 3<&- &
server=$!
echo "$server"
(
    cat <&3
    kill "$server"
    for i in $(seq 100); do
        kill -0 "$server" || exit
        sleep 0.1
    done
    kill -s KILL "$server"
) >/dev/null 2>&1 &
keeper=$!
wait "$server"
status=$?
kill "$keeper"
exit "$status"
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
    guardian: Guardian,
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
        let mut attempt = 1;
        loop {
            let port = match options.port {
                Some(port) => port,
                None => free_port()?,
            };
            let mut server = Self::spawn(cli, options, port)?;
            match server.wait_until_ready().await {
                Ok(()) => return Ok(server),
                // Another process may have taken the free port before the server did.
                Err(_) if options.port.is_none() && attempt < PORTS && server.has_ended() => {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn spawn(cli: &TemporalCli, options: &Options, port: u16) -> anyhow::Result<Self> {
        let mut guardian =
            Guardian::start(&mut command(cli, options, port)).context("sh could not be started")?;
        let pid = server_pid(&mut guardian)?;
        Ok(Self {
            guardian,
            pid,
            address: format!("127.0.0.1:{port}"),
            ui_url: options
                .ui_port
                .map(|port| format!("http://127.0.0.1:{port}")),
        })
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
            let asking = tokio::time::timeout(ASK_TIMEOUT, probe(&settings));
            let answer = asking.await.context("no answer").flatten();
            // Asked even after an answer, which may come from somebody else on the same port.
            if let Some(status) = self.guardian.ended()? {
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

    fn has_ended(&mut self) -> bool {
        self.guardian.ended().is_ok_and(|ended| ended.is_some())
    }
}

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
}

fn server_pid(guardian: &mut Guardian) -> anyhow::Result<u32> {
    let output = guardian.output().context("the guardian has no output")?;
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

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::Path, thread};

    use rustix::process::{Pid, test_kill_process};

    use super::{ASK_EVERY, DevServer, Options, TemporalCli};

    /// A program that stands for the Temporal CLI.
    fn cli(folder: &Path, script: &str) -> TemporalCli {
        let path = folder.join("temporal");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        TemporalCli {
            path,
            origin: "a test",
        }
    }

    #[test]
    fn a_server_that_ignores_its_end_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let deaf = folder.path().join("deaf");
        let script = format!(
            "trap '' TERM; echo > {}; while :; do sleep 1; done",
            deaf.display()
        );
        let cli = cli(folder.path(), &script);
        let server = DevServer::spawn(&cli, &Options::default(), 1).unwrap();
        let pid = Pid::from_raw(i32::try_from(server.pid()).unwrap()).unwrap();
        while test_kill_process(pid).is_ok() && !deaf.exists() {
            thread::sleep(ASK_EVERY);
        }
        test_kill_process(pid).unwrap();

        drop(server);

        test_kill_process(pid).unwrap_err();
    }

    #[tokio::test]
    async fn other_free_ports_are_tried_but_not_other_than_the_one_that_is_wanted() {
        for (port, starts) in [(None, 5), (Some(1), 1)] {
            let folder = tempfile::tempdir().unwrap();
            let started = folder.path().join("started");
            let cli = cli(folder.path(), &format!("echo >> {}", started.display()));
            let options = Options {
                port,
                ..Options::default()
            };

            let error = DevServer::start(&cli, &options).await.unwrap_err();

            assert!(error.to_string().contains("ended at once"), "{error:#}");
            let started = fs::read_to_string(started).unwrap();
            assert_eq!(started.lines().count(), starts);
        }
    }
}
