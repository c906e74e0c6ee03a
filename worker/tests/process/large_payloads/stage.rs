//! A server with a database, a container, and processes that use both.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use prost::Message;
use sealane_client::{
    connection::{self, Extras},
    payload::from_json,
    workflow::{Execution, Start, Workflows},
};
use sealane_codec::{
    EncryptionCodec,
    large_payloads::{LargePayloadOptions, LargePayloads},
};
use sealane_dev::server::{DevServer, Options};
use sealane_service::encryption;
use sealane_tests::{
    World,
    azure::FakeAzure,
    azurite::{Azurite, CONTAINER_URL},
    process::{Ended, Process},
    temporal_cli,
};
use serde_json::json;
use temporalio_client::Client;
use temporalio_common::protos::temporal::api::common::v1::Payload;

const WORKER: &str = env!("CARGO_BIN_EXE_sealane-worker");

/// Begins every name that is greeted. Found nowhere by chance.
pub(super) const CANARY: &str = "canary-3c8e17ab90f2";

pub(super) const MIB: usize = 1 << 20;

/// The SDK lets later attempts of a failing task time out, so this is how long a workflow goes without
/// noticing that a blob can be fetched again.
const SOON: Duration = Duration::from_secs(2);

/// An unoptimised build encrypts some MiB a second, and less on a machine that is busy.
const LATE: Duration = Duration::from_secs(60);

