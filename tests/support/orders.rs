//! A shop: a world with a gateway of its own, and ways to stop an order exactly where a test wants it.

use std::{collections::BTreeSet, future::Future, time::Duration};

use anyhow::Context;
use sealane_activities::orders::Orders;
use sealane_client::{
    decode::Decoder,
    encryption,
    failure::Report,
    handles::OrderHandle,
    workflow::{Execution, Workflows},
};
use sealane_dev::gateway::{Gateway, Knobs, Operation, State, Throttle};
use sealane_worker::{RegistrationError, Settings, WorkerOptions, flows};
use sealane_workflows::orders::{Address, Item, Order, OrderWorkflow, Receipt};
use temporalio_client::{
    Client, WorkflowStartOptions,
    errors::{WorkflowGetResultError, WorkflowUpdateError},
};

use crate::{TestWorker, World};

/// Bounds every wait, so that what never comes fails a test instead of hanging it. Nothing here takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a held attempt is told to wait: much longer than any test.
const HOLD_SECONDS: u64 = 600;

/// A world with a gateway, and the workers of the flows.
pub struct Shop {
    /// Keeps stock, money and parcels, and can be told to fail.
    pub gateway: Gateway,
    /// Cancels, describes, and reads histories.
    pub workflows: Workflows,
    decoder: Decoder,
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
        let codec = encryption::codec(&world.settings().encryption)?;
        Ok(Self {
            workflows: Workflows::new(client.clone(), codec.clone()),
            decoder: Decoder::new(codec),
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

    /// Places `order` and stops it while its card is being charged: the charge waits, nothing was taken.
    ///
    /// The knobs cannot fail the second request and not the first. So the first is made while no worker decides what
    /// comes after it, and the knob is turned before one does.
    ///
    /// # Errors
    ///
    /// What the server or a worker objects to.
    pub async fn hold_at_charging(&mut self, order: Order) -> anyhow::Result<Placed> {
        let deciding = TestWorker::start(self.world.settings(), decisions);
        let placed = self.place(order).await?;
        // Answered after the first workflow task, which asks for the reservation.
        patiently("the status", placed.handle.status()).await?;
        patiently("the worker", deciding.stop()).await?;
        self.start_worker(side_effects);
        self.gateway_reaches(|state| state.log().effects_of(Operation::Reserve) == 1)
            .await;
        self.gateway.turn(|knobs| knobs.throttle = hold());
        self.start_worker(decisions);
        self.attempt_fails(&placed, "charge_card", "Throttled")
            .await?;
        Ok(placed)
    }

    /// Places `order` and stops it when the parcel with this number, counted from 0, is to be packed.
    ///
    /// # Errors
    ///
    /// What the server objects to.
    pub async fn hold_at_parcel(&self, order: Order, number: u32) -> anyhow::Result<Placed> {
        self.gateway
            .turn(|knobs| knobs.pause_at_parcel = Some(number));
        let placed = self.place(order).await?;
        self.gateway_reaches(State::is_paused).await;
        Ok(placed)
    }

    /// Places `order` and stops it when its only parcel is packed, while Temporal believes it is not.
    ///
    /// # Errors
    ///
    /// What the server objects to.
    pub async fn hold_after_lost_parcel(&self, order: Order) -> anyhow::Result<Placed> {
        let placed = self.hold_at_parcel(order, 0).await?;
        self.gateway.turn(|knobs| {
            *knobs = Knobs {
                lose_next: u32::MAX,
                ..Knobs::default()
            }
        });
        self.gateway_reaches(|state| state.log().effects_of(Operation::Pack(0)) == 1)
            .await;
        self.gateway.turn(|knobs| {
            *knobs = Knobs {
                throttle: hold(),
                ..Knobs::default()
            }
        });
        self.attempt_fails(&placed, "ship", "Throttled").await?;
        Ok(placed)
    }

    /// Lets go of everything that is held at a parcel, and serves every request from now on.
    pub fn resume(&self) {
        self.gateway.turn(|knobs| *knobs = Knobs::default());
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

    /// Returns why the order refused to be readdressed.
    ///
    /// # Errors
    ///
    /// If it did not.
    pub async fn refusal(
        &self,
        outcome: Result<Address, WorkflowUpdateError>,
    ) -> anyhow::Result<Report> {
        match outcome {
            Err(WorkflowUpdateError::Failed(failure)) => Ok(self.decoder.failure(*failure).await?),
            other => anyhow::bail!("the update ended as {other:?}, expected a refusal"),
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
            let stopped = patiently("the worker", worker.stop()).await;
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

/// Turns one request away for so long that nothing but the test goes on.
fn hold() -> Option<Throttle> {
    Some(Throttle {
        next: 1,
        retry_after_seconds: HOLD_SECONDS,
        status: 429,
    })
}

fn decisions(worker: &mut WorkerOptions, _: &Settings) -> Result<(), RegistrationError> {
    worker.register_workflow::<OrderWorkflow>()?;
    Ok(())
}

fn side_effects(worker: &mut WorkerOptions, settings: &Settings) -> Result<(), RegistrationError> {
    worker.register_activities(Orders::new(settings.orders_gateway_url.clone())?);
    Ok(())
}
