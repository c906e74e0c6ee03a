//! The command line of `cargo run`.

use std::{path::PathBuf, time::Duration};

use clap::Parser;

/// Runs Temporal, the order gateway, a worker, the HTTP API, a codec server and a trigger on this machine, encrypted.
///
/// Ports that are not given are the usual ones, or free ones if those are taken. Settings whose names
/// start with `SEALANE_` or `OTEL_` reach our processes; those that start with `TEMPORAL_` do not, so that nothing
/// here can reach a real cluster. `TEMPORAL_CLI` may name the Temporal CLI to use.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo run --", version)]
pub struct Arguments {
    /// Run one greeting and one order, print both results and exit
    #[arg(long)]
    pub once: bool,
    /// Keep the server's database in the home folder
    #[arg(long)]
    pub persist: bool,
    /// Time between two starts, as in 5s
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub every: Duration,
    /// Folder for the key ring, the database and an installed Temporal CLI
    #[arg(long, value_name = "PATH", default_value = ".sealane")]
    pub home: PathBuf,
    /// Port of the Temporal server
    #[arg(long)]
    pub port: Option<u16>,
    /// Port of the Temporal Web UI
    #[arg(long)]
    pub ui_port: Option<u16>,
    /// Port of the order gateway
    #[arg(long)]
    pub gateway_port: Option<u16>,
    /// Port of the worker's probes and metrics
    #[arg(long)]
    pub worker_port: Option<u16>,
    /// Port of the HTTP API
    #[arg(long)]
    pub api_port: Option<u16>,
    /// Port of the codec server
    #[arg(long)]
    pub codec_port: Option<u16>,
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("expected a duration above zero, as in 5s or 1m".to_owned()),
    }
}
