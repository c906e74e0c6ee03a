//! The payloads of one request, one after the other.

use std::ops::ControlFlow;

use sealane_codec::InflateRoom;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::{Refusal, Transcoder, task::Task};
use crate::protojson::{Answer, each_payload};

/// An answer in the making.
pub(super) struct Work<'a> {
    task: &'a Task,
    answer: Answer,
    max_answer: usize,
    max_payload: usize,
    /// Payloads that are in the answer.
    pub(super) done: usize,
    pub(super) room: InflateRoom,
}

impl<'a> Work<'a> {
    pub(super) fn new(transcoder: &Transcoder, task: &'a Task, room: InflateRoom) -> Self {
        let max_answer = transcoder.max_answer();
        let len = task.body.len();
        Self {
            task,
            answer: Answer::new(len + len / 8, max_answer),
            max_answer,
            max_payload: transcoder.max_payload,
            done: 0,
            room,
        }
    }

    /// Lets `step` have each payload, until one fails or nobody waits for the rest.
    pub(super) fn run(
        &mut self,
        mut step: impl FnMut(&mut Self, Payload) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let task = self.task;
        let mut failed = Ok(());
        let read = each_payload(&task.body, self.max_payload, &mut |payload| {
            failed = match task.is_abandoned() {
                true => Err(Refusal::Abandoned),
                false => step(self, payload),
            };
            match failed {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
        failed?;
        read.map_err(Refusal::Unread)
    }

    pub(super) fn push(&mut self, payload: &Payload) -> Result<(), Refusal> {
        let full = |_| Refusal::AnswerTooLarge {
            limit: self.max_answer,
        };
        self.answer.push(payload).map_err(full)?;
        self.done += 1;
        Ok(())
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.answer.finish()
    }
}
