//! A shop: a world with a gateway of its own, and orders placed there.

mod hold;

use std::{collections::BTreeSet, future::Future, time::Duration};

use anyhow::Context;
use sealane_client::{
    failure::Report,
    handles::OrderHandle,
    workflow::{Execution, Workflows},
};
use sealane_dev::gateway::{Gateway, Operation, State};
use sealane_service::encryption;
use sealane_worker::{RegistrationError, Settings, WorkerOptions, flows};
use sealane_workflows::orders::{Address, Item, Order, Receipt};
use temporalio_client::{Client, WorkflowStartOptions, errors::WorkflowGetResultError};

use crate::{TestWorker, World};

/// Bounds every wait, so that what never comes fails a test instead of hanging it. Nothing here takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A world with a gateway, and the workers of the flows.
pub struct Shop {
    /// Keeps stock, money and parcels, and can be told to fail.
    pub gateway: Gateway,
    /// Cancels, describes, and reads histories.
    pub workflows: Workflows,
    client: Client,
    world: World,
    workers: Vec<TestWorker>,
}

/// An order that was placed.
pub struct Placed {
    /// Sends it messages.
    pub handle: OrderHandle,
    /// Names it to the server.
    pub execution: Execution,
}

impl Shop {
    /// Opens a shop with one worker.
    ///
    /// # Errors
    ///
    /// If the gateway finds no port.
    pub async fn open() -> anyhow::Result<Self> {
        let mut shop = Self::without_workers(World::new().await).await?;
        shop.start_worker(flows::register);
        Ok(shop)
    }

    /// Opens a shop in which nothing happens until a worker is started.
    ///
    /// # Errors
    ///
    /// If the gateway finds no port.
    ///
    /// # Panics
    ///
    /// If the world's server or key ring cannot be used.
    pub async fn without_workers(mut world: World) -> anyhow::Result<Self> {
        let gateway = Gateway::start_local().await?;
        world.set("ORDERS_GATEWAY_URL", gateway.url());
        let client = world.client().await;
        let codec = encryption::codec(&world.settings().encryption).await?;
        Ok(Self {
            workflows: Workflows::new(client.clone(), codec),
            gateway,
            client,
            world,
            workers: Vec::new(),
        })
    }

    /// Starts a worker that runs until the shop closes.
    pub fn start_worker<R>(&mut self, register: R)
    where
        R: FnOnce(&mut WorkerOptions, &Settings) -> Result<(), RegistrationError> + Send + 'static,
    {
        let worker = TestWorker::start(self.world.settings(), register);
        self.workers.push(worker);
    }

    /// Returns the client that orders are placed with.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns options to start `id` where this shop's workers find it.
    pub fn start_options(&self, id: &str) -> WorkflowStartOptions {
        WorkflowStartOptions::new(self.world.task_queue(), self.world.id(id)).build()
    }

    /// Starts fulfilling `order`.
    ///
    /// # Errors
    ///
    /// What the server objects to.
    pub async fn place(&self, order: Order) -> anyhow::Result<Placed> {
        let options = self.start_options(order.id.as_str());
        let execution = Execution {
            workflow_id: self.world.id(order.id.as_str()),
            run_id: None,
        };
        let handle = OrderHandle::start(&self.client, order, options).await?;
        Ok(Placed { handle, execution })
    }

    /// Waits until the gateway has come to where `reached` is true.
    ///
    /// # Panics
    ///
    /// If it does not get there.
    pub async fn gateway_reaches(&self, reached: impl FnMut(&State) -> bool) {
        patiently("the gateway", self.gateway.wait_until(reached)).await;
    }

    /// Waits until Temporal knows of an attempt of `activity` that failed as `kind`, and returns the failure.
    ///
    /// # Errors
    ///
    /// If the order cannot be described.
    ///
    /// # Panics
    ///
    /// If no attempt fails like that.
    pub async fn attempt_fails(
        &self,
        placed: &Placed,
        activity: &str,
        kind: &str,
    ) -> anyhow::Result<Report> {
        let failed = async {
            loop {
                let (description, _) = self.workflows.describe(&placed.execution).await?;
                let failure = description
                    .pending_activities
                    .into_iter()
                    .filter(|pending| pending.activity_type == activity)
                    .find_map(|pending| pending.last_failure);
                match failure {
                    Some(failure) if failure.kind.as_deref() == Some(kind) => return Ok(failure),
                    _ => tokio::task::yield_now().await,
                }
            }
        };
        patiently("a failed attempt", failed).await
    }

    /// Lets the gateway have nothing left of `sku`.
    pub fn sell_out(&self, sku: &str) {
        self.gateway
            .turn(|knobs| knobs.out_of_stock = BTreeSet::from([sku.to_owned()]));
    }

    /// Waits for the order to end and returns how.
    ///
    /// # Errors
    ///
    /// How it ended without a receipt.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn result(&self, placed: &Placed) -> Result<Receipt, WorkflowGetResultError> {
        patiently("the end of the order", placed.handle.result()).await
    }

    /// Waits for the order to fail and returns with what.
    ///
    /// # Errors
    ///
    /// If it ends in any other way.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn failure(&self, placed: &Placed) -> anyhow::Result<Report> {
        match self.result(placed).await {
            Err(WorkflowGetResultError::Failed(error)) => Ok(Report::of(error.failure())),
            other => anyhow::bail!("the order ended as {other:?}, expected a failure"),
        }
    }

    /// Returns what really happened at the gateway, in order.
    pub fn effects(&self) -> Vec<Operation> {
        let effects = self.gateway.effects().into_iter();
        effects.map(|effect| effect.operation).collect()
    }

    /// Returns the idempotency keys of all requests for `operation`, in the order of arrival.
    pub fn keys_of(&self, operation: Operation) -> Vec<String> {
        let requests = self.gateway.requests().into_iter();
        requests
            .filter(|request| request.operation == operation)
            .map(|request| request.key)
            .collect()
    }

    /// Drains the workers.
    ///
    /// # Errors
    ///
    /// What a worker ended with.
    ///
    /// # Panics
    ///
    /// If a worker panicked or does not drain.
    pub async fn close(self) -> anyhow::Result<()> {
        for worker in self.workers {
            let stopped = worker.stop().await;
            stopped.context("a worker did not end well")?;
        }
        Ok(())
    }
}

/// Returns a valid order, one parcel for each of `skus`.
pub fn order(id: &str, skus: &[&str]) -> Order {
    let items = skus.iter().map(|&sku| Item {
        sku: sku.into(),
        quantity: 1,
    });
    Order {
        id: id.into(),
        customer: "C-7".into(),
        items: items.collect(),
        amount: 1250,
        currency: "EUR".to_owned(),
        card_token: "tok_visa_4242".into(),
        address: address("Torstraße 1"),
    }
}

/// Returns a valid address in `street`.
pub fn address(street: &str) -> Address {
    Address {
        name: "Ada Lovelace".to_owned(),
        street: street.to_owned(),
        postal_code: "10119".to_owned(),
        city: "Berlin".to_owned(),
        country: "DE".to_owned(),
    }
}

/// Waits for `work`, but not forever.
///
/// # Panics
///
/// If it takes longer than any healthy run would.
pub async fn patiently<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(_) => panic!("waited {PATIENCE:?} for {what}"),
    }
}
