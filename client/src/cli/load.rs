//! `sealane load`: many workflows at once, measured and checked.

mod progress;

use std::{
    fs::{self, OpenOptions},
    io,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::{ArgGroup, Args, builder::NonEmptyStringValueParser};
use serde::Serialize;
use serde_json::{Value, json};

use self::progress::shown_while;
use super::{CliError, Globals, NOT_DONE, input, output};
use crate::{
    load::{self, Errors, Expected, LoadOptions, LoadReport, Pace, Recorder, Volume, plot},
    payload,
    trigger::InputTemplate,
};

/// What stands in an input for `--payload-size` bytes of padding.
const PADDING: &str = "{{padding}}";

/// Each workflow in flight is a task with a request of its own; more would measure this process.
const MOST_IN_FLIGHT: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();

#[derive(Debug, Args)]
#[command(
    after_help = AFTER_HELP,
    group(ArgGroup::new("volume").args(["count", "duration"]).required(true))
)]
pub(super) struct LoadCommand {
    /// Type of the workflows
    #[arg(value_name = "TYPE", value_parser = NonEmptyStringValueParser::new())]
    workflow_type: String,
    /// End after this many workflows
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Start workflows for this long, such as 60s
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    duration: Option<Duration>,
    /// How many may be in flight at once, up to 100000. Default: 50; with --rate, 10000
    #[arg(long, value_parser = concurrency)]
    concurrency: Option<NonZeroUsize>,
    /// Start this many per second, whether or not earlier ones have ended; time then counts from
    /// when a workflow was due
    #[arg(long, value_name = "PER SECOND", value_parser = rate)]
    rate: Option<f64>,
    /// Run this many first, which do not count
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    warm_up: u64,
    /// JSON argument, `@FILE` or `-`; in its strings {{counter}}, {{timestamp}}, {{id}} and
    /// {{padding}} are filled in. Repeat for several arguments. Default: for
    /// `GreetingWorkflow` a name, for `OrderWorkflow` an order
    #[arg(long, value_name = "JSON")]
    input_template: Vec<String>,
    /// JSON that every result has to be, with the same placeholders; objects may have more fields.
    /// Default: for `GreetingWorkflow` the greeting, for `OrderWorkflow` that it is shipped
    #[arg(long, value_name = "JSON")]
    expect: Option<String>,
    /// Bytes that {{padding}} stands for, such as 1KiB; at most 1MiB
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
    payload_size: usize,
    /// After how long a workflow without a result is an error
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    timeout: Duration,
    /// Task queue of the workflows; default: `TEMPORAL_TASK_QUEUE`
    #[arg(long, short, value_parser = NonEmptyStringValueParser::new())]
    task_queue: Option<String>,
    /// Draw latency by percentile and throughput by second into this file, as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Exit code 1 if any workflow had another result than the expected one, or none, or if the load was
stopped before it measured any. Workflow ids are load-RANDOM-COUNTER. Ctrl-C ends the load and
prints what there is; workflows that were started go on.";

/// What a load prints as text.
#[derive(Serialize)]
struct Summary<'a> {
    #[serde(flatten)]
    report: &'a LoadReport,
}

impl LoadCommand {
    /// Runs the load and prints what it came to.
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let (input, expected) = self.template()?;
        self.check_plot()?;
        let session = globals.session().await?;
        let options = self.options(input, expected, &session.settings.temporal.task_queue);
        let recorder = Arc::new(Recorder::default());
        let stop = async {
            // Without a handler for signals the load ends when it ends.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let load = load::run(session.workflows(), options.clone(), recorder.clone(), stop);
        let report = shown_while(&recorder, options.volume, Box::pin(load)).await;
        self.conclude(globals, &report)
    }

    /// Refuses a place that cannot be written to before the load, and not after it.
    fn check_plot(&self) -> Result<(), CliError> {
        let Some(path) = &self.plot else {
            return Ok(());
        };
        let opened = OpenOptions::new().create(true).append(true).open(path);
        opened.map(drop).map_err(|error| not_drawn(path, &error))
    }

    /// Prints and draws `report`.
    fn conclude(&self, globals: &Globals, report: &LoadReport) -> Result<(), CliError> {
        match globals.output {
            output::Format::Json => output::one(globals.output, &Summary { report })?,
            output::Format::Table => output::print(&text(report))?,
        }
        if let Some(path) = &self.plot {
            fs::write(path, plot(report)).map_err(|error| not_drawn(path, &error))?;
        }
        match report.shortcoming() {
            None => Ok(()),
            Some(shortcoming) => Err(CliError::new(NOT_DONE, shortcoming)),
        }
    }

    fn options(
        &self,
        input: InputTemplate,
        expected: Expected,
        default_queue: &str,
    ) -> LoadOptions {
        let in_flight = if self.rate.is_some() { 10_000 } else { 50 };
        LoadOptions {
            workflow_type: self.workflow_type.clone(),
            task_queue: self
                .task_queue
                .as_deref()
                .unwrap_or(default_queue)
                .to_owned(),
            input,
            expected,
            volume: match (self.count, self.duration) {
                (Some(count), _) => Volume::Count(count),
                (None, duration) => Volume::Duration(duration.unwrap_or_default()),
            },
            pace: match self.rate {
                Some(per_second) => Pace::Open { per_second },
                None => Pace::Closed,
            },
            concurrency: self
                .concurrency
                .or_else(|| NonZeroUsize::new(in_flight))
                .unwrap_or(NonZeroUsize::MIN),
            warm_up: self.warm_up,
            timeout: self.timeout,
        }
    }

