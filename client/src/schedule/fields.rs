//! What can be said about a schedule, at creation and later.

use std::{
    collections::HashMap,
    num::NonZeroU16,
    time::{Duration, SystemTime},
};

use temporalio_common::protos::temporal::api::{
    common::v1::{Memo, Payload, Payloads, RetryPolicy, WorkflowType},
    enums::v1::ScheduleOverlapPolicy,
    schedule::v1::{
        Schedule, ScheduleAction, SchedulePolicies, ScheduleSpec, ScheduleState,
        schedule_action::Action,
    },
    taskqueue::v1::TaskQueue,
    workflow::v1::NewWorkflowExecutionInfo,
};

use super::spec::Times;

/// Fields of a schedule. `None` leaves a stored field as it is, or the server's default in place.
///
/// Payloads are given in plaintext; [`Schedules`](super::Schedules) encrypts them before they
/// enter a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScheduleFields {
    /// When to act; replaces all stored times.
    pub times: Option<Times>,
    /// IANA name of the zone in which cron expressions and calendars are read. UTC by default.
    pub time_zone: Option<String>,
    /// No action before this time.
    pub start_at: Option<SystemTime>,
    /// No action after this time.
    pub end_at: Option<SystemTime>,
    /// Each action is late by a random time up to this.
    pub jitter: Option<Duration>,

    /// Type of the workflows to start.
    pub workflow_type: Option<String>,
    /// Task queue of the workflows to start.
    pub task_queue: Option<String>,
    /// Beginning of their ids; the server appends the time.
    pub workflow_id: Option<String>,
    /// Their arguments, one payload each.
    pub input: Option<Vec<Payload>>,
    /// Their memo; replaces the stored one.
    pub memo: Option<HashMap<String, Payload>>,
    /// How long one workflow may take, retries and continue-as-new included.
    pub execution_timeout: Option<Duration>,
    /// How long one run may take.
    pub run_timeout: Option<Duration>,
    /// How long one workflow task may take.
    pub task_timeout: Option<Duration>,
    /// How often a failing workflow is run in all.
    pub max_attempts: Option<NonZeroU16>,

    /// What to do while an earlier workflow still runs.
    pub overlap: Option<ScheduleOverlapPolicy>,
    /// How late an action may be taken after an outage, at least 10 s.
    pub catchup_window: Option<Duration>,
    /// Whether the schedule pauses itself once a workflow fails or times out.
    pub pause_on_failure: Option<bool>,

    /// Free text for humans. Plaintext on the server.
    pub note: Option<String>,
    /// How many more actions to take.
    pub remaining_actions: Option<u32>,
}

impl ScheduleFields {
    pub(super) fn payloads_mut(&mut self) -> impl Iterator<Item = &mut Payload> {
        let memo = self.memo.iter_mut().flat_map(HashMap::values_mut);
        self.input.iter_mut().flatten().chain(memo)
    }

    /// Puts every field that is set into `schedule` and leaves everything else in it alone.
    pub(super) fn apply(&self, schedule: &mut Schedule) {
        self.apply_spec(schedule.spec.get_or_insert_default());
        self.apply_action(start_workflow(&mut schedule.action));
        self.apply_policies(schedule.policies.get_or_insert_default());
        self.apply_state(schedule.state.get_or_insert_default());
    }

    fn apply_spec(&self, spec: &mut ScheduleSpec) {
        if let Some(times) = &self.times {
            times.apply(spec);
        }
        if let Some(zone) = &self.time_zone {
            spec.timezone_name.clone_from(zone);
            // A stored definition would win over the name.
            spec.timezone_data.clear();
        }
        if let Some(time) = self.start_at {
            spec.start_time = Some(time.into());
        }
        if let Some(time) = self.end_at {
            spec.end_time = Some(time.into());
        }
        if let Some(jitter) = self.jitter {
            spec.jitter = jitter.try_into().ok();
        }
    }

    fn apply_action(&self, workflow: &mut NewWorkflowExecutionInfo) {
        if let Some(name) = self.workflow_type.clone() {
            workflow.workflow_type = Some(WorkflowType { name });
        }
        if let Some(name) = &self.task_queue {
            let queue: &mut TaskQueue = workflow.task_queue.get_or_insert_default();
            queue.name.clone_from(name);
        }
        if let Some(id) = &self.workflow_id {
            workflow.workflow_id.clone_from(id);
        }
        if let Some(payloads) = self.input.clone() {
            workflow.input = Some(Payloads { payloads });
        }
        if let Some(fields) = self.memo.clone() {
            workflow.memo = Some(Memo { fields });
        }
        self.apply_limits(workflow);
    }

