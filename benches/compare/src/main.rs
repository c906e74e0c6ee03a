//! The same encrypted workflow on our worker and on those of other SDKs, one after the other under the
//! same load, with what each took from the machine.
//!
//!     cargo run --release -p sealane-compare
//!
//! Every run has a dev server of its own, so that nobody inherits another's history. The load comes from
//! `sealane load`, which checks every result. Processor time and memory are the operating system's
//! figures for the worker's process alone. Rounds are interleaved, and medians reported: machines get
//! slower and faster while this runs. Peers that cannot be built here (no `go`, no `npm`, no `pip`) are left
//! out, with a line that says so.

mod contender;
mod machine;
mod peers;
mod process;
mod round;
mod table;

use std::path::PathBuf;

use clap::Parser;

use crate::{contender::Contender, round::Round};

/// Compares workers of several SDKs.
#[derive(Debug, Parser)]
struct Arguments {
    /// Workflows that are measured in each part of a run
    #[arg(long, default_value_t = 2000)]
    count: u32,
    /// Parts of a run. Worker and server stay, so the figures of later parts tell what those before have left behind
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    parts: u32,
    /// Workflows before that, which are not
    #[arg(long, default_value_t = 300)]
    warm_up: u32,
    /// Workflows in flight
    #[arg(long, default_value_t = 50)]
    concurrency: u32,
    /// How often each contender runs
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Who runs, by name. Default: all
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// File for all measurements, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    peers::build_ours()?;
    let contenders = contender::all(&arguments.only)?;
    let cli = sealane_dev::temporal_cli::TemporalCli::find(&peers::place("dev")?, |text| {
        eprintln!("{text}");
    })
    .await?;
    let mut rounds = Vec::new();
    for number in 1..=arguments.rounds {
        // Who comes first differs from round to round, in case the machine slows down meanwhile.
        let first = (number as usize - 1) % contenders.len();
        for contender in contenders.iter().cycle().skip(first).take(contenders.len()) {
            round::run(&cli, contender, &arguments, number, &mut rounds).await?;
        }
    }
    if let Some(path) = &arguments.json {
        std::fs::write(path, serde_json::to_string_pretty(&rounds)?)?;
    }
    print(&arguments, &contenders, &rounds);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is what this is for")]
fn print(arguments: &Arguments, contenders: &[Contender], rounds: &[Round]) {
    println!("{}\n", machine::description());
    println!(
        "{} workflows in each of {} parts of {} rounds after {} to warm up, {} in flight; medians, of memory those of the\n\
         last parts.\n",
        arguments.count,
        arguments.parts,
        arguments.rounds,
        arguments.warm_up,
        arguments.concurrency
    );
    println!("{}\n", table::of(contenders, rounds, arguments.parts));
    println!(
        "Each SDK runs with its own defaults; ours polls with autoscaling, which is Sealane's. Server, load and worker\n\
         share the machine, so throughput and latency are those of all three; processor time and memory are the worker's."
    );
}
