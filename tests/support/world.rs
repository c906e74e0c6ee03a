//! A test's own corner of the shared dev server.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use sealane_client::connection::{self, Extras};
use sealane_codec::{Key, KeyId, KeyRing, file_source};
use sealane_dev::{
    server::{DevServer, Options},
    temporal_cli::TemporalCli,
};
use sealane_service::{encryption, settings::Settings};
use temporalio_client::Client;
use tokio::sync::OnceCell;

/// Returns the folder in which the Temporal CLI is kept between runs.
pub fn home() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("this crate is in the workspace")
        .join(".sealane")
}

/// Returns the Temporal CLI that tests use.
///
/// # Errors
///
/// If there is none and none can be installed.
pub async fn temporal_cli() -> anyhow::Result<TemporalCli> {
    // Tests of one binary would install it at the same time, and into the same place.
    static CLI: OnceCell<TemporalCli> = OnceCell::const_new();
    let find = async || TemporalCli::find(&home(), |news| eprintln!("{news}")).await;
    Ok(CLI.get_or_try_init(find).await?.clone())
}

/// Returns the dev server that the tests of this binary share.
///
/// # Panics
///
/// If no server can be started: no test means anything then.
pub async fn server() -> &'static DevServer {
    static SERVER: OnceCell<DevServer> = OnceCell::const_new();
    SERVER
        .get_or_init(|| async {
            let cli = temporal_cli().await.expect("a Temporal CLI can be had");
            DevServer::start(&cli, &Options::default())
                .await
                .expect("the dev server starts")
        })
        .await
}

/// A task queue, a key ring and a folder that no other test uses.
pub struct World {
    folder: tempfile::TempDir,
    variables: BTreeMap<String, String>,
}

impl World {
    /// Returns a world on the shared server.
    pub async fn new() -> Self {
        Self::on(server().await)
    }

    /// Returns a world on `server`.
    ///
    /// # Panics
    ///
    /// If its folder or key ring cannot be written.
    pub fn on(server: &DevServer) -> Self {
        Self::at(server.address())
    }

    /// Returns a world on the server at `address`.
    ///
    /// # Panics
    ///
    /// As [`on`](Self::on).
    pub fn at(address: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let keys = folder.path().join("keys.json");
        let ring = ring_with("test-key");
        file_source::write_new(&keys, &ring).expect("a key ring can be written");
        let variables = [
            ("TEMPORAL_ADDRESS", address.to_owned()),
            (
                "TEMPORAL_TASK_QUEUE",
                format!("test-{}-{number}", std::process::id()),
            ),
            ("SEALANE_KEY_FILE", keys.display().to_string()),
            ("SEALANE_HTTP_ADDR", "127.0.0.1:0".to_owned()),
        ];
        Self {
            folder,
            variables: variables
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
        }
    }

    /// Sets a variable for everything that this world starts from now on.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// Returns the variables, as a child process would see them.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Returns the settings that a process of this world would have.
    ///
    /// # Panics
    ///
    /// If they are not valid.
    pub fn settings(&self) -> Settings {
        let lookup = |name: &str| self.variables.get(name).map(OsString::from);
        Settings::load(None, lookup).unwrap_or_else(|error| panic!("settings: {error}"))
    }

    /// Returns the task queue.
    pub fn task_queue(&self) -> &str {
        &self.variables["TEMPORAL_TASK_QUEUE"]
    }

    /// Returns the file of the key ring.
    pub fn key_file(&self) -> &Path {
        Path::new(&self.variables["SEALANE_KEY_FILE"])
    }

    /// Returns the folder, for files of the test's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns a workflow id that nobody else uses.
    pub fn id(&self, name: &str) -> String {
        format!("{name}-{}", self.task_queue())
    }

    /// Returns a client that encrypts under this world's key ring.
    ///
    /// # Panics
    ///
    /// If it cannot connect.
    pub async fn client(&self) -> Client {
        let settings = self.settings();
        let codec = encryption::codec(&settings.encryption)
            .await
            .expect("a key ring");
        connection::connect(&settings.temporal, codec, Extras::default())
            .await
            .expect("a connection")
    }
}

/// Returns a ring that holds one fresh AES-256 key.
///
/// # Panics
///
/// If the operating system supplies no random bytes.
pub fn ring_with(id: &str) -> KeyRing {
    let id: KeyId = id.parse().expect("a key id");
    let key = Key::generate().expect("random bytes");
    KeyRing::new(id.clone(), [(id, key)]).expect("a key ring")
}
