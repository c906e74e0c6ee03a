//! Where the events of a trigger go: log, metrics, readiness and standard output.

use sealane_service::{
    exit,
    probes::{Health, Metrics},
};
use serde_json::{Value, json};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use crate::{
    cli::{
        CliError,
        output::{self, Format},
    },
    payload,
    trigger::{Event, TriggerMetrics},
};

/// The condition of `/readyz` that says whether the last start succeeded.
pub(super) const CONDITION: &str = "last_start";

/// Tells everybody who wants to know.
pub(super) struct Report {
    format: Format,
    metrics: TriggerMetrics,
    health: Health,
}

impl Report {
    pub(super) fn new(format: Format, metrics: &Metrics, health: Health) -> Result<Self, CliError> {
        let metrics = TriggerMetrics::register(metrics.registry())
            .map_err(|error| CliError::new(exit::INTERNAL, error.to_string()))?;
        // None is due yet.
        health.set(CONDITION, Ok(()));
        Ok(Self {
            format,
            metrics,
            health,
        })
    }

    pub(super) fn tell(&mut self, event: &Event) {
        self.metrics.observe(event);
        log(event);
        match event {
            Event::Started { .. } => self.health.set(CONDITION, Ok(())),
            Event::StartFailed { kind, reason, .. } => {
                self.health.set(CONDITION, Err(format!("{kind}: {reason}")));
            }
            Event::Finished {
                workflow_id,
                outcome,
            } => self.print(&line(self.format, workflow_id, outcome)),
        }
    }

    fn print(&self, line: &str) {
        if let Err(error) = output::print(line) {
            tracing::warn!(error = %error, "a result was not printed");
        }
    }
}

fn log(event: &Event) {
    match event {
        Event::Started {
            counter,
            workflow_type,
            workflow_id,
            run_id,
        } => tracing::info!(
            workflow.id = workflow_id,
            workflow.r#type = workflow_type,
            workflow.run_id = run_id,
            trigger.counter = counter,
            "workflow started",
        ),
        Event::StartFailed {
            counter,
            workflow_id,
            kind,
            reason,
            retry_in,
        } => tracing::warn!(
            workflow.id = workflow_id,
            trigger.counter = counter,
            error.kind = kind.as_str(),
            error.reason = reason,
            retry_in_seconds = retry_in.as_secs_f64(),
            "workflow not started, trying again",
        ),
        // Results and failure texts belong to the caller, not into a log.
        Event::Finished { workflow_id, .. } => {
            tracing::debug!(workflow.id = workflow_id, "workflow ended");
        }
    }
}

/// One line per workflow, whatever its result holds.
fn line(format: Format, workflow_id: &str, outcome: &Result<Vec<Payload>, String>) -> String {
    match (format, outcome) {
        (Format::Table, Ok(payloads)) => format!("{workflow_id}  {}", result(payloads)),
        (Format::Table, Err(reason)) => {
            let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("{workflow_id}  failed: {reason}")
        }
        (Format::Json, Ok(payloads)) => {
            json!({ "workflowId": workflow_id, "result": result(payloads) }).to_string()
        }
        (Format::Json, Err(reason)) => {
            json!({ "workflowId": workflow_id, "failure": reason }).to_string()
        }
    }
}

fn result(payloads: &[Payload]) -> Value {
    match payloads {
        [] => Value::Null,
        [only] => payload::to_json(only),
        several => several.iter().map(payload::to_json).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Format, line};
    use crate::payload;

    #[test]
    fn a_result_is_one_line_in_both_formats() {
        let outcome = Ok(vec![payload::from_json(&json!({"text": "two\nlines"}))]);

        assert_eq!(
            line(Format::Table, "T-1", &outcome),
            r#"T-1  {"text":"two\nlines"}"#
        );
        assert_eq!(
            line(Format::Json, "T-1", &outcome),
            r#"{"result":{"text":"two\nlines"},"workflowId":"T-1"}"#
        );
    }

    #[test]
    fn a_failure_is_one_line_too() {
        let outcome = Err("workflow failed:\n  no stock".to_owned());

        assert_eq!(
            line(Format::Table, "T-1", &outcome),
            "T-1  failed: workflow failed: no stock"
        );
    }
}
