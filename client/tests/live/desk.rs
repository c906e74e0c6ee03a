//! Where a test sits: a terminal, and the worker and gateway behind the server.

use std::fs;

use sealane_dev::gateway::{Gateway, State};
use sealane_tests::{
    TestWorker, World,
    orders::{order, patiently},
};

use crate::terminal::Terminal;

/// Its own task queue, key ring and folder, with a worker for the flows.
pub(crate) struct Desk {
    pub(crate) terminal: Terminal,
    pub(crate) world: World,
    pub(crate) gateway: Gateway,
    // Stops when the test ends.
    _worker: TestWorker,
}

impl Desk {
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let gateway = Gateway::start_local().await?;
        let mut world = World::new().await;
        world.set("ORDERS_GATEWAY_URL", gateway.url());
        Ok(Self {
            terminal: Terminal::of(&world),
            _worker: TestWorker::of_flows(world.settings()),
            gateway,
            world,
        })
    }

    /// Greets `name` to the end, and returns the workflow's id.
    pub(crate) async fn greet(&self, name: &str) -> String {
        let id = self.world.id("greeting");
        let line = format!("workflow run --type GreetingWorkflow -w {id} -i '\"{name}\"'");
        self.terminal.run(&line).await.succeeds();
        id
    }

    /// Starts an order of one parcel, and returns the workflow's id.
    pub(crate) async fn start_order(&self) -> anyhow::Result<String> {
        let id = self.world.id("order");
        let document = serde_json::to_vec(&order("A-1", &["tea"]))?;
        fs::write(self.world.folder().join("order.json"), document)?;
        let line = format!("workflow start --type OrderWorkflow -w {id} -i @order.json");
        self.terminal.run(&line).await.succeeds();
        Ok(id)
    }

    /// Starts an order that stops while its parcel is packed, when it can be changed no more.
    pub(crate) async fn start_order_that_is_shipping(&self) -> anyhow::Result<String> {
        self.gateway.turn(|knobs| knobs.pause_at_parcel = Some(0));
        let id = self.start_order().await?;
        patiently("a parcel", self.gateway.wait_until(State::is_paused)).await;
        Ok(id)
    }

    /// Starts an order whose card is declined.
    pub(crate) async fn start_order_that_is_declined(&self, why: &str) -> anyhow::Result<String> {
        self.gateway
            .turn(|knobs| knobs.decline = Some(why.to_owned()));
        self.start_order().await
    }
}