/// Lets a process write to standard error only, where it is listened to.
const ONE_STREAM: [&str; 2] = ["-c", r#"exec "$0" "$@" >&2"#];

pub(super) struct Stage {
    pub(super) fake: FakeAzure,
    pub(super) azurite: Azurite,
    pub(super) world: World,
    database: tempfile::TempDir,
    _server: DevServer,
}

impl Stage {
    pub(super) async fn set() -> anyhow::Result<Self> {
        let database = tempfile::tempdir()?;
        let options = Options {
            database: Some(database.path().join("temporal.db")),
            ..Options::default()
        };
        let server = DevServer::start(&temporal_cli().await?, &options).await?;
        let fake = FakeAzure::start().await?;
        let azurite = Azurite::start(&fake).await?;
        let mut world = World::on(&server);
        for (name, value) in fake.environment(world.folder()) {
            // Keys come from the world's file.
            if !["KEYVAULT_URL", "KEYVAULT_SECRET_NAME"].contains(&name.as_str()) {
                world.set(&name, value);
            }
        }
        world.set("SEALANE_LARGE_PAYLOADS", "blob");
        world.set("SEALANE_BLOB_CONTAINER_URL", CONTAINER_URL);
        Ok(Self {
            fake,
            azurite,
            world,
            database,
            _server: server,
        })
    }

    /// Starts a worker and waits until it takes work.
    pub(super) async fn start_worker(&self) -> anyhow::Result<Process> {
        let worker = self.start(Path::new(WORKER), &[])?;
        worker.says("polling for tasks").await?;
        Ok(worker)
    }

    /// Runs the command line to its end.
    pub(super) async fn sealane(&self, arguments: &[&str]) -> anyhow::Result<Ended> {
        self.start_sealane(arguments)?.ends().await
    }

    /// Starts the command line.
    pub(super) fn start_sealane(&self, arguments: &[&str]) -> anyhow::Result<Process> {
        let sealane = Path::new(WORKER).with_file_name("sealane");
        ensure!(
            sealane.is_file(),
            "cargo build -p sealane-client makes {}",
            sealane.display()
        );
        self.start(&sealane, arguments)
    }

    fn start(&self, program: &Path, arguments: &[&str]) -> anyhow::Result<Process> {
        let program = program.to_str().context("an odd path")?;
        let words = [&ONE_STREAM[..], &[program], arguments].concat();
        Process::start("/bin/sh", &words, self.world.variables())
    }

    /// A codec as a process of its own would have it, with nothing in memory yet.
    pub(super) async fn codec(&self, namespace: &str) -> anyhow::Result<EncryptionCodec> {
        let settings = self.world.settings().encryption;
        let wanted = settings.large_payloads.clone().context("a container")?;
        let options = LargePayloadOptions {
            container: wanted.container,
            namespace: namespace.to_owned(),
            stores: true,
            threshold: wanted.threshold,
            max: wanted.max,
        };
        // Through the proxy that a process would find in its environment.
        let large = LargePayloads::new(&self.fake.azure(), options)?;
        let codec = encryption::codec(&settings).await?.context("a key")?;
        Ok(codec.with_large_payloads(large))
    }

    /// A client with such a codec.
    pub(super) async fn client(&self) -> anyhow::Result<Client> {
        let codec = self.codec("default").await?;
        let settings = self.world.settings().temporal;
        Ok(connection::connect(&settings, Some(codec), Extras::default()).await?)
    }

    /// What starts and reads workflows, with a codec of its own.
    pub(super) async fn workflows(&self) -> anyhow::Result<Workflows> {
        let codec = self.codec("default").await?;
        Ok(Workflows::new(self.client().await?, Some(codec)))
    }

    /// Starts greeting `name`.
    pub(super) async fn greet(
        &self,
        workflows: &Workflows,
        id: &str,
        name: &str,
    ) -> anyhow::Result<Execution> {
        let start = Start {
            workflow_type: "GreetingWorkflow".to_owned(),
            workflow_id: self.world.id(id),
            task_queue: self.world.task_queue().to_owned(),
            input: vec![from_json(&json!(name))],
            task_timeout: Some(if name.len() < MIB { SOON } else { LATE }),
            ..Start::default()
        };
        Ok(workflows.start(start).await?.execution())
    }

    /// What the database holds, all files of it.
    pub(super) fn database(&self) -> anyhow::Result<Vec<u8>> {
        contents(self.database.path())
    }

    /// What the storage account holds on its disk.
    pub(super) fn account(&self) -> anyhow::Result<Vec<u8>> {
        contents(&self.azurite.folder().join("data"))
    }

    /// One stored payload: its reference, as JSON in a file for `sealane keys decode`, and its blob's
    /// name and content.
    pub(super) async fn stored(
        &self,
        namespace: &str,
    ) -> anyhow::Result<(PathBuf, String, Vec<u8>)> {
        let before = self.azurite.names().await?;
        let codec = self.codec(namespace).await?;
        let payload = from_json(&json!(long_name(300_000)));
        let reference = codec.encode_and_store(payload).await?;
        let names = self.azurite.names().await?;
        let name = names.into_iter().find(|name| !before.contains(name));
        let name = name.context("nothing was stored")?;
        let path = self.world.folder().join(format!("{namespace}.json"));
        fs::write(&path, json_of(&reference).to_string())?;
        let content = self.azurite.get(&name).await?;
        Ok((path, name, content))
    }
}

/// A name that says where it comes from again and again, of so many bytes.
pub(super) fn long_name(len: usize) -> String {
    CANARY.chars().cycle().take(len).collect()
}

/// Whether `wanted` is anywhere in `bytes`. Looks for its first byte first, which an unoptimised build does
/// fast enough for a hundred MiB.
pub(super) fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == wanted[0]) {
        rest = &rest[at..];
        if rest.starts_with(wanted) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

fn json_of(payload: &Payload) -> serde_json::Value {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let metadata = payload.metadata.iter();
    let metadata: serde_json::Map<_, _> = metadata
        .map(|(name, value)| (name.clone(), json!(BASE64_STANDARD.encode(value))))
        .collect();
    json!({"metadata": metadata, "data": BASE64_STANDARD.encode(&payload.data)})
}

/// The payload in a blob.
pub(super) fn payload_in(blob: &[u8]) -> anyhow::Result<Payload> {
    Ok(Payload::decode(blob)?)
}

fn contents(folder: &Path) -> anyhow::Result<Vec<u8>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => all.extend(contents(&path)?),
            false => all.extend(fs::read(&path)?),
        }
    }
    Ok(all)
}
