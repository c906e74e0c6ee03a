//! Failures as people read them: message, type and causes, put back from where encryption moved them.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use sealane_codec::{is_encrypted, is_legacy, is_stored};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use temporalio_common::protos::temporal::api::{
    common::v1::Payload,
    enums::v1::TimeoutType,
    failure::v1::{Failure, failure::FailureInfo},
};
use utoipa::ToSchema;

use crate::{decode::Unreadable, payload};

/// A decoded failure with its causes. Displays as one line, causes after colons.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The text of the failure.
    pub message: String,
    /// What kind of failure it is: the type of an application failure, the name of the activity or
    /// child workflow that failed, the timeout that passed.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether Temporal was told not to retry.
    pub non_retryable: bool,
    /// Where in the code it arose, if the SDK says so.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stack_trace: String,
    /// Values that the application attached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Value>,
    /// What led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    pub cause: Option<Box<Report>>,
}

impl Report {
    /// Reads a failure whose payloads are decoded already.
    pub fn of(failure: &Failure) -> Self {
        let hidden = failure
            .encoded_attributes
            .as_ref()
            .and_then(Attributes::from_payload);
        let (message, stack_trace) = match hidden {
            Some(hidden) => (hidden.message, hidden.stack_trace),
            None => (failure.message.clone(), failure.stack_trace.clone()),
        };
        let info = failure.failure_info.as_ref();
        Self {
            message,
            stack_trace,
            kind: info.and_then(kind).filter(|kind| !kind.is_empty()),
            non_retryable: matches!(info, Some(FailureInfo::ApplicationFailureInfo(it)) if it.non_retryable),
            details: info.map(details).unwrap_or_default(),
            cause: failure
                .cause
                .as_ref()
                .map(|cause| Box::new(Self::of(cause))),
        }
    }
}

