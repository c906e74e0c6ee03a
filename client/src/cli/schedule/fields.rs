//! The flags that `create` and `update` have in common.

use std::{
    num::NonZeroU16,
    time::{Duration, SystemTime},
};

use clap::{Args, builder::NonEmptyStringValueParser};

use super::{calendar::Calendar, overlap::Overlap};
use crate::{
    cli::{
        CliError,
        input::{self, INPUT_HELP},
    },
    schedule::{Interval, ScheduleFields, Times},
};

/// What the server raises shorter windows to, without a word.
const SHORTEST_CATCHUP: Duration = Duration::from_secs(10);

/// Everything that can be said about a schedule.
#[derive(Debug, Args)]
pub(super) struct FieldArgs {
    #[command(flatten, next_help_heading = "When")]
    times: TimeArgs,
    #[command(flatten, next_help_heading = "What")]
    workflow: WorkflowArgs,
    #[command(flatten, next_help_heading = "How")]
    policy: PolicyArgs,
}

#[derive(Debug, Args)]
struct TimeArgs {
    /// Cron expression of 5 to 7 fields, `@daily` or the like. Repeatable
    #[arg(long)]
    cron: Vec<String>,
    /// Fixed distance, as in 10m, or 1h/15m with an offset. Repeatable
    #[arg(long)]
    interval: Vec<Interval>,
    /// Cron fields as JSON, as in '{"hour": "9", "dayOfWeek": "MON-FRI"}'. Repeatable
    #[arg(long, value_name = "JSON")]
    calendar: Vec<Calendar>,
    /// IANA name of the zone for --cron and --calendar; UTC if never given
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    time_zone: Option<String>,
    /// No action before this time, as in 2026-12-01T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    start_at: Option<SystemTime>,
    /// No action after this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    end_at: Option<SystemTime>,
    /// Delay each action by a random time up to this
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    jitter: Option<Duration>,
}

#[derive(Debug, Args)]
struct WorkflowArgs {
    /// Type of the workflows to start
    #[arg(long = "type", value_name = "TYPE", value_parser = NonEmptyStringValueParser::new())]
    workflow_type: Option<String>,
    /// Task queue of the workflows; `TEMPORAL_TASK_QUEUE` if never given
    #[arg(long, short, value_parser = NonEmptyStringValueParser::new())]
    task_queue: Option<String>,
    /// Beginning of their ids, the time follows; the schedule id if never given
    #[arg(long, short, value_parser = NonEmptyStringValueParser::new())]
    workflow_id: Option<String>,
    #[arg(long, short, value_name = "JSON", help = INPUT_HELP)]
    input: Vec<String>,
    /// Memo entry of the workflows, encrypted. Repeatable; replaces the whole memo
    #[arg(long, value_name = "NAME=JSON")]
    memo: Vec<String>,
    /// How long a workflow may take in all
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    execution_timeout: Option<Duration>,
    /// How long one run of it may take
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    run_timeout: Option<Duration>,
    /// How long one workflow task may take
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    task_timeout: Option<Duration>,
    /// Run a failing workflow up to this often; once if never given
    #[arg(long, value_name = "COUNT")]
    max_attempts: Option<NonZeroU16>,
}

#[derive(Debug, Args)]
struct PolicyArgs {
    /// What to do while an earlier workflow still runs; skip if never given
    #[arg(long, value_name = "POLICY")]
    overlap_policy: Option<Overlap>,
    /// How late an action may be taken after an outage, at least 10s; a year if never given
    #[arg(long, value_name = "DURATION", value_parser = catchup)]
    catchup_window: Option<Duration>,
    /// Pause once a workflow fails or times out
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pause_on_failure: Option<bool>,
    /// Free text for humans, in plaintext
    #[arg(long)]
    note: Option<String>,
    /// Take this many more actions, then none
    #[arg(long, value_name = "COUNT")]
    remaining_actions: Option<u32>,
}

