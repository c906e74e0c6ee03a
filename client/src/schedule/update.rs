//! Changing a stored schedule without losing what others change meanwhile.

use temporalio_client::{NamespacedClient, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::{
    schedule::v1::{Schedule, ScheduleSpec, ScheduleState},
    workflowservice::v1::{DescribeScheduleResponse, UpdateScheduleRequest},
};
use tonic::{Code, IntoRequest};

use super::{ScheduleError, ScheduleFields, Schedules, request_id, spec};

/// Each attempt takes milliseconds, so five in a row lost to others means a writer gone wild.
pub(super) const ATTEMPTS: u32 = 5;

impl Schedules {
    /// Changes the fields that are set and leaves everything else of the schedule as it is stored,
    /// ciphertext included.
    ///
    /// The change is tied to the state it was computed from. If somebody else changes the schedule
    /// in between, it is computed and sent again.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::NotFound`], [`ScheduleError::Encode`], [`ScheduleError::Conflict`] if others
    /// were faster each time, and [`ScheduleError::Call`].
    pub async fn update(&self, id: &str, fields: ScheduleFields) -> Result<(), ScheduleError> {
        let fields = self.encrypted(id, fields)?;
        let mut before = self.stored(id).await?;
        for attempt in 1..=ATTEMPTS {
            let token = before.conflict_token.clone();
            let before_schedule = before.schedule.unwrap_or_default();
            let mut sent = before_schedule.clone();
            fields.apply(&mut sent);
            let accepted = self.send_update(id, sent.clone(), token).await?;
            let after = self.stored(id).await?;
            if accepted && settled(&fields, attempt, &before_schedule, &sent, schedule(&after)) {
                return Ok(());
            }
            tracing::debug!(
                schedule.id = id,
                attempt,
                "schedule changed meanwhile, updating again"
            );
            before = after;
        }
        Err(ScheduleError::Conflict {
            id: id.to_owned(),
            attempts: ATTEMPTS,
        })
    }

    /// Returns whether the server took the update, as far as its answer tells.
    async fn send_update(
        &self,
        id: &str,
        schedule: Schedule,
        conflict_token: Vec<u8>,
    ) -> Result<bool, ScheduleError> {
        let request = UpdateScheduleRequest {
            namespace: self.client.namespace(),
            schedule_id: id.to_owned(),
            schedule: Some(schedule),
            conflict_token,
            identity: self.client.identity(),
            request_id: request_id(),
            ..UpdateScheduleRequest::default()
        };
        let mut client = self.client.clone();
        let request = request.into_request();
        match WorkflowService::update_schedule(&mut client, request).await {
            Ok(_) => Ok(true),
            Err(status) if is_conflict(&status) => Ok(false),
            Err(status) => Err(self.failed(id, status)),
        }
    }
}

pub(super) fn is_conflict(status: &tonic::Status) -> bool {
    status.code() == Code::FailedPrecondition && status.message().contains("conflict token")
}

fn schedule(answer: &DescribeScheduleResponse) -> &Schedule {
    static NONE: Schedule = Schedule {
        spec: None,
        action: None,
        policies: None,
        state: None,
    };
    answer.schedule.as_ref().unwrap_or(&NONE)
}

/// Whether `after` shows that the update has arrived.
///
/// Servers that keep a schedule in a workflow answer OK and drop an update whose conflict token is
/// stale (seen with server 1.32), so the answer alone proves nothing. From the second attempt on,
/// an update that changes nothing has arrived as well: the server then stores it in a form of its
/// own, or it asks for what is there already.
fn settled(
    fields: &ScheduleFields,
    attempt: u32,
    before: &Schedule,
    sent: &Schedule,
    after: &Schedule,
) -> bool {
    let unchanged = attempt > 1 && before == after;
    unchanged
        || after.action == sent.action
            && after.policies == sent.policies
            && spec_arrived(fields, before, sent, after)
            && same_state(fields, sent.state.as_ref(), after.state.as_ref())
}

/// The server compiles cron expressions and calendars, so new times only show as a difference.
fn spec_arrived(
    fields: &ScheduleFields,
    before: &Schedule,
    sent: &Schedule,
    after: &Schedule,
) -> bool {
    if fields.times.is_none() {
        return after.spec == sent.spec;
    }
    after.spec != before.spec && rest(fields, sent) == rest(fields, after)
}

/// The spec without its times, and without the zone where that may come from a cron expression.
fn rest(fields: &ScheduleFields, schedule: &Schedule) -> ScheduleSpec {
    let mut rest = schedule.spec.clone().unwrap_or_default();
    spec::clear(&mut rest);
    if fields
        .times
        .as_ref()
        .is_some_and(super::Times::name_a_time_zone)
    {
        rest.timezone_name.clear();
    }
    rest
}

/// Only what was asked for: the server itself counts actions down and pauses after failures.
fn same_state(
    fields: &ScheduleFields,
    sent: Option<&ScheduleState>,
    after: Option<&ScheduleState>,
) -> bool {
    let (Some(sent), Some(after)) = (sent, after) else {
        return sent.is_none();
    };
    let note = fields.note.is_none() || sent.notes == after.notes;
    let limit = fields.remaining_actions.is_none()
        || after.limited_actions && after.remaining_actions <= sent.remaining_actions;
    note && limit
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::schedule::v1::{
        Schedule, ScheduleState, StructuredCalendarSpec,
    };
    use tonic::{Code, Status};

    use super::{ScheduleFields, is_conflict, settled};
    use crate::schedule::Times;

    fn note(text: &str) -> ScheduleFields {
        ScheduleFields {
            note: Some(text.to_owned()),
            ..ScheduleFields::default()
        }
    }

    fn applied(fields: &ScheduleFields, to: &Schedule) -> Schedule {
        let mut schedule = to.clone();
        fields.apply(&mut schedule);
        schedule
    }

    /// An empty schedule in the shape in which a server describes it.
    fn empty() -> Schedule {
        applied(&ScheduleFields::default(), &Schedule::default())
    }

    #[test]
    fn an_update_that_the_server_dropped_in_silence_is_noticed() {
        let fields = note("ours");
        let sent = applied(&fields, &empty());
        let theirs = applied(&note("theirs"), &empty());

        assert!(settled(&fields, 1, &empty(), &sent, &sent));
        assert!(!settled(&fields, 1, &empty(), &sent, &theirs));
        assert!(!settled(&fields, 1, &empty(), &sent, &empty()));
    }

    #[test]
    fn what_the_server_changes_by_itself_is_no_sign_of_a_lost_update() {
        let fields = ScheduleFields {
            remaining_actions: Some(3),
            ..note("ours")
        };
        let sent = applied(&fields, &empty());
        let mut after = sent.clone();
        after.state = Some(ScheduleState {
            remaining_actions: 2,
            paused: true,
            ..sent.state.clone().unwrap()
        });

        assert!(settled(&fields, 1, &empty(), &sent, &after));
    }

    #[test]
    fn compiled_times_count_as_arrived_once_they_differ_or_no_longer_change() {
        let fields = ScheduleFields {
            times: Some(Times {
                crons: vec!["0 9 * * *".to_owned()],
                ..Times::default()
            }),
            ..ScheduleFields::default()
        };
        let sent = applied(&fields, &empty());
        let mut compiled = empty();
        compiled.spec.get_or_insert_default().structured_calendar =
            vec![StructuredCalendarSpec::default()];

        assert!(settled(&fields, 1, &empty(), &sent, &compiled));
        assert!(!settled(&fields, 1, &compiled, &sent, &compiled));
        assert!(settled(&fields, 2, &compiled, &sent, &compiled));
    }

    #[test]
    fn only_a_stale_token_is_a_conflict() {
        let stale = Status::new(Code::FailedPrecondition, "mismatched conflict token");
        let other = Status::new(Code::FailedPrecondition, "namespace is not active");

        assert!(is_conflict(&stale));
        assert!(!is_conflict(&other));
    }
}
