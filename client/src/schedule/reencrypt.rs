//! Moving what schedules hold to the active key, so that an old one can go.
//!
//! A schedule keeps the ciphertext of the day it was stored, for years. It is rewritten as bytes: a
//! message that is decoded and encoded again loses the fields that this build does not know.

mod renewal;
mod wire;

use prost::Message;
use sealane_codec::EncryptionCodec;
use sealane_service::settings::Temporal;
use temporalio_client::{NamespacedClient, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::workflowservice::v1::{
    DescribeScheduleRequest, ListSchedulesRequest, UpdateScheduleRequest,
};
use tonic::{Code, IntoRequest, Status};

use self::renewal::{Renewal, Renewed};
use super::{PAGE, ScheduleError, Schedules, request_id, update};
use crate::{
    call::CallError,
    connection::{ConnectError, Raw},
};

pub use self::renewal::{Obstacle, Tally};

/// Fields of `DescribeScheduleResponse`.
const DESCRIBED_SCHEDULE: u64 = 1;
const DESCRIBED_MEMO: u64 = 3;
const DESCRIBED_TOKEN: u64 = 5;

/// Fields of `UpdateScheduleRequest`.
const UPDATED_SCHEDULE: u64 = 3;
const UPDATED_MEMO: u64 = 8;

/// Moves schedules to the active key, one by one.
pub struct Reencryption {
    schedules: Schedules,
    renewal: Renewal,
    raw: Raw,
}

/// What has become of one schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reencrypted {
    /// What its payloads were before, without those that had to stay so.
    pub tally: Tally,
    /// Why not all of them are under the active key now.
    pub obstacle: Option<Obstacle>,
}

/// A schedule as the server holds it, on the wire.
struct Stored {
    schedule: Vec<u8>,
    memo: Vec<u8>,
    conflict_token: Vec<u8>,
}

impl Stored {
    /// Takes what matters out of a `DescribeScheduleResponse`.
    fn described(answer: &[u8]) -> Result<Self, wire::Malformed> {
        let field = |number| Ok(wire::embedded(answer, number)?.unwrap_or_default());
        Ok(Self {
            schedule: field(DESCRIBED_SCHEDULE)?,
            memo: field(DESCRIBED_MEMO)?,
            conflict_token: field(DESCRIBED_TOKEN)?,
        })
    }

    /// Completes an `UpdateScheduleRequest` that puts `schedule` and `memo` in place of what is
    /// stored, and that the server drops if that is not what is stored any more.
    fn replaced_by(
        &self,
        mut request: UpdateScheduleRequest,
        schedule: Option<&[u8]>,
        memo: Option<&[u8]>,
    ) -> Vec<u8> {
        request.conflict_token.clone_from(&self.conflict_token);
        let mut request = request.encode_to_vec();
        wire::embed(
            &mut request,
            UPDATED_SCHEDULE,
            schedule.unwrap_or(&self.schedule),
        );
        if let Some(memo) = memo {
            wire::embed(&mut request, UPDATED_MEMO, memo);
        }
        request
    }
}

impl Reencryption {
    /// Connects once more, for requests as bytes.
    ///
    /// # Errors
    ///
    /// As for [`connect`](crate::connection::connect).
    pub async fn new(
        schedules: Schedules,
        codec: EncryptionCodec,
        settings: &Temporal,
    ) -> Result<Self, ConnectError> {
        Ok(Self {
            raw: Raw::connect(settings, codec.clone()).await?,
            renewal: Renewal::new(codec),
            schedules,
        })
    }

    /// Returns the ids of all schedules. What they hold is not decrypted for it.
    ///
    /// # Errors
    ///
    /// If the server does not answer or does not let us.
    pub async fn ids(&self) -> Result<Vec<String>, CallError> {
        let mut client = self.schedules.client.clone();
        let mut request = ListSchedulesRequest {
            namespace: client.namespace(),
            maximum_page_size: PAGE,
            ..ListSchedulesRequest::default()
        };
        let mut ids = Vec::new();
        loop {
            let answer =
                WorkflowService::list_schedules(&mut client, request.clone().into_request());
            let page = answer.await?.into_inner();
            ids.extend(page.schedules.into_iter().map(|entry| entry.schedule_id));
            request.next_page_token = page.next_page_token;
            if request.next_page_token.is_empty() {
                return Ok(ids);
            }
        }
    }

    /// Says what [`reencrypt`](Self::reencrypt) would do, and does nothing.
    ///
    /// # Errors
    ///
    /// As for [`reencrypt`](Self::reencrypt), but for [`ScheduleError::Conflict`].
    pub async fn preview(&self, id: &str) -> Result<Reencrypted, ScheduleError> {
        let renewed = self.renew(id, &self.stored(id).await?).await?;
        let untried = renewed.memo.is_some();
        Ok(Reencrypted {
            tally: renewed.tally(),
            obstacle: renewed
                .obstacle
                .or(untried.then_some(Obstacle::ScheduleMemoUntried)),
        })
    }

