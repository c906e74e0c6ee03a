//! One contender under load, on a server of its own.

use std::{collections::BTreeMap, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, ensure};
use sealane_codec::{Key, KeyRing, file_source};
use sealane_dev::{
    server::{DevServer, Options},
    temporal_cli::TemporalCli,
};
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};

use crate::{
    Arguments,
    contender::Contender,
    peers,
    process::{cpu_seconds, resident_megabytes},
    table,
};

/// How long a worker may take from its start to its first result. TypeScript bundles its workflows first.
const START: &str = "120s";

/// What one part of a run came to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) number: u32,
    /// Which part of the run, from 1.
    pub(crate) part: u32,
    pub(crate) contender: String,
    /// Processor seconds of the worker for 1,000 workflows.
    pub(crate) cpu_per_thousand: f64,
    /// Resident memory after the load, in megabytes.
    pub(crate) resident: f64,
    /// Right results per second.
    pub(crate) throughput: f64,
    /// Median of start to result, in milliseconds.
    pub(crate) p50: f64,
    /// 99th percentile of the same.
    pub(crate) p99: f64,
}

/// What `sealane load` prints, as far as it is needed here.
#[derive(Deserialize)]
struct Load {
    throughput: f64,
    latency: Latency,
}

#[derive(Deserialize)]
struct Latency {
    p50: f64,
    p99: f64,
}

/// Runs the load of `arguments` against `contender`, and adds what each part of it came to to `rounds`.
///
/// # Errors
///
/// If a process cannot be started, or any workflow has no right result.
pub(crate) async fn run(
    cli: &TemporalCli,
    contender: &Contender,
    arguments: &Arguments,
    number: u32,
    rounds: &mut Vec<Round>,
) -> anyhow::Result<()> {
    let server = DevServer::start(cli, &Options::default()).await?;
    let folder = tempfile::tempdir()?;
    let variables = variables(&server, contender, folder.path())?;
    let worker = start(contender, &variables, folder.path())?;
    let pid = worker.id().context("the worker has ended")?;
    load(&variables, 1, 1).await.context("the first workflow")?;
    load(&variables, arguments.warm_up, arguments.concurrency).await?;
    for part in 1..=arguments.parts {
        let before = cpu_seconds(pid)?;
        let load = load(&variables, arguments.count, arguments.concurrency).await?;
        let used = cpu_seconds(pid)? - before;
        let round = Round {
            number,
            part,
            contender: contender.name.to_owned(),
            cpu_per_thousand: used * 1000.0 / f64::from(arguments.count),
            resident: resident_megabytes(pid)?,
            throughput: load.throughput,
            p50: load.latency.p50,
            p99: load.latency.p99,
        };
        eprintln!("{}", table::line(&round));
        rounds.push(round);
    }
    stop(worker).await
}

/// What both the worker and the load see, and nothing else.
fn variables(
    server: &DevServer,
    contender: &Contender,
    folder: &Path,
) -> anyhow::Result<BTreeMap<&'static str, String>> {
    let keys = folder.join("keys.json");
    let ring = [("compare".parse()?, Key::from_bytes(&[7; 32])?)];
    file_source::write_new(&keys, &KeyRing::new("compare".parse()?, ring)?)?;
    Ok(BTreeMap::from([
        ("TEMPORAL_ADDRESS", server.address().to_owned()),
        ("TEMPORAL_TASK_QUEUE", "compare".to_owned()),
        ("SEALANE_KEY_FILE", keys.display().to_string()),
        ("SEALANE_ENCRYPTION", contender.encryption.to_owned()),
        ("SEALANE_HTTP_ADDR", "127.0.0.1:0".to_owned()),
        ("SEALANE_LOG", "warn".to_owned()),
    ]))
}

/// Starts the worker; what it says goes to a file, so that no terminal slows it down.
fn start(
    contender: &Contender,
    variables: &BTreeMap<&'static str, String>,
    folder: &Path,
) -> anyhow::Result<Child> {
    let log = std::fs::File::create(folder.join("worker.log"))?;
    let mut command = contender.command()?;
    only(&mut command, variables)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true);
    command.spawn().context("the worker cannot be started")
}

async fn load(
    variables: &BTreeMap<&'static str, String>,
    count: u32,
    concurrency: u32,
) -> anyhow::Result<Load> {
    let mut command = Command::new(peers::program("sealane")?);
    command
        .args([
            "load",
            "GreetingWorkflow",
            "--output",
            "json",
            "--timeout",
            START,
        ])
        .args(["--count", &count.to_string()])
        .args(["--concurrency", &concurrency.to_string()])
        .stderr(Stdio::inherit());
    only(&mut command, variables);
    let output = command.output().await?;
    ensure!(
        output.status.success(),
        "the load failed: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Leaves of the environment what programs are found by, so that no setting of this shell tunes anybody.
fn only<'a>(
    command: &'a mut Command,
    variables: &BTreeMap<&'static str, String>,
) -> &'a mut Command {
    let own: Vec<_> = command
        .as_std()
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let kept = ["PATH", "HOME"].map(|name| (name, std::env::var_os(name).unwrap_or_default()));
    command.env_clear().envs(kept).envs(own).envs(variables)
}

async fn stop(mut worker: Child) -> anyhow::Result<()> {
    worker.start_kill()?;
    tokio::time::timeout(Duration::from_secs(10), worker.wait()).await??;
    Ok(())
}
