//! A request body that is counted while it arrives.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
};
use hyper::body::{Frame, SizeHint};
use tokio::sync::Semaphore;

use super::Admission;

/// Bodies of the largest size that are held at once; smaller ones are as many as fit into the same room.
const BODIES: usize = 8;

/// Room is given out in pieces of so many bytes, because a semaphore counts to 2^29 on some machines. A body takes its
/// next piece when the last one is full, however small the chunks are that it comes in.
const PIECE: usize = 1024;

/// Why reading a body was given up.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum GivenUp {
    #[error("the body is too large")]
    TooLarge,
    #[error("too many bodies are held at once")]
    NoRoom,
}

/// Room for the bodies of all requests together. Clones share it.
///
/// Without it, memory would be the largest body times the number of requests at once.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Semaphore>);

impl Room {
    /// Returns room for 8 bodies of `limit` bytes.
    pub(super) fn for_bodies_of(limit: usize) -> Self {
        let pieces = limit.saturating_mul(BODIES).div_ceil(PIECE);
        Self(Arc::new(Semaphore::new(pieces.min(Semaphore::MAX_PERMITS))))
    }

    /// Returns the room that `admission`'s body takes.
    pub(super) fn of(&self, admission: &Admission) -> Share {
        Share {
            room: self.clone(),
            admission: admission.clone(),
            length: 0,
        }
    }
}

/// The room that one body takes, kept by its admission.
pub(super) struct Share {
    room: Room,
    admission: Admission,
    length: usize,
}

impl Share {
    /// Takes room for `more` bytes, of which the last piece may have some left.
    fn grow(&mut self, more: usize) -> Result<(), GivenUp> {
        let length = self.length.saturating_add(more);
        let pieces = length.div_ceil(PIECE) - self.length.div_ceil(PIECE);
        self.length = length;
        if pieces == 0 {
            return Ok(());
        }
        let pieces = u32::try_from(pieces).map_err(|_| GivenUp::NoRoom)?;
        let room = Arc::clone(&self.room.0).try_acquire_many_owned(pieces);
        self.admission.keep(room.map_err(|_| GivenUp::NoRoom)?);
        Ok(())
    }
}

/// How far a body has arrived, for those who wait for the answer. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrival(Arc<Progress>);

#[derive(Debug, Default)]
struct Progress {
    complete: AtomicBool,
    given_up: Mutex<Option<GivenUp>>,
}

impl Arrival {
    /// Whether all of it has been read.
    pub(super) fn is_complete(&self) -> bool {
        self.0.complete.load(Ordering::Relaxed)
    }

    /// Why reading was given up, if it was.
    pub(super) fn given_up(&self) -> Option<GivenUp> {
        *lock(&self.0.given_up)
    }

    /// Returns `body` cut off with an error after `limit` bytes, or when there is no `room` for what arrives.
    /// `None` is for bodies whose memory is not ours to count.
    pub(super) fn watch(&self, body: Body, limit: usize, room: Option<Share>) -> Body {
        if body.is_end_stream() {
            self.0.complete.store(true, Ordering::Relaxed);
        }
        Body::new(Counted {
            body,
            left: limit,
            room,
            arrival: self.clone(),
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Counted {
    body: Body,
    left: usize,
    room: Option<Share>,
    arrival: Arrival,
}

impl Counted {
    fn count(&mut self, frame: &Frame<Bytes>) -> Result<(), GivenUp> {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let counted = self.hold(length);
        if let Err(why) = counted {
            *lock(&self.arrival.0.given_up) = Some(why);
        }
        counted
    }

    fn hold(&mut self, length: usize) -> Result<(), GivenUp> {
        self.left = self.left.checked_sub(length).ok_or(GivenUp::TooLarge)?;
        self.room.as_mut().map_or(Ok(()), |room| room.grow(length))
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.arrival.0.complete.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame.map(|frame| {
            let frame = frame?;
            self.count(&frame)?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
