//! What a connection is doing, as far as its server must know.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;

use crate::http::body::Arrival;

/// Shared by a connection, its service and its stream.
#[derive(Default)]
pub(super) struct Activity {
    requests: AtomicUsize,
    answering: AtomicUsize,
    blocked: AtomicBool,
    request_body: Mutex<Option<Arrival>>,
    go: Notify,
    idle: Arc<Notify>,
}

impl Activity {
    /// Returns the activity of a new connection, which tells `idle` each time it has answered.
    pub(super) fn new(idle: Arc<Notify>) -> Self {
        Self {
            idle,
            ..Self::default()
        }
    }

    /// Whether nobody would miss an answer if the connection closed now.
    pub(super) fn is_idle(&self) -> bool {
        !self.is_answering() && !self.blocked.load(Ordering::Relaxed)
    }

    /// Whether there is a request whose answer is not complete.
    pub(super) fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed) > 0
    }

    /// Returns how many requests have come so far.
    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Whether the client may still be sending a body that nobody reads.
    pub(super) fn left_body_unread(&self) -> bool {
        let body = self.request_body.lock();
        let body = body.unwrap_or_else(PoisonError::into_inner);
        body.as_ref().is_some_and(|body| !body.is_complete())
    }

    /// Asks the connection to close, which it does unless it is not idle any more.
    pub(super) fn ask_to_go(&self) {
        self.go.notify_one();
    }

    /// Completes when the connection is asked to close.
    pub(super) async fn asked_to_go(&self) {
        self.go.notified().await;
    }

    /// Makes the server look again for a connection that can go.
    pub(super) fn tell_idle(&self) {
        self.idle.notify_one();
    }

    /// Notes whether the client does not take what is written.
    pub(super) fn set_blocked(&self, blocked: bool) {
        self.blocked.store(blocked, Ordering::Relaxed);
        if !blocked {
            self.tell_idle();
        }
    }

    /// Returns `body` with its arrival noted.
    pub(super) fn watch(&self, body: Body) -> Body {
        if body.is_end_stream() {
            return body;
        }
        let arrival = Arrival::default();
        let mut last = self
            .request_body
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(arrival.clone());
        arrival.watch(body, usize::MAX, None)
    }

    /// Notes that a request is being answered, until what is returned is dropped.
    pub(super) fn answer(self: &Arc<Self>) -> Answering {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.answering.fetch_add(1, Ordering::Relaxed);
        Answering(self.clone())
    }
}

/// A request that is being answered.
pub(super) struct Answering(Arc<Activity>);

impl Answering {
    /// Returns `body`, which keeps the connection busy until all of it is handed on.
    pub(super) fn until_sent(self, body: Body) -> Body {
        Body::new(Sent {
            body,
            _answering: self,
        })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
        self.0.tell_idle();
    }
}

struct Sent {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