    fn apply_limits(&self, workflow: &mut NewWorkflowExecutionInfo) {
        if let Some(timeout) = self.execution_timeout {
            workflow.workflow_execution_timeout = timeout.try_into().ok();
        }
        if let Some(timeout) = self.run_timeout {
            workflow.workflow_run_timeout = timeout.try_into().ok();
        }
        if let Some(timeout) = self.task_timeout {
            workflow.workflow_task_timeout = timeout.try_into().ok();
        }
        if let Some(attempts) = self.max_attempts {
            let policy: &mut RetryPolicy = workflow.retry_policy.get_or_insert_default();
            policy.maximum_attempts = attempts.get().into();
        }
    }

    fn apply_policies(&self, policies: &mut SchedulePolicies) {
        if let Some(overlap) = self.overlap {
            policies.overlap_policy = overlap.into();
        }
        if let Some(window) = self.catchup_window {
            policies.catchup_window = window.try_into().ok();
        }
        if let Some(pause) = self.pause_on_failure {
            policies.pause_on_failure = pause;
        }
    }

    fn apply_state(&self, state: &mut ScheduleState) {
        if let Some(note) = &self.note {
            state.notes.clone_from(note);
        }
        if let Some(actions) = self.remaining_actions {
            state.limited_actions = true;
            state.remaining_actions = actions.into();
        }
    }
}

/// The workflow that a schedule starts, the only action there is.
fn start_workflow(action: &mut Option<ScheduleAction>) -> &mut NewWorkflowExecutionInfo {
    let action = action
        .get_or_insert_default()
        .action
        .get_or_insert_with(|| Action::StartWorkflow(NewWorkflowExecutionInfo::default()));
    match action {
        Action::StartWorkflow(workflow) => workflow,
    }
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::{
        common::v1::{Header, Payload},
        schedule::v1::{Schedule, StructuredCalendarSpec},
    };

    use super::{Payloads, ScheduleFields, Times, start_workflow};

    /// A schedule as another client may have stored it.
    fn stored() -> Schedule {
        let mut schedule = Schedule::default();
        let spec = schedule.spec.get_or_insert_default();
        spec.structured_calendar = vec![StructuredCalendarSpec::default()];
        spec.timezone_name = "Europe/Berlin".to_owned();
        spec.exclude_structured_calendar = vec![StructuredCalendarSpec::default()];
        schedule
            .policies
            .get_or_insert_default()
            .keep_original_workflow_id = true;
        let workflow = start_workflow(&mut schedule.action);
        workflow.header = Some(Header::default());
        workflow.input = Some(Payloads {
            payloads: vec![Payload {
                data: b"ciphertext".to_vec(),
                ..Payload::default()
            }],
        });
        schedule
    }

    #[test]
    fn fields_that_are_not_set_leave_a_stored_schedule_as_it_is() {
        let mut schedule = stored();
        schedule.state.get_or_insert_default();

        ScheduleFields::default().apply(&mut schedule);

        let mut expected = stored();
        expected.state.get_or_insert_default();
        assert_eq!(schedule, expected);
    }

    #[test]
    fn a_new_note_changes_the_note_alone() {
        let mut schedule = stored();

        let fields = ScheduleFields {
            note: Some("moved".to_owned()),
            ..ScheduleFields::default()
        };
        fields.apply(&mut schedule);

        assert_eq!(schedule.state.take().unwrap().notes, "moved");
        assert_eq!(schedule, stored());
    }

    #[test]
    fn new_times_replace_all_stored_times_and_keep_exclusions() {
        let mut schedule = stored();

        let fields = ScheduleFields {
            times: Some(Times {
                crons: vec!["CRON_TZ=UTC 0 9 * * *".to_owned()],
                ..Times::default()
            }),
            ..ScheduleFields::default()
        };
        fields.apply(&mut schedule);

        let spec = schedule.spec.unwrap();
        assert_eq!(spec.cron_string.len(), 1);
        assert!(spec.structured_calendar.is_empty());
        assert_eq!(spec.exclude_structured_calendar.len(), 1);
        assert_eq!(spec.timezone_name, "", "the expression names its own zone");
    }
}
