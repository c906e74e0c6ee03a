//! When a schedule acts.

use std::{str::FromStr, time::Duration};

use temporalio_common::protos::temporal::api::schedule::v1::{
    CalendarSpec, IntervalSpec, ScheduleSpec,
};

/// The times at which a schedule acts: the union of everything listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Times {
    /// Cron expressions of 5 to 7 fields, `@daily` and the like.
    pub crons: Vec<String>,
    /// Fixed distances, counted from the Unix epoch.
    pub intervals: Vec<Interval>,
    /// Cron fields by name.
    pub calendars: Vec<CalendarSpec>,
}

/// A fixed distance between actions, written `10m` or `1h/15m`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Interval {
    /// Distance between two actions, at least a second.
    pub every: Duration,
    /// How far actions lie behind the multiples of `every` since the Unix epoch.
    pub offset: Duration,
}

/// A text that is no interval.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "interval is {value:?}, expected whole seconds as in 10m, or 1h/15m with an offset shorter than the interval"
)]
#[non_exhaustive]
pub struct IntervalError {
    /// The text.
    pub value: String,
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (every, offset) = text.split_once('/').unwrap_or((text, "0s"));
        match (whole_seconds(every), whole_seconds(offset)) {
            (Some(every), Some(offset)) if offset < every => Ok(Self { every, offset }),
            _ => Err(IntervalError {
                value: text.to_owned(),
            }),
        }
    }
}

/// The server drops fractions of a second without a word, so they are refused here.
fn whole_seconds(text: &str) -> Option<Duration> {
    let duration = humantime::parse_duration(text.trim()).ok()?;
    (duration.subsec_nanos() == 0).then_some(duration)
}

impl Times {
    /// Replaces the times in `spec` and nothing else.
    pub(super) fn apply(&self, spec: &mut ScheduleSpec) {
        clear(spec);
        spec.cron_string.clone_from(&self.crons);
        spec.interval = self.intervals.iter().copied().map(to_proto).collect();
        spec.calendar.clone_from(&self.calendars);
        if self.name_a_time_zone() {
            // The server refuses a spec that names its time zone twice.
            spec.timezone_name.clear();
        }
    }

    pub(super) fn name_a_time_zone(&self) -> bool {
        self.crons
            .iter()
            .any(|cron| cron.starts_with("CRON_TZ=") || cron.starts_with("TZ="))
    }
}

/// Removes all times. Exclusions, bounds and jitter stay.
pub(super) fn clear(spec: &mut ScheduleSpec) {
    spec.structured_calendar.clear();
    spec.cron_string.clear();
    spec.interval.clear();
    spec.calendar.clear();
}

fn to_proto(interval: Interval) -> IntervalSpec {
    IntervalSpec {
        interval: interval.every.try_into().ok(),
        phase: interval.offset.try_into().ok(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Interval;

    #[test]
    fn an_interval_may_have_an_offset_shorter_than_itself() {
        let interval: Interval = "1h/15m".parse().unwrap();

        assert_eq!(interval.every, Duration::from_secs(3600));
        assert_eq!(interval.offset, Duration::from_secs(900));
    }

    #[test]
    fn what_the_server_would_bend_is_refused() {
        for text in ["", "0s", "500ms", "1m/1m", "10m/", "ten"] {
            let error = text.parse::<Interval>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
