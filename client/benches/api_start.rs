//! What the HTTP API adds to starting a workflow: latency of the same start, directly and through `sealane serve` on
//! loopback, one after the other in one run, so that both see the same server.
//!
//! `cargo bench -p sealane-client --bench api_start [-- STARTS]`; fetches a Temporal dev server if there is none.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::time::{Duration, Instant};

use anyhow::Context;
use sealane_client::{
    payload,
    workflow::{Start, Workflows},
};
use sealane_service::encryption;
use sealane_tests::{World, process::Process};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Mutex,
};

const SEALANE: &str = env!("CARGO_BIN_EXE_sealane");

/// Starts of each kind. The p99 of 2,000 rests on 20 of them.
const STARTS: usize = 2000;

/// Starts before the measurement: connections, caches, the server's own warming up.
const WARM_UP: usize = 200;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Cargo adds arguments of its own.
    let starts = std::env::args().find_map(|it| it.parse().ok());
    let starts = starts.unwrap_or(STARTS);
    let bench = Bench::prepare().await?;
    bench.run(WARM_UP).await?;
    let (direct, api) = bench.run(starts).await?;
    let ratio = |quantile| at(&api, quantile).as_secs_f64() / at(&direct, quantile).as_secs_f64();
    println!(
        "api / direct: p50 {:.3}, p99 {:.3}",
        ratio(0.5),
        ratio(0.99)
    );
    for (name, latencies) in [("direct", &direct), ("api", &api)] {
        let (p50, p99) = (at(latencies, 0.5), at(latencies, 0.99));
        println!("{name:>6}: p50 {p50:>10.1?}, p99 {p99:>10.1?} of {starts} starts");
    }
    Ok(())
}

/// One way to the server, and another.
struct Bench {
    workflows: Workflows,
    world: World,
    // One connection that stays open, without an HTTP client whose own time would be counted.
    connection: Mutex<TcpStream>,
    // Killed when dropped.
    _process: Process,
}

impl Bench {
    async fn prepare() -> anyhow::Result<Self> {
        let mut world = World::new().await;
        world.set("SEALANE_LOG", "warn,sealane_client=info");
        let process = Process::start(SEALANE, &["serve"], world.variables())?;
        let line: Value = serde_json::from_str(&process.says("http.address").await?)?;
        let address = line["http.address"].as_str().context("an address")?;
        process.says("requests are answered").await?;
        let codec = encryption::codec(&world.settings().encryption).await?;
        Ok(Self {
            workflows: Workflows::new(world.client().await, codec),
            world,
            connection: Mutex::new(connect(address).await?),
            _process: process,
        })
    }

    /// Starts `count` workflows each way, in turns, and returns how long each took, shortest first.
    async fn run(&self, count: usize) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
        let (mut direct, mut api) = (Vec::new(), Vec::new());
        for number in 0..count {
            // Whoever comes second finds what the first one has left behind.
            if number % 2 == 0 {
                direct.push(self.start_directly().await?);
                api.push(self.start_by_api().await?);
            } else {
                api.push(self.start_by_api().await?);
                direct.push(self.start_directly().await?);
            }
        }
        direct.sort_unstable();
        api.sort_unstable();
        Ok((direct, api))
    }

    async fn start_directly(&self) -> anyhow::Result<Duration> {
        let start = Start {
            workflow_type: "Idle".to_owned(),
            workflow_id: uuid::Uuid::new_v4().to_string(),
            task_queue: self.world.task_queue().to_owned(),
            input: vec![payload::from_json(&input())],
            ..Start::default()
        };
        let began = Instant::now();
        self.workflows.start(start).await?;
        Ok(began.elapsed())
    }

    async fn start_by_api(&self) -> anyhow::Result<Duration> {
        let id = uuid::Uuid::new_v4().to_string();
        let body = json!({"type": "Idle", "workflowId": id, "input": [input()]}).to_string();
        let request = format!(
            "POST /api/v1/workflows HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut connection = self.connection.lock().await;
        let began = Instant::now();
        connection.write_all(request.as_bytes()).await?;
        // An answer of a few hundred bytes is written, and so read, in one piece.
        let mut answer = [0; 4096];
        let read = connection.read(&mut answer).await?;
        let took = began.elapsed();
        anyhow::ensure!(answer[..read].starts_with(b"HTTP/1.1 202"), "not started");
        anyhow::ensure!(answer[..read].ends_with(b"}"), "not in one piece");
        Ok(took)
    }
}

async fn connect(address: &str) -> anyhow::Result<TcpStream> {
    let connection = TcpStream::connect(address).await?;
    connection.set_nodelay(true)?;
    Ok(connection)
}

/// About 1 KiB, as inputs are.
fn input() -> Value {
    json!({"note": "x".repeat(1000)})
}

/// The latency that the `quantile` of all do not exceed.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a few thousand of them"
)]
fn at(sorted: &[Duration], quantile: f64) -> Duration {
    let index = (sorted.len() as f64 * quantile) as usize;
    sorted.get(index).copied().unwrap_or_default()
}
