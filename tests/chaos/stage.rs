//! Everything that takes part: a server on a database file, a vault, a gateway, workers, and the lines between them.

mod port;
mod server;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use futures_util::future::join_all;
use sealane_client::workflow::{Execution, Listed};
use sealane_dev::gateway::Gateway;
use sealane_tests::{
    VaultClient, VaultWorld, World,
    azure::{FakeAzure, Role},
    process::{Process, program},
    temporal_cli,
};
use temporalio_client::{WorkflowIdReusePolicy, WorkflowStartOptions};

use port::quiet_port;
pub(crate) use server::Server;

use crate::{
    clock::{Clock, Clocks},
    journal::Journal,
    keeper::{Ending, Keeper, Recipe},
    key_file::KeyFile,
    line::Line,
    plan::{FILE_WORKER, WORKERS},
    wish::{DECLINED, SOLD_OUT},
};

/// How old a new key must be before it encrypts.
pub(crate) const ACTIVATION_DELAY: Duration = Duration::from_secs(5);

/// What all processes here are told.
const SETTINGS: [(&str, &str); 3] = [
    ("SEALANE_KEY_REFRESH", "1s"),
    ("SEALANE_KEY_ACTIVATION_DELAY", "5s"),
    ("SEALANE_DRAIN_TIMEOUT", "5s"),
];

/// How long packing takes, so that faults meet orders that are being shipped, in milliseconds.
const PACKING_MS: u64 = 200;

/// More runs than there can be.
const MOST_RUNS: usize = 1_000_000;

/// Relative to this, people name the folder of the programs. Cargo runs tests in another one.
const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// How long ago the first key was made.
const DAY: Duration = Duration::from_hours(24);

pub(crate) struct Stage {
    pub(crate) journal: Arc<Journal>,
    pub(crate) gateway: Gateway,
    pub(crate) key_file: KeyFile,
    pub(crate) server: Server,
    workers: Vec<Worker>,
    client: VaultClient,
    vault: VaultWorld,
    _folder: tempfile::TempDir,
}

/// A worker, its line to the server, and its clock.
pub(crate) struct Worker {
    pub(crate) keeper: Keeper,
    pub(crate) line: Line,
    pub(crate) clock: Clock,
}

