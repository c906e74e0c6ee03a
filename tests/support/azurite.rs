//! Azurite, Microsoft's emulator of Azure Storage, as a storage account behind the fake Azure.
//!
//! Clients reach it as `https://sealaneunit.blob.core.windows.net`, through the fake's proxy, with a
//! certificate of the fake's root and a token that the fake's Entra gave them. Azurite looks at issuer,
//! audience and times of the token, and at no role: it lets every identity do everything.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use reqwest::{Method, StatusCode};
use tokio::process::Command;

use crate::{azure::FakeAzure, home, installer, orders::patiently, process::Process};

/// The account's name before `blob.core.windows.net`.
const ACCOUNT: &str = "sealaneunit";

/// Host of the account.
pub const HOST: &str = "sealaneunit.blob.core.windows.net";

/// The one container.
pub const CONTAINER_URL: &str = "https://sealaneunit.blob.core.windows.net/payloads";

/// What Azurite says when it can be asked, before its address.
const LISTENING: &str = "successfully listens on https://";

/// A storage account with one empty container, until it is dropped.
pub struct Azurite {
    folder: tempfile::TempDir,
    _process: Process,
    address: SocketAddr,
    http: reqwest::Client,
    token: String,
}

impl Azurite {
    /// Starts one, and has `fake` send those there who ask for the account.
    ///
    /// # Errors
    ///
    /// If there is no `node` with `npm`, or Azurite cannot be installed or started.
    pub async fn start(fake: &FakeAzure) -> anyhow::Result<Self> {
        let program = program().await?;
        let folder = tempfile::tempdir()?;
        let (process, address) = run(&program, fake, folder.path()).await?;
        fake.forward(HOST, Some(address));
        let azurite = Self {
            folder,
            _process: process,
            address,
            http: fake.http_client(),
            token: fake.storage_token(),
        };
        azurite.ask(Method::PUT, "?restype=container", None).await?;
        Ok(azurite)
    }

    /// Returns the names of all blobs.
    ///
    /// # Errors
    ///
    /// If they cannot be listed.
    pub async fn names(&self) -> anyhow::Result<Vec<String>> {
        let list = "?restype=container&comp=list";
        let xml = String::from_utf8(self.ask(Method::GET, list, None).await?)?;
        let names = xml.split("<Name>").skip(1);
        let names = names.filter_map(|rest| Some(rest.split_once("</Name>")?.0.to_owned()));
        Ok(names.collect())
    }

    /// Returns the content of a blob.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub async fn get(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        self.ask(Method::GET, &format!("/{name}"), None).await
    }

    /// Writes a blob, whether or not there is one.
    ///
    /// # Errors
    ///
    /// If that fails.
    pub async fn put(&self, name: &str, content: Vec<u8>) -> anyhow::Result<()> {
        let path = format!("/{name}");
        self.ask(Method::PUT, &path, Some(content)).await.map(drop)
    }

    /// Deletes a blob.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub async fn delete(&self, name: &str) -> anyhow::Result<()> {
        let path = format!("/{name}");
        self.ask(Method::DELETE, &path, None).await.map(drop)
    }

    /// Returns where it listens, for [`FakeAzure::forward`].
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the folder in which everything is kept.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        content: Option<Vec<u8>>,
    ) -> anyhow::Result<Vec<u8>> {
        let request = self
            .http
            .request(method, format!("{CONTAINER_URL}{path}"))
            .bearer_auth(&self.token)
            .header("x-ms-version", "2024-11-04")
            .header("content-length", content.as_ref().map_or(0, Vec::len));
        let request = match content {
            Some(content) => request.header("x-ms-blob-type", "BlockBlob").body(content),
            None => request,
        };
        let answer = patiently(path, request.send()).await?;
        let status = answer.status();
        let body = patiently(path, answer.bytes()).await?;
        let is_well = status.is_success() || status == StatusCode::NOT_MODIFIED;
        ensure!(
            is_well,
            "{path}: {status} {}",
            String::from_utf8_lossy(&body)
        );
        Ok(body.into())
    }
}

async fn run(
    program: &Path,
    fake: &FakeAzure,
    folder: &Path,
) -> anyhow::Result<(Process, SocketAddr)> {
    fake.authority().write_server_files(folder, &[HOST])?;
    let data = folder.join("data").display().to_string();
    let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
    let script = program.display().to_string();
    let certificate = certificate.display().to_string();
    let key = key.display().to_string();
    let arguments = [
        // Azurite says on standard output where it listens, and a process here is listened to elsewhere.
        "-c",
        r#"exec node "$0" "$@" >&2"#,
        &script,
        "--blobHost",
        "127.0.0.1",
        "--blobPort",
        "0",
        "--oauth",
        "basic",
        "--cert",
        &certificate,
        "--key",
        &key,
        "--location",
        &data,
        "--disableTelemetry",
    ];
    let path = std::env::var("PATH").unwrap_or_default();
    let variables = [
        ("PATH", path),
        ("HOME", folder.display().to_string()),
        (
            "AZURITE_ACCOUNTS",
            format!("{ACCOUNT}:bm9ib2R5IG1heSB1c2UgaXQ="),
        ),
    ];
    let variables: BTreeMap<_, _> = variables
        .map(|(name, value)| (name.to_owned(), value))
        .into();
    let process = Process::start("/bin/sh", &arguments, &variables)?;
    let line = process.says(LISTENING).await?;
    let address = line.rsplit("https://").next().unwrap_or_default();
    let address = address.trim().parse();
    Ok((
        process,
        address.with_context(|| format!("no address: {line}"))?,
    ))
}

/// Returns Azurite's program, after installing it if nobody has yet.
async fn program() -> anyhow::Result<PathBuf> {
    Ok(installed()
        .await?
        .join("node_modules/azurite/dist/src/blob/main.js"))
}

/// Installs what the lock file pins beside the final place and renames, so that half an installation is
/// never found.
async fn installed() -> anyhow::Result<PathBuf> {
    let _alone = installer::ONE_AT_A_TIME.lock().await;
    let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/azurite");
    let lock = std::fs::read(pins.join("package-lock.json"))?;
    let mut hasher = DefaultHasher::new();
    lock.hash(&mut hasher);
    let name = format!("azurite-{:016x}", hasher.finish());
    let place = home().join(&name);
    if place.is_dir() {
        return Ok(place);
    }
    eprintln!("Installing Azurite into {}", place.display());
    let staging = home().join(format!("{name}.{}", std::process::id()));
    for file in [
        "package.json",
        "package-lock.json",
        "nothing/package.json",
        "nothing/index.js",
    ] {
        std::fs::create_dir_all(staging.join("nothing"))?;
        std::fs::copy(pins.join(file), staging.join(file))?;
    }
    let mut npm = Command::new("npm");
    npm.args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
    ])
    .current_dir(&staging);
    let output = installer::run(&mut npm).await?;
    if !output.status.success() {
        std::fs::remove_dir_all(&staging).ok();
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("npm failed ({}): {}", output.status, words.trim());
    }
    if let Err(error) = std::fs::rename(&staging, &place) {
        std::fs::remove_dir_all(&staging).ok();
        // Unless somebody else was faster, whose installation is as good as ours.
        if !place.is_dir() {
            bail!("{} cannot be written: {error}", place.display());
        }
    }
    Ok(place)
}
