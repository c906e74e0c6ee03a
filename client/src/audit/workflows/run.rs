//! One run of a workflow, and how it ends.

use temporalio_common::protos::temporal::api::{
    enums::v1::WorkflowExecutionStatus,
    history::v1::{HistoryEvent, history_event::Attributes},
    workflow::v1::WorkflowExecutionInfo,
};

/// Markers of SDKs on Temporal's Rust core begin with this, and only what they call `result` went
/// through a codec: the rest is bookkeeping of the core, in plaintext by design.
const CORE_MARKER: &str = "core_";
const CORE_MARKER_RESULT: &str = "result";

/// One run of a workflow.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) workflow_id: String,
    pub(super) run_id: String,
    /// Whether it had not ended when it was listed.
    pub(super) open: bool,
}

/// How a run stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    Open,
    Closed,
    /// The run of this id took over.
    Continued(String),
}

impl End {
    /// How a run stands after its last event.
    pub(super) fn after(last: &HistoryEvent) -> Self {
        let next = match &last.attributes {
            Some(Attributes::WorkflowExecutionCompletedEventAttributes(it)) => {
                &it.new_execution_run_id
            }
            Some(Attributes::WorkflowExecutionFailedEventAttributes(it)) => {
                &it.new_execution_run_id
            }
            Some(Attributes::WorkflowExecutionTimedOutEventAttributes(it)) => {
                &it.new_execution_run_id
            }
            Some(Attributes::WorkflowExecutionContinuedAsNewEventAttributes(it)) => {
                &it.new_execution_run_id
            }
            Some(
                Attributes::WorkflowExecutionCanceledEventAttributes(_)
                | Attributes::WorkflowExecutionTerminatedEventAttributes(_),
            ) => return Self::Closed,
            _ => return Self::Open,
        };
        match next.as_str() {
            "" => Self::Closed,
            next => Self::Continued(next.to_owned()),
        }
    }
}

impl From<WorkflowExecutionInfo> for Run {
    fn from(info: WorkflowExecutionInfo) -> Self {
        let open = matches!(
            info.status(),
            WorkflowExecutionStatus::Running | WorkflowExecutionStatus::Paused
        );
        let execution = info.execution.unwrap_or_default();
        Self {
            workflow_id: execution.workflow_id,
            run_id: execution.run_id,
            open,
        }
    }
}

/// Takes out of a marker what is plain by design.
pub(super) fn drop_bookkeeping(event: &mut HistoryEvent) {
    if let Some(Attributes::MarkerRecordedEventAttributes(marker)) = &mut event.attributes
        && marker.marker_name.starts_with(CORE_MARKER)
    {
        marker.details.retain(|name, _| name == CORE_MARKER_RESULT);
    }
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::{
        common::v1::Payloads,
        history::v1::{
            MarkerRecordedEventAttributes, WorkflowExecutionCompletedEventAttributes,
            WorkflowExecutionContinuedAsNewEventAttributes,
            WorkflowExecutionTerminatedEventAttributes,
        },
    };

    use super::*;

    fn after(attributes: Attributes) -> End {
        End::after(&HistoryEvent {
            attributes: Some(attributes),
            ..HistoryEvent::default()
        })
    }

    #[test]
    fn the_last_event_says_whether_and_where_a_workflow_goes_on() {
        let completed = WorkflowExecutionCompletedEventAttributes::default();
        let cron = WorkflowExecutionCompletedEventAttributes {
            new_execution_run_id: "next".to_owned(),
            ..completed.clone()
        };
        let continued = WorkflowExecutionContinuedAsNewEventAttributes {
            new_execution_run_id: "next".to_owned(),
            ..WorkflowExecutionContinuedAsNewEventAttributes::default()
        };
        let terminated = WorkflowExecutionTerminatedEventAttributes::default();
        let marker = MarkerRecordedEventAttributes::default();
        let next = End::Continued("next".to_owned());

        for (attributes, expected) in [
            (
                Attributes::WorkflowExecutionCompletedEventAttributes(completed),
                End::Closed,
            ),
            (
                Attributes::WorkflowExecutionCompletedEventAttributes(cron),
                next.clone(),
            ),
            (
                Attributes::WorkflowExecutionContinuedAsNewEventAttributes(continued),
                next,
            ),
            (
                Attributes::WorkflowExecutionTerminatedEventAttributes(terminated),
                End::Closed,
            ),
            (Attributes::MarkerRecordedEventAttributes(marker), End::Open),
        ] {
            assert_eq!(after(attributes), expected);
        }
    }

    #[test]
    fn bookkeeping_of_the_core_is_no_payload_but_a_result_is() {
        let details = ["data", "result"].map(|name| (name.to_owned(), Payloads::default()));
        let marker = |name: &str| HistoryEvent {
            attributes: Some(Attributes::MarkerRecordedEventAttributes(
                MarkerRecordedEventAttributes {
                    marker_name: name.to_owned(),
                    details: details.clone().into(),
                    ..MarkerRecordedEventAttributes::default()
                },
            )),
            ..HistoryEvent::default()
        };
        let left = |mut event: HistoryEvent| {
            drop_bookkeeping(&mut event);
            match event.attributes {
                Some(Attributes::MarkerRecordedEventAttributes(it)) => it.details.len(),
                _ => 0,
            }
        };

        assert_eq!(left(marker("core_local_activity")), 1);
        assert_eq!(left(marker("SideEffect")), 2);
    }
}
