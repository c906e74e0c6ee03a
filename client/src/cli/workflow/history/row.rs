//! One event in one line.

use serde::Serialize;
use serde_json::{Value, json};
use temporalio_common::protos::temporal::api::{common::v1::Payload, failure::v1::Failure};

use crate::{failure::Report, payload};

/// What the attributes of an event are called, after the name of the event.
const ATTRIBUTES: &str = "EventAttributes";

/// Attributes that name what an event is about.
const NAMES: &[&str] = &[
    "/workflow_type/name",
    "/activity_type/name",
    "/signal_name",
    "/marker_name",
    "/timer_id",
    "/workflow_execution/workflow_id",
    "/accepted_request/input/name",
];

/// Attributes that hold payloads.
const VALUES: &[&str] = &[
    "/input",
    "/result",
    "/details",
    "/accepted_request/input/args",
    "/outcome/value/Success",
];

/// Attributes that hold failures.
const FAILURES: &[&str] = &[
    "/failure",
    "/continued_failure",
    "/last_failure",
    "/outcome/value/Failure",
];

/// Attributes that hold text.
const TEXTS: &[&str] = &["/reason"];

/// One event in one line of a table.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Row {
    id: String,
    time: String,
    event: String,
    about: String,
}

impl Row {
    /// Reads the events of a history in the JSON of the SDK.
    pub(super) fn all(document: &Value) -> Vec<Self> {
        let events = document.get("events").and_then(Value::as_array);
        events.into_iter().flatten().map(Self::of).collect()
    }

    fn of(event: &Value) -> Self {
        let attributes = event.get("attributes").and_then(Value::as_object);
        let attributes = attributes.and_then(|one| one.iter().next());
        let name = attributes.map(|(name, _)| name.trim_end_matches(ATTRIBUTES));
        Self {
            id: text(event.get("event_id")),
            time: text(event.get("event_time")),
            event: name.unwrap_or_default().to_owned(),
            about: attributes
                .map(|(_, attributes)| about(attributes))
                .unwrap_or_default(),
        }
    }
}

fn about(attributes: &Value) -> String {
    let find = |paths: &'static [&str]| paths.iter().filter_map(|path| attributes.pointer(path));
    let names = find(NAMES).map(|name| text(Some(name)));
    let values = find(VALUES).filter_map(values);
    let failures = find(FAILURES).filter_map(failure);
    let texts = find(TEXTS).map(|it| text(Some(it)));
    let parts: Vec<String> = names.chain(values).chain(failures).chain(texts).collect();
    let parts: Vec<&str> = parts
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}

/// Payloads as JSON, separated by spaces.
fn values(payloads: &Value) -> Option<String> {
    let payloads = payloads.get("payloads")?.as_array()?;
    let values = payloads
        .iter()
        .map(|it| match serde_json::from_value::<Payload>(it.clone()) {
            Ok(payload) => payload::to_json(&payload).to_string(),
            Err(_) => json!(it).to_string(),
        });
    Some(values.collect::<Vec<_>>().join(" "))
}

fn failure(failure: &Value) -> Option<String> {
    let failure: Failure = serde_json::from_value(failure.clone()).ok()?;
    (failure != Failure::default()).then(|| Report::of(&failure).to_string())
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::{
        common::v1::{ActivityType, Payloads},
        history::v1::{
            ActivityTaskScheduledEventAttributes, History, HistoryEvent,
            WorkflowExecutionFailedEventAttributes, history_event::Attributes,
        },
    };

    use super::*;

    fn rows(attributes: Attributes) -> Vec<Row> {
        let event = HistoryEvent {
            event_id: 7,
            attributes: Some(attributes),
            ..HistoryEvent::default()
        };
        Row::all(
            &serde_json::to_value(History {
                events: vec![event],
            })
            .unwrap(),
        )
    }

    #[test]
    fn an_activity_is_one_line_with_its_name_and_input() {
        let attributes = ActivityTaskScheduledEventAttributes {
            activity_type: Some(ActivityType {
                name: "greet".to_owned(),
            }),
            input: Some(Payloads {
                payloads: vec![payload::from_json(&json!("Ada"))],
            }),
            ..ActivityTaskScheduledEventAttributes::default()
        };

        let rows = rows(Attributes::ActivityTaskScheduledEventAttributes(attributes));

        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].id, "7");
        assert_eq!(rows[0].event, "ActivityTaskScheduled");
        assert_eq!(rows[0].about, r#"greet "Ada""#);
    }

    #[test]
    fn a_failure_is_shown_with_its_causes() {
        let cause = Failure {
            message: "no stock".to_owned(),
            ..Failure::default()
        };
        let failure = Failure {
            message: "activity failed".to_owned(),
            cause: Some(Box::new(cause)),
            ..Failure::default()
        };
        let attributes = WorkflowExecutionFailedEventAttributes {
            failure: Some(failure),
            ..WorkflowExecutionFailedEventAttributes::default()
        };

        let rows = rows(Attributes::WorkflowExecutionFailedEventAttributes(
            attributes,
        ));

        assert!(
            rows[0].about.starts_with("activity failed: no stock"),
            "{:?}",
            rows[0]
        );
    }
}
