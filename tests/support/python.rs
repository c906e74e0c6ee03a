//! Python with the SDKs of Temporal and Azure, for peers that share no code with us.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{World, home, installer, orders::patiently, process::Process};

/// A Python that finds packages which the tests have installed.
pub struct Python {
    packages: PathBuf,
}

impl Python {
    /// Returns one that finds the packages of `tests/interop/requirements.txt`, after installing them if
    /// nobody has yet.
    ///
    /// # Errors
    ///
    /// If there is no `python3` with `pip`, or the packages cannot be installed.
    pub async fn with_temporal() -> anyhow::Result<Self> {
        Self::with(&folder().join("requirements.txt")).await
    }

    /// Returns one that finds the packages of `requirements`, a file of pins, after installing them if
    /// nobody has yet.
    ///
    /// # Errors
    ///
    /// As for [`with_temporal`](Self::with_temporal).
    pub async fn with(requirements: &Path) -> anyhow::Result<Self> {
        let packages = installed(requirements).await?;
        Ok(Self { packages })
    }

    /// Returns `python3` with these packages, which sees nothing else of the environment.
    pub fn command(&self) -> Command {
        let mut command = Command::new("python3");
        command
            .env_clear()
            .envs(self.with_packages(BTreeMap::new()));
        command
    }

    /// Returns the path of a program that one of the packages brings.
    pub fn program(&self, name: &str) -> PathBuf {
        self.packages.join("bin").join(name)
    }

    /// Starts a script of `tests/interop` in `world`.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn start(&self, script: &str, world: &World) -> anyhow::Result<Process> {
        let script = folder().join(script).display().to_string();
        Process::start(
            "python3",
            &[&script],
            &self.with_packages(world.variables().clone()),
        )
    }

    /// Runs a script of `tests/interop` in `world` to its end, and returns the JSON it prints.
    ///
    /// # Errors
    ///
    /// If it fails, or prints something else.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn run(
        &self,
        script: &str,
        arguments: &[&str],
        input: &Value,
        world: &World,
    ) -> anyhow::Result<Value> {
        let variables = world.variables().clone();
        self.run_with(script, arguments, input, variables).await
    }

    /// Runs a script of `tests/interop`, which sees `variables`, to its end, and returns the JSON it prints.
    ///
    /// # Errors
    ///
    /// If it fails, or prints something else.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn run_with(
        &self,
        script: &str,
        arguments: &[&str],
        input: &Value,
        variables: BTreeMap<String, String>,
    ) -> anyhow::Result<Value> {
        let mut child = Command::new("python3")
            .arg(folder().join(script))
            .args(arguments)
            .env_clear()
            .envs(self.with_packages(variables))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = child.stdin.take().context("standard input is piped")?;
        stdin.write_all(input.to_string().as_bytes()).await?;
        drop(stdin);
        let output = patiently(script, child.wait_with_output()).await?;
        succeeded(script, &output)?;
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// The variables, and what Python needs. The key itself stays in its file.
    fn with_packages(&self, mut variables: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let packages = self.packages.display().to_string();
        variables.insert("PYTHONPATH".to_owned(), packages);
        variables.insert("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned());
        variables.insert("PATH".to_owned(), std::env::var("PATH").unwrap_or_default());
        variables
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

/// Installs beside the final place and renames, so that half an installation is never found.
async fn installed(requirements: &Path) -> anyhow::Result<PathBuf> {
    let _alone = installer::ONE_AT_A_TIME.lock().await;
    let name = format!("python-{:016x}", fingerprint(requirements).await?);
    let place = home().join(&name);
    if place.is_dir() {
        return Ok(place);
    }
    eprintln!(
        "Installing the Python packages of {} into {}",
        requirements.display(),
        place.display()
    );
    let staging = home().join(format!("{name}.{}", std::process::id()));
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
        .arg(&staging)
        .arg("--requirement")
        .arg(requirements);
    succeeded("pip", &installer::run(&mut pip).await?)?;
    if let Err(error) = std::fs::rename(&staging, &place) {
        std::fs::remove_dir_all(&staging).ok();
        // Unless somebody else was faster, whose installation is as good as ours.
        if !place.is_dir() {
            bail!("{} cannot be written: {error}", place.display());
        }
    }
    Ok(place)
}

/// Another set of pins, or another Python, needs another installation.
async fn fingerprint(requirements: &Path) -> anyhow::Result<u64> {
    let version = installer::run(Command::new("python3").arg("--version")).await?;
    let mut hasher = DefaultHasher::new();
    version.stdout.hash(&mut hasher);
    std::fs::read(requirements)?.hash(&mut hasher);
    Ok(hasher.finish())
}

fn succeeded(what: &str, output: &Output) -> anyhow::Result<()> {
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("{what} failed ({}): {}", output.status, words.trim());
    }
    Ok(())
}