impl Report {
    /// Drops the stack traces, its own and those of the causes.
    pub fn without_stack_traces(mut self) -> Self {
        self.stack_trace.clear();
        self.cause = self
            .cause
            .map(|cause| Box::new(cause.without_stack_traces()));
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(kind) = &self.kind {
            write!(f, " ({kind})")?;
        }
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

fn kind(info: &FailureInfo) -> Option<String> {
    match info {
        FailureInfo::ApplicationFailureInfo(it) => Some(it.r#type.clone()),
        FailureInfo::ActivityFailureInfo(it) => it.activity_type.as_ref().map(|it| it.name.clone()),
        FailureInfo::ChildWorkflowExecutionFailureInfo(it) => {
            it.workflow_type.as_ref().map(|it| it.name.clone())
        }
        FailureInfo::TimeoutFailureInfo(it) => Some(timeout(it.timeout_type())),
        _ => None,
    }
}

fn timeout(kind: TimeoutType) -> String {
    let name = kind.as_str_name().trim_start_matches("TIMEOUT_TYPE_");
    name.to_lowercase().replace('_', "-")
}

fn details(info: &FailureInfo) -> Vec<Value> {
    let details = match info {
        FailureInfo::ApplicationFailureInfo(it) => it.details.as_ref(),
        FailureInfo::CanceledFailureInfo(it) => it.details.as_ref(),
        FailureInfo::TimeoutFailureInfo(it) => it.last_heartbeat_details.as_ref(),
        _ => None,
    };
    let payloads = details.map(|it| it.payloads.as_slice()).unwrap_or_default();
    payloads.iter().map(payload::to_json).collect()
}

/// What encryption moves out of a failure, under the names all Temporal SDKs use.
#[derive(Deserialize)]
struct Attributes {
    message: String,
    #[serde(default)]
    stack_trace: String,
}

impl Attributes {
    fn from_payload(payload: &Payload) -> Option<Self> {
        serde_json::from_slice(&payload.data).ok()
    }
}

/// Puts `reason` in place of every text of `failure` and its causes that is still encrypted.
pub(crate) fn explain(failure: &mut Failure, reason: &Unreadable) {
    let mut level = Some(failure);
    while let Some(failure) = level {
        let hidden = failure.encoded_attributes.as_ref();
        if hidden.is_some_and(|it| is_encrypted(it) || is_legacy(it) || is_stored(it)) {
            // A worker that lacks a key says almost the same: this is about the reader's keys.
            failure.message = format!("its text cannot be read here: {reason}");
        }
        level = failure.cause.as_deref_mut();
    }
}

/// Puts message and stack trace back into every failure in `document`, a history or a part of one in
/// the JSON of the SDK, its payloads decoded.
///
/// Works on JSON because failures sit in more than a dozen kinds of history event, and new kinds
/// appear with new servers. A failure whose attributes are still encrypted is left as it is.
pub(crate) fn restore(document: &mut Value) {
    match document {
        Value::Array(items) => items.iter_mut().for_each(restore),
        Value::Object(fields) => {
            if let Some(hidden) = fields.get("encodedAttributes").and_then(attributes_in_json) {
                fields.remove("encodedAttributes");
                fields.insert("message".to_owned(), json!(hidden.message));
                fields.insert("stackTrace".to_owned(), json!(hidden.stack_trace));
            }
            fields.values_mut().for_each(restore);
        }
        _ => {}
    }
}

fn attributes_in_json(payload: &Value) -> Option<Attributes> {
    let data = BASE64_STANDARD
        .decode(payload.get("data")?.as_str()?)
        .ok()?;
    serde_json::from_slice(&data).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use temporalio_common::protos::temporal::api::{
        common::v1::{ActivityType, Payloads},
        failure::v1::{ActivityFailureInfo, ApplicationFailureInfo, TimeoutFailureInfo},
    };

    use super::*;

    fn declined() -> Failure {
        let attributes = json!({"message": "card declined", "stack_trace": "at charge"});
        Failure {
            message: "Encoded failure".to_owned(),
            encoded_attributes: Some(payload::from_json(&attributes)),
            failure_info: Some(FailureInfo::ApplicationFailureInfo(
                ApplicationFailureInfo {
                    r#type: "Declined".to_owned(),
                    non_retryable: true,
                    details: Some(Payloads {
                        payloads: vec![payload::from_json(&json!(42))],
                    }),
                    ..ApplicationFailureInfo::default()
                },
            )),
            ..Failure::default()
        }
    }

    fn activity_failed() -> Failure {
        Failure {
            message: "activity failed".to_owned(),
            cause: Some(Box::new(declined())),
            failure_info: Some(FailureInfo::ActivityFailureInfo(ActivityFailureInfo {
                activity_type: Some(ActivityType {
                    name: "charge".to_owned(),
                }),
                ..ActivityFailureInfo::default()
            })),
            ..Failure::default()
        }
    }

    #[test]
    fn a_report_reads_as_one_line_with_its_causes() {
        let report = Report::of(&activity_failed());

        assert_eq!(
            report.to_string(),
            "activity failed (charge): card declined (Declined)"
        );
    }

    #[test]
    fn encoded_attributes_details_and_the_retry_decision_are_put_back() {
        let report = Report::of(&declined());

        assert_eq!(report.message, "card declined");
        assert_eq!(report.stack_trace, "at charge");
        assert_eq!(report.details, [json!(42)]);
        assert!(report.non_retryable);
    }

    #[test]
    fn a_timeout_is_named_as_in_the_options_that_set_it() {
        let failure = Failure {
            message: "activity timeout".to_owned(),
            failure_info: Some(FailureInfo::TimeoutFailureInfo(TimeoutFailureInfo {
                timeout_type: TimeoutType::StartToClose.into(),
                ..TimeoutFailureInfo::default()
            })),
            ..Failure::default()
        };

        assert_eq!(
            Report::of(&failure).to_string(),
            "activity timeout (start-to-close)"
        );
    }

    #[test]
    fn failures_anywhere_in_a_document_are_restored() {
        let mut document = json!([{ "deep": serde_json::to_value(activity_failed()).unwrap() }]);

        restore(&mut document);

        let cause = &document[0]["deep"]["cause"];
        assert_eq!(cause["message"], "card declined");
        assert_eq!(cause["stackTrace"], "at charge");
        assert_eq!(cause.get("encodedAttributes"), None);
    }

    #[test]
    fn attributes_that_stay_encrypted_are_left_alone() {
        let sealed =
            json!({ "message": "Encoded failure", "encodedAttributes": { "data": "AAAA" } });
        let mut document = sealed.clone();

        restore(&mut document);

        assert_eq!(document, sealed);
    }
}