impl Stage {
    /// Sets everything up and waits until all workers poll.
    pub(crate) async fn set() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let journal = Arc::new(Journal::begin());
        let server = Server::start(temporal_cli().await?, folder.path()).await?;
        let vault = vault_beside(&server).await?;
        let gateway = Gateway::start(([127, 0, 0, 1], quiet_port()?).into()).await?;
        gateway.turn(|knobs| {
            knobs.parcel_delay_ms = PACKING_MS;
            knobs.out_of_stock = [SOLD_OUT.to_owned()].into();
            knobs.declined_cards = [DECLINED.to_owned()].into();
        });
        let path = folder.path().join("keys.json");
        let key_file = KeyFile::write(&path, &vault.fake, ACTIVATION_DELAY)?;
        let mut stage = Self {
            client: vault.client().await?,
            journal,
            gateway,
            key_file,
            server,
            vault,
            workers: Vec::new(),
            _folder: folder,
        };
        stage.start_workers(&path).await?;
        Ok(stage)
    }

    async fn start_workers(&mut self, key_file: &Path) -> anyhow::Result<()> {
        let executable = program_here("sealane-worker")?;
        let clocks = Clocks::prepare(self.vault.world.folder())?;
        for number in 0..WORKERS {
            let line = Line::lay(self.server.address()).await?;
            let clock = clocks.clock(&format!("worker-{number}"))?;
            let recipe = self.recipe(number, &executable, key_file, &line, &clock);
            self.workers.push(Worker {
                keeper: Keeper::start(recipe, Arc::clone(&self.journal)),
                line,
                clock,
            });
        }
        for worker in &self.workers {
            worker.keeper.ready().await?;
        }
        Ok(())
    }

    fn recipe(
        &self,
        number: usize,
        executable: &Path,
        key_file: &Path,
        line: &Line,
        clock: &Clock,
    ) -> Recipe {
        let mut variables = self.vault.world.variables().clone();
        variables.extend(clock.variables());
        variables.insert("ORDERS_GATEWAY_URL".to_owned(), self.gateway.url());
        variables.insert("TEMPORAL_ADDRESS".to_owned(), line.address());
        let has_file = number == FILE_WORKER;
        if has_file {
            variables
                .retain(|name, _| !name.starts_with("KEYVAULT_") && !name.starts_with("AZURE_"));
            variables.insert(
                "SEALANE_KEY_FILE".to_owned(),
                key_file.display().to_string(),
            );
        }
        let is_broken = self.key_file.is_broken();
        Recipe {
            number,
            program: executable.to_owned(),
            variables,
            start_may_fail: Box::new(move || has_file && is_broken()),
        }
    }

    pub(crate) fn worker(&self, number: usize) -> &Worker {
        &self.workers[number]
    }

    pub(crate) fn workers(&self) -> &[Worker] {
        &self.workers
    }

    pub(crate) fn client(&self) -> &VaultClient {
        &self.client
    }

    pub(crate) fn fake(&self) -> &FakeAzure {
        &self.vault.fake
    }

    pub(crate) fn task_queue(&self) -> &str {
        self.vault.world.task_queue()
    }

    pub(crate) fn workflow_id(&self, order: &str) -> String {
        self.vault.world.id(order)
    }

    /// Returns options with which a workflow is started once, whatever comes of its earlier starts.
    pub(crate) fn start_options(&self, order: &str) -> WorkflowStartOptions {
        WorkflowStartOptions::new(self.task_queue(), self.workflow_id(order))
            .id_reuse_policy(WorkflowIdReusePolicy::RejectDuplicate)
            .build()
    }

    /// Makes a new key, as somebody with the right to do so.
    pub(crate) fn rotate_key(&self) -> String {
        self.vault.add_key(Duration::ZERO)
    }

    /// Starts `sealane keys rotate`.
    pub(crate) fn start_rotation(&self) -> anyhow::Result<Process> {
        let variables = self.vault.world.variables();
        Process::start(program_here("sealane")?, &["keys", "rotate"], variables)
    }

    /// Drains all workers, and returns of each how it and all before it ended.
    pub(crate) async fn retire_workers(&self) -> Vec<anyhow::Result<Vec<Ending>>> {
        join_all(self.workers.iter().map(|worker| worker.keeper.retire())).await
    }

    /// Returns all runs that the server knows of.
    pub(crate) async fn listed(&self) -> anyhow::Result<Vec<Listed>> {
        let query = format!("TaskQueue = '{}'", self.task_queue());
        Ok(self.client.workflows.list(&query, MOST_RUNS).await?.rows)
    }

    /// Returns what an order waits for, for people.
    pub(crate) async fn state_of(&self, order: &str) -> String {
        let execution = Execution {
            workflow_id: self.workflow_id(order),
            run_id: None,
        };
        match self.client.workflows.describe(&execution).await {
            Ok((description, unreadable)) => format!("{description:?} {unreadable:?}"),
            Err(error) => error.to_string(),
        }
    }
}

/// A vault with one key, for a world on `server`.
async fn vault_beside(server: &Server) -> anyhow::Result<VaultWorld> {
    let fake = FakeAzure::start().await?;
    fake.grant(Role::SecretsOfficer);
    let mut world = World::at(server.address());
    world.set("SEALANE_KEY_FILE", "");
    for (name, value) in fake.environment(world.folder()) {
        world.set(&name, value);
    }
    for (name, value) in SETTINGS {
        world.set(name, value);
    }
    let vault = VaultWorld { fake, world };
    vault.add_key(DAY);
    Ok(vault)
}

/// Returns where a program of ours is: in `SEALANE_CHAOS_PROGRAMS`, or beside the tests.
fn program_here(name: &str) -> anyhow::Result<PathBuf> {
    let Some(folder) = std::env::var_os("SEALANE_CHAOS_PROGRAMS") else {
        return program(name);
    };
    let path = Path::new(WORKSPACE).join(folder).join(name);
    path.canonicalize()
        .with_context(|| format!("no {}, expected in SEALANE_CHAOS_PROGRAMS", path.display()))
}
