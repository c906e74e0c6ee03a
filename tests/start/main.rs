//! How long a worker takes from its start to its first poll, with keys from a file and from a vault, and what it has
//! in memory when nothing happens.
//!
//!     cargo build --release --package sealane-worker
//!     cargo run --package sealane-tests --bin measure-start -- target/release/sealane-worker
//!
//! Time is that of whoever waits: from just before the process is started to the line by which the worker says that its polls
//! are out. Server, Entra and Key Vault are on this machine, so no network's time is in it.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use clap::Parser;
use sealane_tests::{
    VaultWorld, World,
    process::{Process, memory},
};

/// How old the vault's key is: it encrypts from the first moment on.
const KEY_AGE: Duration = Duration::from_hours(24);

/// How long a worker idles before its memory is read.
const IDLE: Duration = Duration::from_secs(5);

/// Measures starts of a worker.
#[derive(Debug, Parser)]
struct Arguments {
    /// The worker's executable
    worker: PathBuf,
    /// Starts with each source of keys
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
}

/// What one start came to.
struct Start {
    took: Duration,
    /// Resident memory after [`IDLE`], in KiB.
    resident: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // A process finds a relative path from its own folder, which is this one only today.
    let worker = arguments.worker.canonicalize();
    let worker = worker.with_context(|| format!("no worker at {}", arguments.worker.display()))?;
    let file = World::new().await;
    let vault = VaultWorld::open(&[]).await?;
    vault.add_key(KEY_AGE);

    let (mut from_file, mut from_vault) = (Vec::new(), Vec::new());
    // By turns: machines get slower and faster while this runs.
    for _ in 0..arguments.count {
        from_file.push(start(&worker, &file).await?);
        from_vault.push(start(&worker, &vault.world).await?);
    }
    report("file", &from_file);
    report("vault", &from_vault);
    Ok(())
}

async fn start(worker: &Path, world: &World) -> anyhow::Result<Start> {
    let begun = Instant::now();
    let process = Process::start(worker, &[], world.variables())?;
    process.says("polling for tasks").await?;
    let took = begun.elapsed();

    tokio::time::sleep(IDLE).await;
    let resident = process.id().and_then(|pid| memory(pid, "VmRSS"));
    let resident = resident.context("the worker has ended")?;
    process.signal("TERM").await?;
    process.ends().await?;
    Ok(Start { took, resident })
}

#[expect(clippy::print_stdout, reason = "the figures are what this is for")]
fn report(source: &str, starts: &[Start]) {
    let took = sorted(starts.iter().map(|it| it.took));
    let resident = sorted(starts.iter().map(|it| it.resident));
    println!(
        "keys from a {source}, {} starts: {} ms to the first poll ({} to {}), {} KiB when idle",
        starts.len(),
        took[took.len() / 2].as_millis(),
        took[0].as_millis(),
        took[took.len() - 1].as_millis(),
        resident[resident.len() / 2],
    );
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values
}
