//! Calendar times as JSON, the form in which `--calendar` takes and `describe` shows them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use temporalio_common::protos::temporal::api::schedule::v1::{
    CalendarSpec, Range, StructuredCalendarSpec,
};

/// Cron fields by name. An absent field is the server's default: second, minute and hour 0,
/// everything else any.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Calendar {
    #[serde(skip_serializing_if = "Field::is_empty")]
    second: Field,
    #[serde(skip_serializing_if = "Field::is_empty")]
    minute: Field,
    #[serde(skip_serializing_if = "Field::is_empty")]
    hour: Field,
    #[serde(skip_serializing_if = "Field::is_empty")]
    day_of_month: Field,
    #[serde(skip_serializing_if = "Field::is_empty")]
    month: Field,
    #[serde(skip_serializing_if = "Field::is_empty")]
    year: Field,
    #[serde(skip_serializing_if = "Field::is_empty")]
    day_of_week: Field,
    #[serde(skip_serializing_if = "String::is_empty")]
    comment: String,
}

/// One cron field; a bare number is welcome too.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "Written", into = "String")]
struct Field(String);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u32),
    Text(String),
}

impl From<Written> for Field {
    fn from(written: Written) -> Self {
        match written {
            Written::Number(number) => Self(number.to_string()),
            Written::Text(text) => Self(text),
        }
    }
}

impl From<Field> for String {
    fn from(field: Field) -> Self {
        field.0
    }
}

impl Field {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes compiled ranges the way cron does; nothing at all if they are the default.
    fn new(ranges: &[Range], default: &str) -> Self {
        let parts: Vec<_> = ranges.iter().map(range).collect();
        let text = parts.join(",");
        Self(if text == default { String::new() } else { text })
    }
}

fn range(range: &Range) -> String {
    let Range { start, end, step } = *range;
    let span = if end <= start {
        start.to_string()
    } else {
        format!("{start}-{end}")
    };
    if step > 1 {
        format!("{span}/{step}")
    } else {
        span
    }
}

impl FromStr for Calendar {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}

impl From<Calendar> for CalendarSpec {
    fn from(calendar: Calendar) -> Self {
        Self {
            second: calendar.second.0,
            minute: calendar.minute.0,
            hour: calendar.hour.0,
            day_of_month: calendar.day_of_month.0,
            month: calendar.month.0,
            year: calendar.year.0,
            day_of_week: calendar.day_of_week.0,
            comment: calendar.comment,
        }
    }
}

impl From<&StructuredCalendarSpec> for Calendar {
    fn from(spec: &StructuredCalendarSpec) -> Self {
        Self {
            second: Field::new(&spec.second, "0"),
            minute: Field::new(&spec.minute, "0"),
            hour: Field::new(&spec.hour, "0"),
            day_of_month: Field::new(&spec.day_of_month, "1-31"),
            month: Field::new(&spec.month, "1-12"),
            year: Field::new(&spec.year, ""),
            day_of_week: Field::new(&spec.day_of_week, "0-6"),
            comment: spec.comment.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::schedule::v1::{
        CalendarSpec, Range, StructuredCalendarSpec,
    };

    use super::Calendar;

    fn from_to(start: i32, end: i32) -> Vec<Range> {
        vec![Range {
            start,
            end,
            step: 1,
        }]
    }

    #[test]
    fn fields_are_given_as_text_or_number() {
        let calendar: Calendar = r#"{"hour": 17, "dayOfWeek": "MON-FRI"}"#.parse().unwrap();

        let spec = CalendarSpec::from(calendar);
        assert_eq!(
            (spec.hour.as_str(), spec.day_of_week.as_str()),
            ("17", "MON-FRI")
        );
        assert_eq!(spec.minute, "");
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let error = r#"{"weekday": "MON"}"#.parse::<Calendar>().unwrap_err().to_string();

        assert!(
            error.contains("weekday") && error.contains("dayOfWeek"),
            "{error}"
        );
    }

    #[test]
    fn what_the_server_compiled_is_shown_without_its_defaults() {
        let compiled = StructuredCalendarSpec {
            second: from_to(0, 0),
            minute: vec![Range {
                start: 0,
                end: 59,
                step: 15,
            }],
            hour: from_to(9, 0),
            day_of_month: from_to(1, 31),
            month: from_to(1, 12),
            day_of_week: from_to(1, 5),
            ..StructuredCalendarSpec::default()
        };

        let shown = serde_json::to_string(&Calendar::from(&compiled)).unwrap();

        assert_eq!(
            shown,
            r#"{"minute":"0-59/15","hour":"9","dayOfWeek":"1-5"}"#
        );
    }
}