    /// Encrypts input, memo, encrypted headers, summary and details of the schedule `id` under the
    /// active key, and the memo of the schedule itself where the server lets it be changed.
    ///
    /// What is under that key already stays as it is, byte for byte, as do all other fields. If one
    /// payload cannot be decrypted, nothing of the schedule is changed.
    ///
    /// The server drops an update without a word if others were faster. So the schedule is read back,
    /// and what is still there to do is done again.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::NotFound`], [`ScheduleError::Encode`], [`ScheduleError::Conflict`] if others
    /// were faster each time, and [`ScheduleError::Call`].
    pub async fn reencrypt(&self, id: &str) -> Result<Reencrypted, ScheduleError> {
        let mut done = Reencrypted::default();
        let (mut without_memo, mut memo_is_fixed) = (Tally::default(), false);
        for attempt in 0..=update::ATTEMPTS {
            let stored = self.stored(id).await?;
            let mut renewed = self.renew(id, &stored).await?;
            if attempt == 0 {
                done.tally = renewed.tally();
                without_memo = renewed.tally_without_memo();
            }
            // Servers before the field was there ignore it.
            memo_is_fixed |= attempt == update::ATTEMPTS && renewed.schedule.is_none();
            if memo_is_fixed && renewed.memo.take().is_some() {
                done.obstacle = Some(Obstacle::ScheduleMemo);
                done.tally = without_memo;
            }
            done.obstacle = renewed.obstacle.take().or(done.obstacle);
            if !renewed.is_to_be_sent() {
                return Ok(done);
            }
            if attempt < update::ATTEMPTS {
                memo_is_fixed |= self.send(id, &stored, &renewed).await? == Sent::MemoRefused;
            }
        }
        Err(ScheduleError::Conflict {
            id: id.to_owned(),
            attempts: update::ATTEMPTS,
        })
    }

    async fn renew(&self, id: &str, stored: &Stored) -> Result<Renewed, ScheduleError> {
        let renewed = self.renewal.renew(&stored.schedule, &stored.memo).await;
        renewed.map_err(|source| ScheduleError::Encode {
            id: id.to_owned(),
            source,
        })
    }

    async fn stored(&self, id: &str) -> Result<Stored, ScheduleError> {
        let request = DescribeScheduleRequest {
            namespace: self.schedules.client.namespace(),
            schedule_id: id.to_owned(),
        };
        let answer = self.raw.call("DescribeSchedule", request.encode_to_vec());
        let answer = answer
            .await
            .map_err(|status| self.schedules.failed(id, status))?;
        let stored = Stored::described(&answer);
        stored.map_err(|wire::Malformed| {
            let reason = format!("the description of schedule {id:?} is no message");
            CallError::Unexpected { reason }.into()
        })
    }

    async fn send(
        &self,
        id: &str,
        stored: &Stored,
        renewed: &Renewed,
    ) -> Result<Sent, ScheduleError> {
        let request = UpdateScheduleRequest {
            namespace: self.schedules.client.namespace(),
            schedule_id: id.to_owned(),
            identity: self.schedules.client.identity(),
            request_id: request_id(),
            ..UpdateScheduleRequest::default()
        };
        let schedule = renewed.schedule.as_deref();
        let request = stored.replaced_by(request, schedule, renewed.memo.as_deref());
        match self.raw.call("UpdateSchedule", request).await {
            Ok(_) => Ok(Sent::ToBeReadBack),
            Err(status) if update::is_conflict(&status) => Ok(Sent::ToBeReadBack),
            Err(status) if refuses_memo(&status) => Ok(Sent::MemoRefused),
            Err(status) => Err(self.schedules.failed(id, status)),
        }
    }
}

/// What the answer to an update tells. Whether the update has arrived only the schedule itself tells.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sent {
    ToBeReadBack,
    MemoRefused,
}

/// Schedules that a server keeps in a workflow cannot change their own memo (seen with server 1.32).
fn refuses_memo(status: &Status) -> bool {
    status.code() == Code::FailedPrecondition && status.message().contains("memo updates")
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use temporalio_common::protos::temporal::api::{
        common::v1::Memo,
        schedule::v1::{Schedule, ScheduleState},
        workflowservice::v1::DescribeScheduleResponse,
    };

    use super::{Code, Status, Stored, UpdateScheduleRequest, refuses_memo};

    fn noted(notes: &str) -> Schedule {
        let state = ScheduleState {
            notes: notes.to_owned(),
            ..ScheduleState::default()
        };
        Schedule {
            state: Some(state),
            ..Schedule::default()
        }
    }

    #[test]
    fn an_update_replaces_what_was_read_and_nothing_newer() {
        let described = DescribeScheduleResponse {
            schedule: Some(noted("stored")),
            memo: Some(Memo::default()),
            conflict_token: b"token".to_vec(),
            ..DescribeScheduleResponse::default()
        };
        let stored = Stored::described(&described.encode_to_vec()).unwrap();
        let request = |schedule: Option<&[u8]>| {
            let request = stored.replaced_by(UpdateScheduleRequest::default(), schedule, None);
            UpdateScheduleRequest::decode(&*request).unwrap()
        };

        let renewed = request(Some(&noted("renewed").encode_to_vec()));
        assert_eq!(renewed.conflict_token, b"token");
        assert_eq!(renewed.schedule, Some(noted("renewed")));
        assert_eq!(renewed.memo, None);
        assert_eq!(request(None).schedule, Some(noted("stored")));
    }

    #[test]
    fn only_a_refused_memo_is_sent_again_without_it() {
        let refused = "memo updates are not supported on workflow-backed schedules";

        assert!(refuses_memo(&Status::new(
            Code::FailedPrecondition,
            refused
        )));
        let stale = "mismatched conflict token";
        assert!(!refuses_memo(&Status::new(Code::FailedPrecondition, stale)));
    }
}
