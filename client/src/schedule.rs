//! Temporal Schedules, without ever handing the server a plaintext input.
//!
//! The SDK's schedule API has no memo, timeouts or retry policy, its `ScheduleHandle::update` sends
//! the decoded input back, and it sends no conflict token. So this module speaks the raw RPCs: input
//! and memo are encrypted here before they enter a request, and an update leaves stored ciphertext
//! as it is.
//!
//! Schedule ids, workflow ids and types, task queues, notes and memo keys are plaintext by design:
//! the server has to index or to show them.

mod description;
mod error;
mod fields;
mod reencrypt;
mod spec;
mod update;

use std::collections::HashMap;

use sealane_codec::EncryptionCodec;
use temporalio_client::{Client, NamespacedClient, grpc::WorkflowService};
use temporalio_common::protos::temporal::api::{
    common::v1::{Memo, Payload},
    enums::v1::ScheduleOverlapPolicy,
    schedule::v1::{Schedule, SchedulePatch, TriggerImmediatelyRequest},
    workflowservice::v1::{
        CreateScheduleRequest, DeleteScheduleRequest, DescribeScheduleRequest,
        DescribeScheduleResponse, ListSchedulesRequest, PatchScheduleRequest,
    },
};
use tonic::{IntoRequest, Status};
use uuid::Uuid;

use crate::{call::CallError, decode::Decoder};

pub use self::{
    description::{Decoded, ScheduleDescription, ScheduleSummary},
    error::ScheduleError,
    fields::ScheduleFields,
    reencrypt::{Obstacle, Reencrypted, Reencryption, Tally},
    spec::{Interval, IntervalError, Times},
};

/// How many schedules one page of a listing holds; the server's own default.
const PAGE: i32 = 1000;

/// What `pause` and `unpause` note when the caller says nothing: the server needs some text.
const PAUSED: &str = "paused by sealane";
const UNPAUSED: &str = "unpaused by sealane";

/// The schedules of one namespace.
#[derive(Clone)]
pub struct Schedules {
    client: Client,
    codec: Option<EncryptionCodec>,
}

/// What is said about a schedule once, when it is created.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Begin {
    /// Take no action until it is unpaused.
    pub paused: bool,
    /// Start one workflow at once, whatever the times say.
    pub trigger_immediately: bool,
    /// Memo of the schedule itself, which a listing shows, in plaintext like all payloads that
    /// enter here. Servers up to 1.32 at least do not let it be changed later.
    pub memo: HashMap<String, Payload>,
}

impl Schedules {
    /// Works on the namespace of `client`, encrypting and decrypting with `codec`.
    ///
    /// `None` for the codec is plaintext, and is for `SEALANE_ENCRYPTION=off` alone.
    #[must_use]
    pub fn new(client: Client, codec: Option<EncryptionCodec>) -> Self {
        Self { client, codec }
    }

    /// Creates the schedule `id`.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::AlreadyExists`], [`ScheduleError::Encode`] if a payload cannot be encrypted,
    /// and [`ScheduleError::Call`].
    pub async fn create(
        &self,
        id: &str,
        fields: ScheduleFields,
        mut begin: Begin,
    ) -> Result<(), ScheduleError> {
        let fields = self.encrypted(id, fields)?;
        self.encrypt(id, begin.memo.values_mut())?;
        let mut schedule = Schedule::default();
        fields.apply(&mut schedule);
        schedule.state.get_or_insert_default().paused = begin.paused;
        let request = CreateScheduleRequest {
            namespace: self.client.namespace(),
            schedule_id: id.to_owned(),
            schedule: Some(schedule),
            initial_patch: begin.trigger_immediately.then(trigger_patch),
            identity: self.client.identity(),
            request_id: request_id(),
            memo: (!begin.memo.is_empty()).then_some(Memo { fields: begin.memo }),
            ..CreateScheduleRequest::default()
        };
        let mut client = self.client.clone();
        let answer = WorkflowService::create_schedule(&mut client, request.into_request());
        answer.await.map_err(|status| self.failed(id, status))?;
        Ok(())
    }

    /// Returns the schedule `id`, its input and memos decrypted.
    ///
    /// A payload that does not decrypt is an error of its own inside the description, so that the
    /// rest can still be read.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::NotFound`] and [`ScheduleError::Call`].
    pub async fn describe(&self, id: &str) -> Result<ScheduleDescription, ScheduleError> {
        let stored = self.stored(id).await?;
        Ok(ScheduleDescription::decode(id, stored, &self.decoder()).await)
    }

