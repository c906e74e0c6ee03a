//! From body to answer: the payloads of a request, encrypted or decrypted one after the other.

mod failure;
mod fetch;
mod here;
mod refusal;
mod room;
mod task;
mod work;

use std::{collections::HashSet, ops::ControlFlow, panic::resume_unwind, sync::Arc};

use axum::body::Bytes;
use sealane_codec::{
    DecodeError, EncryptionCodec, InflateRoom, KEY_ID, WRAPPED_KEY, is_encrypted, is_legacy,
    is_stored,
};
use sealane_service::http::Admission;
use temporalio_common::protos::temporal::api::common::v1::Payload;
use tokio::task::spawn_blocking;

pub(crate) use self::{
    failure::{Cause, Failure},
    refusal::Refusal,
    room::Limits,
};

use self::{here::Here, task::Task, work::Work};
use crate::{
    metrics::{Counters, Outcome},
    protojson::each_payload,
    target::Operation,
};

/// The key source is asked for at most so many different keys of one request.
const MAX_SOUGHT: usize = 64;

/// Answers are at most so many times as large as requests may be: encryption adds about 200 bytes to
/// a payload, compression may have taken away a lot. Payloads unpack to no more either, all together.
const MAX_GROWTH: usize = 2;

/// Bodies up to this size, which take well under a millisecond, are worked on where they arrived; larger ones
/// would keep other requests of the thread waiting. Handing over costs nearly as much as 100 payloads of 1 KiB.
const MAX_INLINE: usize = 256 * 1024;

/// Bytes that payloads of such a body may unpack to there: a few of them can hold a thousand times as much.
const MAX_INLINE_UNPACKED: usize = 64 * 1024;

/// A piece of work on a request.
type Step<T> = fn(&Transcoder, &Task, InflateRoom) -> Result<T, Refusal>;

/// Does the work of requests.
#[derive(Debug)]
pub(crate) struct Transcoder {
    codec: EncryptionCodec,
    counters: Counters,
    max_payload: usize,
    max_body: usize,
    limits: Limits,
}

/// What a request brings.
pub(crate) struct Job {
    pub(crate) operation: Operation,
    /// Namespaces whose stored payloads are fetched where the others refer to them; `None` if references
    /// stay what they are.
    pub(crate) fetched_of: Option<Vec<String>>,
    pub(crate) body: Bytes,
}

/// How a first look at a body ended.
enum FirstLook {
    /// Here is the answer.
    Answer(Vec<u8>),
    /// Some payloads did not open. Their keys may be found; these are samples that name them.
    Unopened(Sought),
}

/// What it takes to open the payloads of a request.
#[derive(Default)]
struct Sought {
    /// One payload for each key, without data.
    samples: Vec<Payload>,
    /// References, by their place in the request.
    references: Vec<(usize, Payload)>,
}

impl Transcoder {
    /// Returns what works with `codec`, on payloads and bodies of up to so many bytes.
    pub(crate) fn new(
        codec: EncryptionCodec,
        counters: Counters,
        max_payload: usize,
        max_body: usize,
    ) -> Self {
        let limits = Limits::of(max_body.saturating_mul(MAX_GROWTH));
        Self {
            codec,
            counters,
            max_payload,
            max_body,
            limits,
        }
    }

    fn max_answer(&self) -> usize {
        self.max_body.saturating_mul(MAX_GROWTH)
    }

