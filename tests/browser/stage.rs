//! A system of its own for each test, and a browser in front of it.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use clap::Parser;
use sealane_dev::{Arguments, Places, System, temporal_cli::TemporalCli};
use sealane_tests::{browser::Browser, orders::patiently, process, temporal_cli};
use tempfile::TempDir;
use temporalio_client::WorkflowStartOptions;

/// How often a service is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How often other ports are tried.
const STARTS: u32 = 3;

/// Everything that `cargo run` starts, on free ports, with a database that can be searched.
pub(crate) struct Stage {
    pub(crate) system: System,
    pub(crate) browser: Browser,
    home: TempDir,
}

impl Stage {
    /// Free ports are let go before the system takes them, so somebody else may have one by then.
    pub(crate) async fn set() -> anyhow::Result<Self> {
        let cli = temporal_cli().await?;
        let mut attempt = 1;
        let (system, home) = loop {
            let home = tempfile::tempdir()?;
            match up(home.path(), &cli).await {
                Err(error) if attempt < STARTS && is_about_a_port(&error) => attempt += 1,
                started => break (started?, home),
            }
        };
        Ok(Self {
            system,
            browser: Browser::open().await?,
            home,
        })
    }

    /// Stops everything, and fails if any of it does not end well.
    pub(crate) async fn strike(self) -> anyhow::Result<()> {
        self.browser.close().await?;
        patiently("the end of the system", self.system.stop()).await
    }

    /// Returns the address of a page of the Web UI, below the namespace.
    pub(crate) fn ui(&self, page: &str) -> String {
        format!("{}/namespaces/default/{page}", self.system.places.ui)
    }

    pub(crate) fn task_queue(&self) -> &str {
        &self.system.settings.temporal.task_queue
    }

    pub(crate) fn options(&self, id: &str) -> WorkflowStartOptions {
        WorkflowStartOptions::new(self.task_queue(), id).build()
    }

    pub(crate) async fn photograph(&self, name: &str) -> anyhow::Result<()> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        self.browser.photograph(&folder, name).await?;
        Ok(())
    }

    /// Returns the address that a person is told to open first.
    pub(crate) fn start_page(&self) -> String {
        format!("http://{}/", self.system.places.api)
    }

    /// Fails if the server's database holds `secret`, or does not even hold `visible`, which would mean that the search is blind.
    pub(crate) fn assert_encrypted(&self, visible: &str, secret: &str) -> anyhow::Result<()> {
        assert!(
            self.database_holds(visible)?,
            "{visible} is not found either"
        );
        assert!(!self.database_holds(secret)?, "{secret} is in the database");
        Ok(())
    }

    /// Whether the server's database holds `text`, as it stands.
    fn database_holds(&self, text: &str) -> anyhow::Result<bool> {
        let mut holds = false;
        for file in self.database()? {
            let bytes = fs::read(&file)?;
            holds |= bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes());
        }
        Ok(holds)
    }

    /// `SQLite` keeps what is new in a second file.
    fn database(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for file in fs::read_dir(self.home.path())? {
            let path = file?.path();
            let name = path.file_name().context("a file has a name")?;
            if name.to_string_lossy().starts_with("temporal.db") {
                files.push(path);
            }
        }
        Ok(files)
    }
}

/// Starts a system, and waits until all of it can be used.
async fn up(home: &Path, cli: &TemporalCli) -> anyhow::Result<System> {
    let arguments = arguments(home)?;
    let mut system = System::start(&arguments, cli, |news| eprintln!("{news}")).await?;
    let places = system.places.clone();
    tokio::select! {
        ended = system.ended() => return Err(ended),
        ready = all_ready(&places) => ready?,
    }
    Ok(system)
}

/// The Temporal server does not tell why it ends; the others do, in the words of the operating system.
fn is_about_a_port(error: &anyhow::Error) -> bool {
    let said = format!("{error:#}");
    said.contains("is the port taken?") || said.contains("in use")
}

async fn all_ready(places: &Places) -> anyhow::Result<()> {
    let codec_server = places.codec_server.context("payloads are encrypted")?;
    for address in [places.api, places.worker, codec_server] {
        let url = format!("http://{address}/readyz");
        patiently(&url, ready(&url)).await;
    }
    Ok(())
}

/// Nothing tells when a service in this process is ready but its probe.
async fn ready(url: &str) {
    while !process::probe(url)
        .await
        .is_ok_and(|probe| probe.status == 200)
    {
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// Every port is held until all are known, so that none is chosen twice.
fn arguments(home: &Path) -> anyhow::Result<Arguments> {
    const PORTS: [&str; 6] = [
        "--port",
        "--ui-port",
        "--gateway-port",
        "--worker-port",
        "--api-port",
        "--codec-port",
    ];
    let home = home.display().to_string();
    let mut words = vec![
        "dev".to_owned(),
        "--persist".to_owned(),
        "--home".to_owned(),
        home,
    ];
    let mut held = Vec::new();
    for name in PORTS {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        words.extend([name.to_owned(), listener.local_addr()?.port().to_string()]);
        held.push(listener);
    }
    Ok(Arguments::try_parse_from(words)?)
}
