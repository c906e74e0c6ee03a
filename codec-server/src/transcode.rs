//! From body to answer: the payloads of a request, encrypted or decrypted one after the other.

mod failure;
mod here;
mod refusal;

use std::{collections::HashSet, ops::ControlFlow, panic::resume_unwind, sync::Arc};

use axum::body::Bytes;
use sealane_codec::{EncryptionCodec, KEY_ID, WRAPPED_KEY, is_encrypted, is_legacy};
use temporalio_common::protos::temporal::api::common::v1::Payload;
use tokio::task::spawn_blocking;

pub(crate) use self::{
    failure::{Cause, Failure},
    refusal::Refusal,
};

use self::here::Here;
use crate::{
    metrics::{Counters, Outcome},
    protojson::{Answer, each_payload},
    target::Operation,
};

/// The key source is asked for at most so many different keys of one request.
const MAX_SOUGHT: usize = 64;

/// Answers are at most so many times as large as requests may be: encryption adds about 200 bytes to
/// a payload, compression may have taken away a lot.
const MAX_GROWTH: usize = 2;

/// Bodies up to this size, which take about a millisecond, are worked on where they arrived; larger ones
/// would keep other requests of the thread waiting.
const MAX_INLINE: usize = 256 * 1024;

/// Does the work of a request.
#[derive(Debug)]
pub(crate) struct Transcoder {
    pub(crate) codec: EncryptionCodec,
    pub(crate) counters: Counters,
    pub(crate) max_payload: usize,
    pub(crate) max_body: usize,
}

/// How a first look at a body ended.
enum FirstLook {
    /// Here is the answer.
    Answer(Vec<u8>),
    /// Some payloads did not open. Their keys may be found; these are samples that name them.
    Unopened(Vec<Payload>),
}

