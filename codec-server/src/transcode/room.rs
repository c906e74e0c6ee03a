//! How much is worked on, and how many answers are kept, at once.

use std::{sync::Arc, thread::available_parallelism};

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Refusal;

/// Answers of the largest size that may wait for their readers at once; as many as there is room for bodies.
const ANSWERS: usize = 8;

/// Room is given out in pieces of so many bytes, because a semaphore counts to 2^29 on some machines.
const PIECE: usize = 1024;

/// Bounds what all requests together take beside their bodies.
#[derive(Debug)]
pub(crate) struct Limits {
    places: Arc<Semaphore>,
    answers: Arc<Semaphore>,
}

impl Limits {
    /// Returns a place to work for each core, and room for 8 answers of `max_answer` bytes.
    pub(crate) fn of(max_answer: usize) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        let pieces = max_answer.saturating_mul(ANSWERS).div_ceil(PIECE);
        Self {
            places: Arc::new(Semaphore::new(cores)),
            answers: Arc::new(Semaphore::new(pieces.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Waits for a place to work. More threads than cores would keep those waiting that answer probes.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        place.map_err(|_| Refusal::Stopping)
    }

    /// Returns room for so many bytes, which is taken as long as it is kept.
    pub(super) fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let pieces = u32::try_from(bytes.div_ceil(PIECE)).map_err(|_| Refusal::Busy)?;
        let room = Arc::clone(&self.answers).try_acquire_many_owned(pieces);
        room.map_err(|_| Refusal::Busy)
    }

    /// Returns `answer`, whose room is taken until the last of it has been sent.
    pub(super) fn hold(&self, mut answer: Vec<u8>) -> Result<Bytes, Refusal> {
        answer.shrink_to_fit();
        let _room = self.room(answer.len())?;
        Ok(Bytes::from_owner(Held { answer, _room }))
    }
}

struct Held {
    answer: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.answer
    }
}