    /// Returns at most `limit` schedules that match `query`, all if it is empty.
    ///
    /// # Errors
    ///
    /// What any call may end in; [`CallError::Rejected`] if the server does not accept the query.
    pub async fn list(&self, query: &str, limit: usize) -> Result<Vec<ScheduleSummary>, CallError> {
        let mut client = self.client.clone();
        let decoder = self.decoder();
        let mut found = Vec::new();
        let mut next_page_token = Vec::new();
        loop {
            let request = ListSchedulesRequest {
                namespace: self.client.namespace(),
                maximum_page_size: PAGE,
                next_page_token,
                query: query.to_owned(),
            };
            let answer = WorkflowService::list_schedules(&mut client, request.into_request());
            let page = answer.await?.into_inner();
            let room = limit - found.len();
            let entries = page.schedules.into_iter().take(room);
            for entry in entries {
                found.push(ScheduleSummary::decode(entry, &decoder).await);
            }
            next_page_token = page.next_page_token;
            if next_page_token.is_empty() || found.len() == limit {
                return Ok(found);
            }
        }
    }

    /// Stops the schedule from acting until it is unpaused. The note replaces the stored one.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::NotFound`] and [`ScheduleError::Call`].
    pub async fn pause(&self, id: &str, note: Option<&str>) -> Result<(), ScheduleError> {
        let patch = SchedulePatch {
            pause: note.unwrap_or(PAUSED).to_owned(),
            ..SchedulePatch::default()
        };
        self.patch(id, patch).await
    }

    /// Lets the schedule act again. The note replaces the stored one.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::NotFound`] and [`ScheduleError::Call`].
    pub async fn unpause(&self, id: &str, note: Option<&str>) -> Result<(), ScheduleError> {
        let patch = SchedulePatch {
            unpause: note.unwrap_or(UNPAUSED).to_owned(),
            ..SchedulePatch::default()
        };
        self.patch(id, patch).await
    }

    /// Starts one workflow now, paused or not. `None` uses the overlap policy of the schedule.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::NotFound`] and [`ScheduleError::Call`].
    pub async fn trigger(
        &self,
        id: &str,
        overlap: Option<ScheduleOverlapPolicy>,
    ) -> Result<(), ScheduleError> {
        let mut patch = trigger_patch();
        if let (Some(policy), Some(trigger)) = (overlap, &mut patch.trigger_immediately) {
            trigger.overlap_policy = policy.into();
        }
        self.patch(id, patch).await
    }

    /// Deletes the schedule. Workflows it has started go on.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::NotFound`] and [`ScheduleError::Call`].
    pub async fn delete(&self, id: &str) -> Result<(), ScheduleError> {
        let request = DeleteScheduleRequest {
            namespace: self.client.namespace(),
            schedule_id: id.to_owned(),
            identity: self.client.identity(),
        };
        let mut client = self.client.clone();
        let answer = WorkflowService::delete_schedule(&mut client, request.into_request());
        answer.await.map_err(|status| self.failed(id, status))?;
        Ok(())
    }

    async fn patch(&self, id: &str, patch: SchedulePatch) -> Result<(), ScheduleError> {
        let request = PatchScheduleRequest {
            namespace: self.client.namespace(),
            schedule_id: id.to_owned(),
            patch: Some(patch),
            identity: self.client.identity(),
            request_id: request_id(),
        };
        let mut client = self.client.clone();
        let answer = WorkflowService::patch_schedule(&mut client, request.into_request());
        answer.await.map_err(|status| self.failed(id, status))?;
        Ok(())
    }

    /// The schedule as the server holds it: payloads are ciphertext.
    async fn stored(&self, id: &str) -> Result<DescribeScheduleResponse, ScheduleError> {
        let request = DescribeScheduleRequest {
            namespace: self.client.namespace(),
            schedule_id: id.to_owned(),
        };
        let mut client = self.client.clone();
        let answer = WorkflowService::describe_schedule(&mut client, request.into_request());
        let answer = answer.await.map_err(|status| self.failed(id, status))?;
        Ok(answer.into_inner())
    }

    fn encrypted(
        &self,
        id: &str,
        mut fields: ScheduleFields,
    ) -> Result<ScheduleFields, ScheduleError> {
        self.encrypt(id, fields.payloads_mut())?;
        Ok(fields)
    }

    /// Encrypts in place, before anything enters a request.
    fn encrypt<'a>(
        &self,
        id: &str,
        payloads: impl Iterator<Item = &'a mut Payload>,
    ) -> Result<(), ScheduleError> {
        let Some(codec) = &self.codec else {
            return Ok(());
        };
        for payload in payloads {
            let sealed = codec.encode_payload(std::mem::take(payload));
            *payload = sealed.map_err(|source| ScheduleError::Encode {
                id: id.to_owned(),
                source,
            })?;
        }
        Ok(())
    }

    fn decoder(&self) -> Decoder {
        Decoder::new(self.codec.clone())
    }

    fn failed(&self, id: &str, status: Status) -> ScheduleError {
        ScheduleError::from_status(id, &self.client.namespace(), status)
    }
}

fn trigger_patch() -> SchedulePatch {
    SchedulePatch {
        trigger_immediately: Some(TriggerImmediatelyRequest::default()),
        ..SchedulePatch::default()
    }
}

/// Makes a retry of the SDK's transport harmless: the server acts once per id.
fn request_id() -> String {
    Uuid::new_v4().to_string()
}
