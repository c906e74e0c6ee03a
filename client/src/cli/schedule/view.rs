//! What the schedule commands print.

mod spec;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use temporalio_common::protos::temporal::api::{
    common::v1::WorkflowExecution, enums::v1::WorkflowExecutionStatus,
    schedule::v1::ScheduleActionResult,
};

use self::spec::{SpecView, duration, rfc3339};
use super::overlap;
use crate::{
    payload,
    schedule::{Decoded, ScheduleDescription, ScheduleSummary},
};

/// That something was done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Confirmation {
    schedule_id: String,
    done: &'static str,
}

impl Confirmation {
    pub(super) fn new(schedule_id: String, done: &'static str) -> Self {
        Self { schedule_id, done }
    }
}

/// A row of a listing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SummaryView {
    schedule_id: String,
    #[serde(rename = "type")]
    workflow_type: String,
    paused: bool,
    next_action: Option<String>,
    last_workflow_id: Option<String>,
    note: String,
    memo: BTreeMap<String, Value>,
}

impl From<ScheduleSummary> for SummaryView {
    fn from(summary: ScheduleSummary) -> Self {
        let info = summary.info;
        let last = info.recent_actions.into_iter().next_back();
        Self {
            schedule_id: summary.id,
            workflow_type: info.workflow_type.unwrap_or_default().name,
            paused: info.paused,
            next_action: info.future_action_times.first().and_then(rfc3339),
            last_workflow_id: last.and_then(|it| Some(it.start_workflow_result?.workflow_id)),
            note: info.notes,
            memo: values(summary.memo),
        }
    }
}

/// A schedule in full.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescriptionView {
    schedule_id: String,
    paused: bool,
    note: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining_actions: Option<i64>,
    #[serde(flatten)]
    spec: SpecView,
    #[serde(flatten)]
    workflow: WorkflowView,
    overlap_policy: &'static str,
    catchup_window: Option<String>,
    pause_on_failure: bool,
    schedule_memo: BTreeMap<String, Value>,
    next_actions: Vec<String>,
    recent_actions: Vec<ActionView>,
    running_workflows: Vec<ExecutionView>,
    action_count: i64,
    missed_catchup_window: i64,
    overlap_skipped: i64,
    create_time: Option<String>,
    update_time: Option<String>,
}

impl From<ScheduleDescription> for DescriptionView {
    fn from(mut description: ScheduleDescription) -> Self {
        let schedule_memo = values(std::mem::take(&mut description.schedule_memo));
        let workflow = WorkflowView::take(&mut description);
        let info = description.info;
        let policies = description.schedule.policies.unwrap_or_default();
        let state = description.schedule.state.unwrap_or_default();
        Self {
            schedule_id: description.id,
            paused: state.paused,
            note: state.notes,
            remaining_actions: state.limited_actions.then_some(state.remaining_actions),
            spec: description.schedule.spec.unwrap_or_default().into(),
            workflow,
            overlap_policy: overlap::name(policies.overlap_policy()),
            catchup_window: policies.catchup_window.as_ref().and_then(duration),
            pause_on_failure: policies.pause_on_failure,
            schedule_memo,
            next_actions: info
                .future_action_times
                .iter()
                .filter_map(rfc3339)
                .collect(),
            recent_actions: info.recent_actions.into_iter().map(Into::into).collect(),
            running_workflows: info.running_workflows.into_iter().map(Into::into).collect(),
            action_count: info.action_count,
            missed_catchup_window: info.missed_catchup_window,
            overlap_skipped: info.overlap_skipped,
            create_time: info.create_time.as_ref().and_then(rfc3339),
            update_time: info.update_time.as_ref().and_then(rfc3339),
        }
    }
}

/// What a schedule starts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WorkflowView {
    #[serde(rename = "type")]
    workflow_type: String,
    workflow_id: String,
    task_queue: String,
    input: Vec<Value>,
    memo: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_attempts: Option<i32>,
}

impl WorkflowView {
    fn take(description: &mut ScheduleDescription) -> Self {
        let workflow = description.workflow().cloned().unwrap_or_default();
        let input = std::mem::take(&mut description.input);
        Self {
            workflow_type: workflow.workflow_type.unwrap_or_default().name,
            workflow_id: workflow.workflow_id,
            task_queue: workflow.task_queue.unwrap_or_default().name,
            input: input.into_iter().map(value).collect(),
            memo: values(std::mem::take(&mut description.memo)),
            execution_timeout: workflow
                .workflow_execution_timeout
                .as_ref()
                .and_then(duration),
            run_timeout: workflow.workflow_run_timeout.as_ref().and_then(duration),
            task_timeout: workflow.workflow_task_timeout.as_ref().and_then(duration),
            max_attempts: workflow.retry_policy.map(|it| it.maximum_attempts),
        }
    }
}

/// A workflow that a schedule has started.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ActionView {
    due: Option<String>,
    taken: Option<String>,
    #[serde(flatten)]
    workflow: ExecutionView,
    status: String,
}

impl From<ScheduleActionResult> for ActionView {
    fn from(result: ScheduleActionResult) -> Self {
        Self {
            due: result.schedule_time.as_ref().and_then(rfc3339),
            taken: result.actual_time.as_ref().and_then(rfc3339),
            status: status(result.start_workflow_status()),
            workflow: result.start_workflow_result.unwrap_or_default().into(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecutionView {
    workflow_id: String,
    run_id: String,
}

impl From<WorkflowExecution> for ExecutionView {
    fn from(execution: WorkflowExecution) -> Self {
        Self {
            workflow_id: execution.workflow_id,
            run_id: execution.run_id,
        }
    }
}

fn values(memo: BTreeMap<String, Decoded>) -> BTreeMap<String, Value> {
    memo.into_iter()
        .map(|(name, it)| (name, value(it)))
        .collect()
}

/// A payload that does not decrypt shows why in its place.
fn value(decoded: Decoded) -> Value {
    match decoded {
        Ok(payload) => payload::to_json(&payload),
        Err(error) => json!({ "unreadable": error.to_string() }),
    }
}

fn status(status: WorkflowExecutionStatus) -> String {
    let name = status.as_str_name();
    name.trim_start_matches("WORKFLOW_EXECUTION_STATUS_")
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use temporalio_common::protos::temporal::api::schedule::v1::{
        Schedule, ScheduleInfo, ScheduleState,
    };

    use super::{DescriptionView, ScheduleDescription};
    use crate::{decode::Unreadable, payload};

    #[test]
    fn a_payload_that_does_not_decrypt_shows_why_and_hides_nothing_else() {
        let state = ScheduleState {
            notes: "nightly run".to_owned(),
            ..ScheduleState::default()
        };
        let description = ScheduleDescription {
            id: "s".to_owned(),
            schedule: Schedule {
                state: Some(state),
                ..Schedule::default()
            },
            info: ScheduleInfo::default(),
            input: vec![
                Ok(payload::from_json(&json!("Ada"))),
                Err(Unreadable::NoCodec),
            ],
            memo: BTreeMap::new(),
            schedule_memo: BTreeMap::new(),
        };

        let shown = serde_json::to_value(DescriptionView::from(description)).unwrap();

        assert_eq!(shown["note"], "nightly run");
        assert_eq!(shown["input"][0], "Ada");
        assert_eq!(
            shown["input"][1]["unreadable"],
            Unreadable::NoCodec.to_string()
        );
    }
}