    /// Does what `job` says, and returns the answer.
    ///
    /// Dropping this ends the work after the payload it is at; `admission` is kept as long.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        job: Job,
        admission: Admission,
    ) -> Result<Bytes, Refusal> {
        let (task, _asker) = Task::new(job, admission);
        let json = match task.operation {
            Operation::Encode => self.soon(&task, Self::encode).await?,
            Operation::Decode | Operation::Download => self.find_and_decode(&task).await?,
        };
        self.limits.hold(json)
    }

    async fn find_and_decode(self: &Arc<Self>, task: &Arc<Task>) -> Result<Vec<u8>, Refusal> {
        match self.soon(task, Self::decode).await? {
            FirstLook::Answer(json) => Ok(json),
            FirstLook::Unopened(mut sought) => {
                let fetched = self.fetch(task, sought.references).await?;
                sought.samples.extend(fetched);
                self.codec.find_keys(&sought.samples).await;
                self.apart(task, Self::decode_carefully).await
            }
        }
    }

    /// Works on this thread if that is soon done, and otherwise apart.
    async fn soon<T: Send + 'static>(
        self: &Arc<Self>,
        task: &Arc<Task>,
        work: Step<T>,
    ) -> Result<T, Refusal> {
        if task.body.len() <= MAX_INLINE {
            let room = InflateRoom::of(MAX_INLINE_UNPACKED, MAX_INLINE_UNPACKED);
            match work(self, task, room) {
                Err(Refusal::UnpacksTooLarge { .. }) => {}
                done => return done,
            }
        }
        self.apart(task, work).await
    }

    /// Works on a thread where that disturbs nobody.
    async fn apart<T: Send + 'static>(
        self: &Arc<Self>,
        task: &Arc<Task>,
        work: Step<T>,
    ) -> Result<T, Refusal> {
        let place = self.limits.place().await?;
        let (transcoder, task) = (Arc::clone(self), Arc::clone(task));
        let room = InflateRoom::of(self.max_payload, self.max_answer());
        let done = spawn_blocking(move || {
            let _place = place;
            work(&transcoder, &task, room)
        });
        done.await
            .unwrap_or_else(|error| match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Err(Refusal::Stopping),
            })
    }

    /// Encrypts all payloads of `task`, or none.
    fn encode(&self, task: &Task, room: InflateRoom) -> Result<Vec<u8>, Refusal> {
        let mut work = Work::new(self, task, room);
        work.run(|work, payload| {
            let index = work.done;
            let sealed = self.codec.encode_payload(payload);
            let sealed = sealed.map_err(|error| Refusal::of_encoding(index, &error))?;
            work.push(&sealed)
        })
        .inspect_err(|refusal| {
            let failed = u64::from(*refusal != Refusal::Abandoned);
            self.counters
                .add(Operation::Encode, Outcome::Failed, failed);
        })?;
        self.counters
            .add(Operation::Encode, Outcome::Done, count(work.done));
        Ok(work.finish())
    }

    /// Decrypts the payloads of `task` with the keys that are here.
    ///
    /// Payloads that do not open are consumed by the attempt. They are rare, so it is made with the
    /// only copy, and [`decode_carefully`](Self::decode_carefully) begins anew.
    fn decode(&self, task: &Task, room: InflateRoom) -> Result<FirstLook, Refusal> {
        let mut work = Work::new(self, task, room);
        let (mut plain, mut references) = (0, 0);
        let mut here = Here::of(&self.codec);
        let ran = work.run(|work, payload| {
            if is_stored(&payload) {
                references += 1;
                return match task.fetched_of {
                    Some(_) => Err(Refusal::Unopened),
                    None => work.push(&payload),
                };
            }
            plain += u64::from(!is_sealed(&payload));
            if !here.has_key_of(&payload) {
                return Err(Refusal::Unopened);
            }
            let index = work.done;
            let opened = self.codec.decode_payload_within(&mut work.room, payload);
            work.push(&opened.map_err(|error| Refusal::of_decoding(index, &error))?)
        });
        match ran {
            Err(Refusal::Unopened) => return Ok(FirstLook::Unopened(self.sought(task)?)),
            ran => ran?,
        }
        let opened = count(work.done) - plain - references;
        self.count(task, [opened, plain, references, 0]);
        Ok(FirstLook::Answer(work.finish()))
    }

    /// Decrypts what can be decrypted of `task` and keeps the rest as it came.
    ///
    /// # Errors
    ///
    /// Also if nothing opens though something should, if a plain payload is refused, or if one unpacks to too much.
    fn decode_carefully(&self, task: &Task, room: InflateRoom) -> Result<Vec<u8>, Refusal> {
        let mut work = Work::new(self, task, room);
        let (mut opened, mut plain, mut references, mut failed) = (0, 0, 0, 0);
        let mut first: Option<Failure> = None;
        let ran = work.run(|work, payload| {
            let original = payload.clone();
            let stored = is_stored(&original);
            if stored && task.fetched(work.done).is_none() {
                references += 1;
                return work.push(&original);
            }
            let is_plain = !stored && !is_sealed(&original);
            let whole = match task.fetched(work.done) {
                Some(fetched) => fetched.clone().map_err(DecodeError::from),
                None => Ok(payload),
            };
            let decoded = whole.and_then(|it| self.codec.decode_payload_within(&mut work.room, it));
            match decoded {
                Ok(payload) => {
                    plain += u64::from(is_plain);
                    opened += u64::from(!is_plain);
                    work.push(&payload)
                }
                Err(error) => {
                    let refusal = Refusal::of_decoding(work.done, &error);
                    if refusal != Refusal::Unopened {
                        return Err(refusal);
                    }
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
        self.count(task, [opened, plain, references, failed]);
        ran?;
        match first {
            Some(failure) if opened == 0 => Err(Refusal::Unreadable(failure)),
            _ => Ok(work.finish()),
        }
    }

    /// What it takes to open the payloads of `task`.
    fn sought(&self, task: &Task) -> Result<Sought, Refusal> {
        let mut seen = HashSet::new();
        let (mut sought, mut index) = (Sought::default(), 0);
        each_payload(&task.body, self.max_payload, &mut |payload| {
            let part = |name| payload.metadata.get(name).cloned();
            let is_new = is_encrypted(&payload)
                && sought.samples.len() < MAX_SOUGHT
                && seen.insert((part(KEY_ID), part(WRAPPED_KEY)));
            if is_new {
                sought.samples.push(Payload {
                    data: Vec::new(),
                    ..payload
                });
            } else if task.fetched_of.is_some() && is_stored(&payload) {
                sought.references.push((index, payload));
            }
            index += 1;
            match fetch::are_too_many(&sought.references) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
        .or_else(Refusal::unless_stopped)?;
        Ok(sought)
    }

    /// Counts payloads that were done, plain, references, failed.
    fn count(&self, task: &Task, payloads: [u64; 4]) {
        for (outcome, payloads) in Outcome::ALL.into_iter().zip(payloads) {
            self.counters.add(task.operation, outcome, payloads);
        }
    }

    fn count_failure(&self, payload: &Payload, failure: &Failure) {
        let ring = self.codec.ring().map(sealane_codec::SharedKeyRing::current);
        let id = failure::key_id(payload);
        let known = ring.is_some_and(|ring| ring.ids().any(|held| Some(held.as_str()) == id));
        let id = id.filter(|_| known).unwrap_or(crate::metrics::OTHER);
        self.counters.failed(id, failure.cause.label());
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