    /// Returns what each workflow is given, and what has to come of it.
    fn template(&self) -> Result<(InputTemplate, Expected), CliError> {
        let (input, expected) = self.documents()?;
        if self.payload_size > 0 && !input.iter().any(has_padding) {
            return Err(CliError::usage(format!(
                "--payload-size is {}, but no text of the input has {PADDING}, which stands for it",
                self.payload_size
            )));
        }
        let padded = |it| padded(it, self.payload_size);
        let input = InputTemplate::new(input.into_iter().map(padded).collect())
            .map_err(|error| CliError::usage(error.to_string()))?;
        let expected = Expected::new(padded(expected))
            .map_err(|error| CliError::usage(format!("--expect: {error}")))?;
        Ok((input, expected))
    }

    fn documents(&self) -> Result<(Vec<Value>, Value), CliError> {
        let given = input::arguments("--input-template", &self.input_template)?;
        let given: Vec<Value> = given.iter().map(payload::to_json).collect();
        let (default_input, default_result) = known(&self.workflow_type, given.first());
        let input = match (given.is_empty(), default_input) {
            (true, Some(input)) => vec![input],
            (_, _) => given,
        };
        let expected = match &self.expect {
            Some(json) => Some(payload::to_json(&input::argument("--expect", json)?)),
            None => default_result,
        };
        let expected = expected.ok_or_else(|| {
            CliError::usage(format!(
                "--expect is not set, and what {} returns is not known here; expected JSON such as '{{\"status\": \"done\"}}'",
                self.workflow_type
            ))
        })?;
        Ok((input, expected))
    }
}

fn not_drawn(path: &Path, error: &io::Error) -> CliError {
    let path = path.display();
    CliError::usage(format!(
        "--plot is {path}: {error}, expected a file that can be written"
    ))
}

/// Returns the input and the result of the workflows of this repository.
fn known(workflow_type: &str, given: Option<&Value>) -> (Option<Value>, Option<Value>) {
    match workflow_type {
        "GreetingWorkflow" => {
            let input = given
                .cloned()
                .unwrap_or_else(|| json!(format!("{{{{id}}}}{PADDING}")));
            let result = input
                .as_str()
                .map(|name| json!(format!("Final result: Processed: Hello, {name}!")));
            (Some(input), result)
        }
        "OrderWorkflow" => (Some(order()), Some(json!({"status": "shipped"}))),
        _ => (None, None),
    }
}

/// An order that the gateway ships.
fn order() -> Value {
    json!({
        "id": "{{id}}",
        "customer": format!("ada{PADDING}"),
        "items": [{"sku": "tea-assam", "quantity": 2}],
        "amount": 1250,
        "currency": "EUR",
        "card_token": "tok_visa",
        "address": {
            "name": "Ada Lovelace",
            "street": "12 St James's Square",
            "postal_code": "SW1Y 4JH",
            "city": "London",
            "country": "GB",
        },
    })
}

/// Puts `size` bytes wherever a string of `value` has `{{padding}}`.
fn padded(value: Value, size: usize) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(PADDING, &".".repeat(size))),
        Value::Array(values) => values.into_iter().map(|it| padded(it, size)).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Value::Object(fields.map(|(key, it)| (key, padded(it, size))).collect())
        }
        other => other,
    }
}

fn has_padding(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(PADDING),
        Value::Array(values) => values.iter().any(has_padding),
        Value::Object(fields) => fields.values().any(has_padding),
        _ => false,
    }
}

/// The report for people.
fn text(report: &LoadReport) -> String {
    let latency = |name: &str, it: &load::Latency| {
        format!(
            "{name:<11} p50 {:.1}  p90 {:.1}  p99 {:.1}  p99.9 {:.1}  max {:.1} ms",
            it.p50, it.p90, it.p99, it.p999, it.max
        )
    };
    let counts = format!(
        "workflows   {} due, {} started, {} right, {} wrong, {} unfinished",
        report.due,
        report.started,
        report.completed,
        report.due - report.completed - report.unfinished,
        report.unfinished
    );
    let throughput = format!(
        "throughput  {:.1}/s over {:.1} s",
        report.throughput, report.seconds
    );
    let mut lines = vec![
        counts,
        throughput,
        latency("result", &report.latency),
        latency("started", &report.start_latency),
    ];
    lines.extend(report.errors.iter().map(error_line));
    lines.join("\n")
}

fn error_line(error: &Errors) -> String {
    format!(
        "{:<11} {}, the first: {}",
        error.kind, error.count, error.example
    )
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration.is_zero() => Err("expected more than 0s".to_owned()),
        parsed => parsed.map_err(|error| error.to_string()),
    }
}

fn concurrency(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse() {
        Ok(number) if number <= MOST_IN_FLIGHT => Ok(number),
        _ => Err(format!("expected a number from 1 to {MOST_IN_FLIGHT}")),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.trim_end_matches("/s").parse() {
        Ok(rate) if (0.001..=1_000_000.0).contains(&rate) => Ok(rate),
        _ => Err("expected workflows per second from 0.001 to 1000000, such as 200".to_owned()),
    }
}

fn size(text: &str) -> Result<usize, String> {
    let (number, unit) = match text.find(|it: char| !it.is_ascii_digit()) {
        Some(end) => text.split_at(end),
        None => (text, ""),
    };
    let unit = match unit {
        "" | "B" => Some(1),
        "KiB" => Some(1024),
        "MiB" => Some(1024 * 1024),
        _ => None,
    };
    let bytes = number.parse::<usize>().ok().zip(unit);
    bytes
        .and_then(|(number, unit)| number.checked_mul(unit))
        .filter(|bytes| *bytes <= 1024 * 1024)
        .ok_or_else(|| "expected a size up to 1MiB, such as 512B or 16KiB".to_owned())
}

#[cfg(test)]
mod tests;