impl Transcoder {
    /// Carries out `operation` on the payloads of `body`, and returns the answer.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        operation: Operation,
        body: Bytes,
    ) -> Result<Vec<u8>, Refusal> {
        if operation == Operation::Encode {
            return self.apart(body, Self::encode).await;
        }
        match self.apart(body.clone(), Self::decode).await? {
            FirstLook::Answer(json) => Ok(json),
            FirstLook::Unopened(samples) => {
                self.codec.find_keys(&samples).await;
                self.apart(body, Self::decode_carefully).await
            }
        }
    }

    /// Works on a thread where that disturbs nobody.
    async fn apart<T: Send + 'static>(
        self: &Arc<Self>,
        body: Bytes,
        work: fn(&Self, &[u8]) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if body.len() <= MAX_INLINE {
            return work(self, &body);
        }
        let transcoder = Arc::clone(self);
        let done = spawn_blocking(move || work(&transcoder, &body)).await;
        done.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_) => Err(Refusal::Stopping),
        })
    }

    /// Encrypts all payloads of `body`, or none.
    fn encode(&self, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut work = Work::new(self, body);
        work.run(body, self.max_payload, |work, payload| {
            let index = work.done;
            let sealed = self.codec.encode_payload(payload);
            let sealed = sealed.map_err(|error| Refusal::of_encoding(index, &error))?;
            work.push(&sealed)
        })
        .inspect_err(|_| self.counters.add(Operation::Encode, Outcome::Failed, 1))?;
        self.counters
            .add(Operation::Encode, Outcome::Done, count(work.done));
        Ok(work.answer.finish())
    }

    /// Decrypts the payloads of `body` with the keys that are here.
    ///
    /// Payloads that do not open are consumed by the attempt. They are rare, so it is made with the
    /// only copy, and [`decode_carefully`](Self::decode_carefully) begins anew.
    fn decode(&self, body: &[u8]) -> Result<FirstLook, Refusal> {
        let mut work = Work::new(self, body);
        let mut plain = 0;
        let mut here = Here::of(&self.codec);
        let ran = work.run(body, self.max_payload, |work, payload| {
            plain += u64::from(!is_sealed(&payload));
            if !here.has_key_of(&payload) {
                return Err(Refusal::Unopened);
            }
            let opened = self.codec.decode_payload(payload);
            work.push(&opened.map_err(|_| Refusal::Unopened)?)
        });
        match ran {
            Err(Refusal::Unopened) => return Ok(FirstLook::Unopened(self.samples(body)?)),
            ran => ran?,
        }
        self.counters.add(Operation::Decode, Outcome::Plain, plain);
        let opened = count(work.done) - plain;
        self.counters.add(Operation::Decode, Outcome::Done, opened);
        Ok(FirstLook::Answer(work.answer.finish()))
    }

    /// Decrypts what can be decrypted of `body` and keeps the rest as it came.
    ///
    /// # Errors
    ///
    /// Also if nothing opens though something should, or if a plain payload is refused.
    fn decode_carefully(&self, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut work = Work::new(self, body);
        let (mut opened, mut plain, mut failed) = (0, 0, 0);
        let mut first: Option<Failure> = None;
        let ran = work.run(body, self.max_payload, |work, payload| {
            let original = payload.clone();
            let is_plain = !is_sealed(&original);
            match self.codec.decode_payload(payload) {
                Ok(payload) => {
                    plain += u64::from(is_plain);
                    opened += u64::from(!is_plain);
                    work.push(&payload)
                }
                Err(error) => {
                    failed += 1;
                    let failure = Failure::of(work.done, &original, &error);
                    self.count_failure(&original, &failure);
                    if failure.cause == Cause::NotEncrypted {
                        return Err(Refusal::Unreadable(failure));
                    }
                    first.get_or_insert(failure);
                    work.push(&original)
                }
            }
        });
        for (outcome, payloads) in [
            (Outcome::Done, opened),
            (Outcome::Plain, plain),
            (Outcome::Failed, failed),
        ] {
            self.counters.add(Operation::Decode, outcome, payloads);
        }
        ran?;
        match first {
            Some(failure) if opened == 0 => Err(Refusal::Unreadable(failure)),
            _ => Ok(work.answer.finish()),
        }
    }

    /// One payload for each key that `body` names, without data.
    fn samples(&self, body: &[u8]) -> Result<Vec<Payload>, Refusal> {
        let mut seen = HashSet::new();
        let mut samples = Vec::new();
        each_payload(body, self.max_payload, &mut |payload| {
            let part = |name| payload.metadata.get(name).cloned();
            let is_new = is_encrypted(&payload) && seen.insert((part(KEY_ID), part(WRAPPED_KEY)));
            if is_new {
                samples.push(Payload {
                    data: Vec::new(),
                    ..payload
                });
            }
            match samples.len() {
                MAX_SOUGHT => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        })
        .or_else(Refusal::unless_stopped)?;
        Ok(samples)
    }

    fn count_failure(&self, payload: &Payload, failure: &Failure) {
        let ring = self.codec.ring().map(sealane_codec::SharedKeyRing::current);
        let id = failure::key_id(payload);
        let known = ring.is_some_and(|ring| ring.ids().any(|held| Some(held.as_str()) == id));
        let id = id.filter(|_| known).unwrap_or(crate::metrics::OTHER);
        self.counters.failed(id, failure.cause.label());
    }
}

/// An answer in the making.
struct Work {
    answer: Answer,
    done: usize,
    max_answer: usize,
}

impl Work {
    fn new(transcoder: &Transcoder, body: &[u8]) -> Self {
        let max_answer = transcoder.max_body.saturating_mul(MAX_GROWTH);
        Self {
            answer: Answer::new(body.len() + body.len() / 8, max_answer),
            done: 0,
            max_answer,
        }
    }

    /// Lets `step` have each payload of `body`, until one fails.
    fn run(
        &mut self,
        body: &[u8],
        max_payload: usize,
        mut step: impl FnMut(&mut Self, Payload) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut failed = Ok(());
        let read = each_payload(body, max_payload, &mut |payload| {
            failed = step(self, payload);
            match failed {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
        failed?;
        read.map_err(Refusal::Unread)
    }

    fn push(&mut self, payload: &Payload) -> Result<(), Refusal> {
        let full = |_| Refusal::AnswerTooLarge {
            limit: self.max_answer,
        };
        self.answer.push(payload).map_err(full)?;
        self.done += 1;
        Ok(())
    }
}

/// Whether `payload` says of itself that it is encrypted.
fn is_sealed(payload: &Payload) -> bool {
    is_encrypted(payload) || is_legacy(payload)
}

fn count(payloads: usize) -> u64 {
    u64::try_from(payloads).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
