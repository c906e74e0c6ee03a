//! What the server tells about schedules, payloads decrypted.

use std::collections::BTreeMap;

use temporalio_common::protos::temporal::api::{
    common::v1::{Memo, Payload},
    schedule::v1::{
        Schedule, ScheduleInfo, ScheduleListEntry, ScheduleListInfo, schedule_action::Action,
    },
    workflow::v1::NewWorkflowExecutionInfo,
    workflowservice::v1::DescribeScheduleResponse,
};

use crate::decode::{Decoder, Unreadable};

/// A decrypted payload, or why it does not decrypt.
pub type Decoded = Result<Payload, Unreadable>;

/// One schedule in full.
#[derive(Debug)]
pub struct ScheduleDescription {
    /// Its id.
    pub id: String,
    /// Everything that was stored, payloads still as the server holds them.
    pub schedule: Schedule,
    /// What has happened and what is due.
    pub info: ScheduleInfo,
    /// Arguments of the workflows it starts.
    pub input: Vec<Decoded>,
    /// Memo of the workflows it starts.
    pub memo: BTreeMap<String, Decoded>,
    /// Memo of the schedule itself.
    pub schedule_memo: BTreeMap<String, Decoded>,
}

/// One schedule of a listing.
#[derive(Debug)]
pub struct ScheduleSummary {
    /// Its id.
    pub id: String,
    /// What a listing tells about it.
    pub info: ScheduleListInfo,
    /// Memo of the schedule itself.
    pub memo: BTreeMap<String, Decoded>,
}

impl ScheduleDescription {
    pub(super) async fn decode(
        id: &str,
        stored: DescribeScheduleResponse,
        decoder: &Decoder,
    ) -> Self {
        let schedule = stored.schedule.unwrap_or_default();
        let workflow = workflow(&schedule).cloned().unwrap_or_default();
        let mut input = Vec::new();
        for payload in workflow.input.unwrap_or_default().payloads {
            input.push(decoder.payload(payload).await);
        }
        Self {
            id: id.to_owned(),
            memo: decode_memo(workflow.memo, decoder).await,
            schedule_memo: decode_memo(stored.memo, decoder).await,
            info: stored.info.unwrap_or_default(),
            input,
            schedule,
        }
    }

    /// Returns the workflow that the schedule starts, payloads still encrypted.
    #[must_use]
    pub fn workflow(&self) -> Option<&NewWorkflowExecutionInfo> {
        workflow(&self.schedule)
    }
}

impl ScheduleSummary {
    pub(super) async fn decode(entry: ScheduleListEntry, decoder: &Decoder) -> Self {
        Self {
            id: entry.schedule_id,
            info: entry.info.unwrap_or_default(),
            memo: decode_memo(entry.memo, decoder).await,
        }
    }
}

fn workflow(schedule: &Schedule) -> Option<&NewWorkflowExecutionInfo> {
    match schedule.action.as_ref()?.action.as_ref()? {
        Action::StartWorkflow(workflow) => Some(workflow),
    }
}

async fn decode_memo(memo: Option<Memo>, decoder: &Decoder) -> BTreeMap<String, Decoded> {
    let mut decoded = BTreeMap::new();
    for (key, payload) in memo.unwrap_or_default().fields {
        decoded.insert(key, decoder.payload(payload).await);
    }
    decoded
}
