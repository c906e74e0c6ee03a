//! A request body that is counted while it arrives.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
};
use hyper::body::{Frame, SizeHint};

/// The body holds more bytes than are taken.
#[derive(Debug, thiserror::Error)]
#[error("the body is too large")]
pub(super) struct TooLarge;

/// How far a body has arrived, for those who wait for the answer. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrival(Arc<Progress>);

#[derive(Debug, Default)]
struct Progress {
    complete: AtomicBool,
    too_large: AtomicBool,
}

impl Arrival {
    /// Whether all of it has been read.
    pub(super) fn is_complete(&self) -> bool {
        self.0.complete.load(Ordering::Relaxed)
    }

    /// Whether more than the limit came, so that reading was given up.
    pub(super) fn is_too_large(&self) -> bool {
        self.0.too_large.load(Ordering::Relaxed)
    }

    /// Returns `body` cut off with an error after `limit` bytes.
    pub(super) fn watch(&self, body: Body, limit: usize) -> Body {
        if body.is_end_stream() {
            self.0.complete.store(true, Ordering::Relaxed);
        }
        Body::new(Counted {
            body,
            left: limit,
            arrival: self.clone(),
        })
    }
}

struct Counted {
    body: Body,
    left: usize,
    arrival: Arrival,
}

impl Counted {
    fn count(&mut self, frame: &Frame<Bytes>) -> Result<(), TooLarge> {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let left = self.left.checked_sub(length);
        if left.is_none() {
            self.arrival.0.too_large.store(true, Ordering::Relaxed);
        }
        self.left = left.ok_or(TooLarge)?;
        Ok(())
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
