//! What `cargo run` does, and what it prints.

use std::{
    future::{Future, pending},
    io::{self, Write},
    process::ExitCode,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use clap::Parser;
use sealane_client::{
    handles::{Greeting, OrderHandle},
    payload,
    trigger::{self, Event, Jitter, TriggerOptions},
};
use sealane_service::{exit, shutdown, telemetry};
use temporalio_client::WorkflowStartOptions;

use crate::{arguments::Arguments, home, samples, system::System, temporal_cli::TemporalCli};

/// Two workflows take well under a second; beyond this, something is wrong.
const ONCE_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs everything until Ctrl-C, or two workflows with `--once`, and returns the exit code: 0 if it
/// ended as asked, 64 for a wrong command line, 70 for anything else.
pub async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() {
                exit::USAGE
            } else {
                exit::OK
            };
            // Nothing can be told to anybody if the standard streams are closed.
            error.print().ok();
            return ExitCode::from(code);
        }
    };
    match start(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sealane-dev: {error:#}");
            ExitCode::from(exit::INTERNAL)
        }
    }
}

async fn start(arguments: &Arguments) -> anyhow::Result<()> {
    let mut shutdown = Box::pin(shutdown::requested());
    let system = tokio::select! {
        system = set_up(arguments) => system?,
        () = &mut shutdown => return Ok(()),
    };
    telemetry::init(&system.settings.log)?;
    print(&format!("\n{}{}", system.places, read_it_all(&system)));
    if arguments.once {
        run_once(system).await
    } else {
        run_until(shutdown, system, arguments.every).await
    }
}

async fn set_up(arguments: &Arguments) -> anyhow::Result<System> {
    let home = home::prepare(&arguments.home)?;
    let cli = TemporalCli::find(&home, print).await?;
    System::start(arguments, &cli, print).await
}

/// Too long for the README.
fn read_it_all(system: &System) -> String {
    format!(
        "Read it all      TEMPORAL_ADDRESS={} SEALANE_KEY_FILE={} cargo run -qp sealane-client -- workflow list\n",
        system.places.temporal, system.places.keys
    )
}

/// Runs one greeting and one order.
async fn run_once(mut system: System) -> anyhow::Result<()> {
    let (client, task_queue) = (
        system.client.clone(),
        system.settings.temporal.task_queue.clone(),
    );
    let outcome = tokio::select! {
        outcome = tokio::time::timeout(ONCE_TIMEOUT, greet_and_order(&client, &task_queue)) => {
            outcome.context("the two workflows did not end in time; is the worker stuck?").flatten()
        }
        reason = system.ended() => return Err(reason),
    };
    system.stop().await?;
    outcome
}

async fn greet_and_order(
    client: &temporalio_client::Client,
    task_queue: &str,
) -> anyhow::Result<()> {
    let now = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let options =
        |name: &str| WorkflowStartOptions::new(task_queue, format!("{name}-{now}")).build();
    let greeting = Greeting::start(client, "World".to_owned(), options("GreetingWorkflow")).await?;
    let order = OrderHandle::start(client, samples::order()?, options("OrderWorkflow")).await?;
    print(&format!("GreetingWorkflow  {}", greeting.result().await?));
    let receipt = serde_json::to_string(&order.result().await?)?;
    print(&format!("OrderWorkflow     {receipt}"));
    Ok(())
}

/// Starts workflows in turns, and prints a line for each that ends.
async fn run_until(
    shutdown: impl Future<Output = ()>,
    mut system: System,
    every: Duration,
) -> anyhow::Result<()> {
    print("A greeting or an order starts every few seconds; Ctrl-C stops everything.\n");
    let options = TriggerOptions {
        targets: samples::targets()?,
        task_queue: system.settings.temporal.task_queue.clone(),
        every,
        jitter: Jitter::default(),
        count: None,
        wait: true,
    };
    tokio::select! {
        ended = trigger::run(system.client.clone(), options, pending(), |event| tell(&event)) => ended?,
        reason = system.ended() => return Err(reason),
        () = shutdown => print("\nStopping"),
    }
    system.stop().await
}

fn tell(event: &Event) {
    match event {
        Event::Finished {
            workflow_id,
            outcome: Ok(payloads),
        } => {
            let results: Vec<_> = payloads
                .iter()
                .map(|it| payload::to_json(it).to_string())
                .collect();
            print(&format!("{workflow_id}  {}", results.join(" ")));
        }
        Event::Finished {
            workflow_id,
            outcome: Err(reason),
        } => print(&format!("{workflow_id}  {reason}")),
        Event::StartFailed {
            workflow_id,
            reason,
            ..
        } => print(&format!("{workflow_id}  not started yet: {reason}")),
        _ => {}
    }
}

/// A closed standard output is no reason to stop.
fn print(line: &str) {
    writeln!(io::stdout(), "{line}").ok();
}
