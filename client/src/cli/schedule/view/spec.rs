//! When a schedule acts, written as the flags take it.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use temporalio_common::protos::temporal::api::schedule::v1::{IntervalSpec, ScheduleSpec};

use super::super::calendar::Calendar;

/// When a schedule acts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpecView {
    intervals: Vec<String>,
    calendars: Vec<Calendar>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    excluded_calendars: Vec<Calendar>,
    time_zone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jitter: Option<String>,
}

impl From<ScheduleSpec> for SpecView {
    fn from(spec: ScheduleSpec) -> Self {
        let zone = spec.timezone_name;
        Self {
            intervals: spec.interval.iter().map(interval).collect(),
            calendars: spec.structured_calendar.iter().map(Into::into).collect(),
            excluded_calendars: spec
                .exclude_structured_calendar
                .iter()
                .map(Into::into)
                .collect(),
            time_zone: if zone.is_empty() {
                "UTC".to_owned()
            } else {
                zone
            },
            start_at: spec.start_time.as_ref().and_then(rfc3339),
            end_at: spec.end_time.as_ref().and_then(rfc3339),
            jitter: spec.jitter.as_ref().and_then(duration),
        }
    }
}

fn interval(spec: &IntervalSpec) -> String {
    let every = spec
        .interval
        .as_ref()
        .and_then(duration)
        .unwrap_or_default();
    match spec
        .phase
        .as_ref()
        .filter(|it| it.seconds > 0)
        .and_then(duration)
    {
        Some(offset) => format!("{every}/{offset}"),
        None => every,
    }
}

/// A protobuf time as people write it.
pub(super) fn rfc3339<T: Clone + TryInto<SystemTime>>(time: &T) -> Option<String> {
    let time = time.clone().try_into().ok()?;
    Some(humantime::format_rfc3339_seconds(time).to_string())
}

/// A protobuf duration as the flags take it.
pub(super) fn duration<T: Clone + TryInto<Duration>>(duration: &T) -> Option<String> {
    let duration = duration.clone().try_into().ok()?;
    Some(humantime::format_duration(duration).to_string())
}

#[cfg(test)]
mod tests {
    use super::{IntervalSpec, interval};

    #[test]
    fn an_interval_is_shown_as_it_can_be_given() {
        let given: crate::schedule::Interval = "1h/15m".parse().unwrap();
        let spec = IntervalSpec {
            interval: given.every.try_into().ok(),
            phase: given.offset.try_into().ok(),
        };

        assert_eq!(interval(&spec), "1h/15m");
    }
}
