use std::collections::BTreeMap;

use sealane_tests::{World, orders::Shop, process::Process};

/// A shop whose workers are processes.
pub(crate) struct Yard {
    pub(crate) shop: Shop,
    variables: BTreeMap<String, String>,
}

impl Yard {
    pub(crate) async fn open(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut world = World::new().await;
        for (name, value) in settings {
            world.set(name, *value);
        }
        let mut variables = world.variables().clone();
        let shop = Shop::without_workers(world).await?;
        variables.insert("ORDERS_GATEWAY_URL".to_owned(), shop.gateway.url());
        Ok(Self { shop, variables })
    }

    /// What a process of this yard sees of the environment.
    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// Starts a worker and waits until it takes work.
    pub(crate) async fn start_worker(&self) -> anyhow::Result<Process> {
        let worker = start(&[], &self.variables)?;
        worker.says("polling for tasks").await?;
        Ok(worker)
    }
}

/// Starts the worker binary.
pub(crate) fn start(
    arguments: &[&str],
    variables: &BTreeMap<String, String>,
) -> anyhow::Result<Process> {
    Process::start(env!("CARGO_BIN_EXE_sealane-worker"), arguments, variables)
}
