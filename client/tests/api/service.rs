//! A running API, with or without a worker behind it.

use std::net::SocketAddr;

use anyhow::Context;
use sealane_dev::{
    gateway::{Gateway, State},
    server::DevServer,
};
use sealane_tests::{
    TestWorker, World,
    orders::{order, patiently},
    process::Process,
};
use serde_json::{Value, json};

use crate::answer::Answer;

pub(crate) const SEALANE: &str = env!("CARGO_BIN_EXE_sealane");

/// What is logged once there is a connection.
const CONNECTED: &str = "requests are answered";

/// `sealane serve` in a world of its own.
pub(crate) struct Service {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    pub(crate) world: World,
    pub(crate) gateway: Gateway,
    client: reqwest::Client,
    token: Option<String>,
    // Stops when the test ends.
    worker: Option<TestWorker>,
}

impl Service {
    /// Starts the API and a worker for the flows.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_in(World::new().await).await
    }

    /// Starts the API in `world`, and a worker.
    pub(crate) async fn start_in(world: World) -> anyhow::Result<Self> {
        let mut service = Self::alone_in(world).await?;
        let settings = service.world.settings();
        service.worker = Some(TestWorker::of_flows(settings));
        Ok(service)
    }

    /// Starts the API on `server`, and nothing else.
    pub(crate) async fn alone_on(server: &DevServer) -> anyhow::Result<Self> {
        Self::alone_in(World::on(server)).await
    }

    /// Starts the API, and nothing else.
    pub(crate) async fn alone() -> anyhow::Result<Self> {
        Self::alone_in(World::new().await).await
    }

    /// Starts the API in `world`, and nothing else.
    pub(crate) async fn alone_in(mut world: World) -> anyhow::Result<Self> {
        let gateway = Gateway::start_local().await?;
        world.set("ORDERS_GATEWAY_URL", gateway.url());
        let process = Process::start(SEALANE, &["serve"], world.variables())?;
        process.says(CONNECTED).await?;
        let address = address(&process).await?;
        Ok(Self {
            process,
            address,
            world,
            gateway,
            client: client()?,
            token: None,
            worker: None,
        })
    }

    /// Sends `token` with every request from now on.
    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, |request| request).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, |request| request.json(body)).await
    }

    /// Posts `body` with an idempotency key.
    pub(crate) async fn post_once(&self, key: &str, path: &str, body: &Value) -> Answer {
        let keyed =
            |request: reqwest::RequestBuilder| request.header("idempotency-key", key).json(body);
        self.send("POST", path, keyed).await
    }

    /// Sends what `finish` makes of a request.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        finish: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        let line = format!("{method} {path}");
        let method = method.parse().expect("a method");
        let request = self.client.request(method, self.url(path));
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = patiently(&line, finish(request).send()).await;
        let response = response.unwrap_or_else(|error| panic!("{line}: {error}"));
        let answer = Answer::read(line, response).await;
        answer.expect("a whole answer").documented()
    }

    /// Starts a workflow that nobody runs, and returns its id.
    pub(crate) async fn start_idle(&self) -> String {
        let id = self.world.id("idle");
        let body = json!({"type": "Idle", "workflowId": id, "input": ["Ada"]});
        self.post("/api/v1/workflows", &body).await.is(202);
        id
    }

    /// Places an order of one parcel, and returns its number.
    pub(crate) async fn place(&self) -> String {
        let id = self.world.id("A");
        let body = order_document(&id);
        self.post("/orders", &body).await.is(202);
        id
    }

    /// Places an order that stops while its parcel is packed.
    pub(crate) async fn place_and_pause(&self) -> String {
        self.gateway.turn(|knobs| knobs.pause_at_parcel = Some(0));
        let id = self.place().await;
        patiently("a parcel", self.gateway.wait_until(State::is_paused)).await;
        id
    }

    /// Repeats a request until `arrived` is true of the answer.
    pub(crate) async fn until(&self, path: &str, arrived: impl Fn(&Answer) -> bool) -> Answer {
        let asking = async {
            loop {
                let answer = self.get(path).await;
                if arrived(&answer) {
                    return answer;
                }
            }
        };
        patiently(path, asking).await
    }
}

/// Waits until `process` listens, and returns where.
pub(crate) async fn address(process: &Process) -> anyhow::Result<SocketAddr> {
    let event: Value = serde_json::from_str(&process.says("http.address").await?)?;
    let address = event["http.address"].as_str().context("no address")?;
    Ok(address.parse()?)
}

/// Goes straight to the API, and follows nothing.
pub(crate) fn client() -> anyhow::Result<reqwest::Client> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    Ok(client.build()?)
}

/// An order of one parcel, as a shop sends it.
pub(crate) fn order_document(id: &str) -> Value {
    serde_json::to_value(order(id, &["tea"])).expect("an order is JSON")
}
