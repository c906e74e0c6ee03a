//! The Temporal server, which can be killed and comes back on the same database and port.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use sealane_dev::{
    server::{DevServer, Options},
    temporal_cli::TemporalCli,
};
use tokio::sync::Mutex;

use super::quiet_port;

/// How often a start is tried: the port may be somebody else's for a moment.
const STARTS: usize = 5;

pub(crate) struct Server {
    cli: TemporalCli,
    options: Options,
    address: String,
    running: Mutex<Option<DevServer>>,
    folder: PathBuf,
}

impl Server {
    /// Starts a server with a database of its own below `folder`.
    pub(super) async fn start(cli: TemporalCli, folder: &Path) -> anyhow::Result<Self> {
        let folder = folder.join("database");
        std::fs::create_dir(&folder)?;
        let options = Options {
            port: Some(quiet_port()?),
            database: Some(folder.join("temporal.db")),
            unsynced: true,
            ..Options::default()
        };
        let running = DevServer::start(&cli, &options).await?;
        let address = running.address().to_owned();
        Ok(Self {
            cli,
            options,
            address,
            running: Mutex::new(Some(running)),
            folder,
        })
    }

    /// Returns `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns the folder of the database.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Kills it with SIGKILL and starts it again once `before` is over.
    pub(crate) async fn kill(&self, before: impl Future<Output = ()>) -> anyhow::Result<()> {
        let mut running = self.running.lock().await;
        if let Some(server) = running.take() {
            let pid = i32::try_from(server.pid()).ok().and_then(Pid::from_raw);
            kill_process(pid.context("no process id")?, Signal::KILL)?;
            tokio::task::spawn_blocking(move || drop(server)).await?;
        }
        before.await;
        *running = Some(self.start_again().await?);
        Ok(())
    }

    /// Stops it for good.
    pub(crate) async fn stop(&self) -> anyhow::Result<()> {
        let server = self.running.lock().await.take();
        Ok(tokio::task::spawn_blocking(move || drop(server)).await?)
    }

    async fn start_again(&self) -> anyhow::Result<DevServer> {
        for _ in 1..STARTS {
            if let Ok(server) = DevServer::start(&self.cli, &self.options).await {
                return Ok(server);
            }
        }
        DevServer::start(&self.cli, &self.options).await
    }
}