impl FieldArgs {
    /// Reads the JSON among the flags.
    ///
    /// # Errors
    ///
    /// A usage error that names the flag and the place.
    pub(super) fn into_fields(self) -> Result<ScheduleFields, CliError> {
        let Self {
            times,
            workflow,
            policy,
        } = self;
        Ok(ScheduleFields {
            time_zone: times.time_zone.clone(),
            start_at: times.start_at,
            end_at: times.end_at,
            jitter: times.jitter,
            times: times.into_times(),
            input: given(&workflow.input)
                .map(|values| input::arguments("--input", values))
                .transpose()?,
            memo: given(&workflow.memo)
                .map(|values| input::named("--memo", values))
                .transpose()?,
            workflow_type: workflow.workflow_type,
            task_queue: workflow.task_queue,
            workflow_id: workflow.workflow_id,
            execution_timeout: workflow.execution_timeout,
            run_timeout: workflow.run_timeout,
            task_timeout: workflow.task_timeout,
            max_attempts: workflow.max_attempts,
            overlap: policy.overlap_policy.map(Into::into),
            catchup_window: policy.catchup_window,
            pause_on_failure: policy.pause_on_failure,
            note: policy.note,
            remaining_actions: policy.remaining_actions,
        })
    }
}

impl TimeArgs {
    fn into_times(self) -> Option<Times> {
        let times = Times {
            crons: self.cron,
            intervals: self.interval,
            calendars: self.calendar.into_iter().map(Into::into).collect(),
        };
        (times != Times::default()).then_some(times)
    }
}

/// A flag that is not given leaves the stored value alone.
fn given(values: &[String]) -> Option<&[String]> {
    (!values.is_empty()).then_some(values)
}

fn time(text: &str) -> Result<SystemTime, &'static str> {
    humantime::parse_rfc3339_weak(text)
        .map_err(|_| "expected a time in UTC such as 2026-12-01T08:00:00Z")
}

fn catchup(text: &str) -> Result<Duration, String> {
    let window = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if window < SHORTEST_CATCHUP {
        return Err("expected 10s or more".to_owned());
    }
    Ok(window)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::{FieldArgs, ScheduleFields};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        fields: FieldArgs,
    }

    fn fields(flags: &[&str]) -> ScheduleFields {
        let line = Line::try_parse_from([&["line"], flags].concat());
        line.unwrap().fields.into_fields().unwrap()
    }

    fn refused(flags: &[&str]) -> String {
        let line = Line::try_parse_from([&["line"], flags].concat());
        line.err().unwrap().to_string()
    }

    #[test]
    fn without_flags_nothing_is_asked_for() {
        assert_eq!(fields(&[]), ScheduleFields::default());
    }

    #[test]
    fn pausing_on_failure_can_be_turned_on_and_off() {
        assert_eq!(fields(&["--pause-on-failure"]).pause_on_failure, Some(true));
        let off = fields(&["--pause-on-failure=false"]);
        assert_eq!(off.pause_on_failure, Some(false));
    }

    #[test]
    fn times_of_all_kinds_add_up() {
        let flags = [
            "--cron",
            "@daily",
            "--interval",
            "1h/5m",
            "--calendar",
            r#"{"hour":9}"#,
        ];

        let times = fields(&flags).times.unwrap();

        assert_eq!(
            (
                times.crons.len(),
                times.intervals.len(),
                times.calendars.len()
            ),
            (1, 1, 1)
        );
    }

    #[test]
    fn values_out_of_their_domain_are_named_with_what_was_expected() {
        for (flags, expected) in [
            (["--catchup-window", "1s"], "10s or more"),
            (["--start-at", "tomorrow"], "2026-12-01T08:00:00Z"),
            (["--interval", "0s"], "10m"),
            (["--calendar", r#"{"weekday":1}"#], "dayOfWeek"),
            (["--overlap-policy", "both"], "buffer-one"),
        ] {
            let error = refused(&flags);
            assert!(
                error.contains(flags[0]) && error.contains(expected),
                "{error}"
            );
        }
    }
}
