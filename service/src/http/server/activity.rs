//! What a connection is doing, as far as its server must know.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::body::{Body, HttpBody};
use tokio::{sync::Notify, time::Instant};

use crate::http::{body::Arrival, sent};

/// A client for which we have waited this long has to go for others. Those on slow lines wait for less at a time.
pub(super) const STUCK: Duration = Duration::from_secs(5);

/// Shared by a connection, its service and its stream.
#[derive(Default)]
pub(super) struct Activity {
    requests: AtomicUsize,
    answering: AtomicUsize,
    blocked: Mutex<Blocked>,
    request_body: Mutex<Option<Arrival>>,
    go: Notify,
    idle: Arc<Notify>,
}

/// How long the client has not taken what is written.
#[derive(Default)]
struct Blocked {
    since: Option<Instant>,
    /// Earlier, and not made up for: whoever takes a byte now and then would otherwise never have waited for long.
    before: Duration,
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
        !self.is_answering() && self.blocked().since.is_none()
    }

    /// Whether the client takes its answers so slowly that it may lose them when others want its place.
    pub(super) fn is_stuck(&self) -> bool {
        let blocked = self.blocked();
        let waited = |since: Instant| blocked.before + since.elapsed() >= STUCK;
        blocked.since.is_some_and(waited)
    }

    /// Whether the connection may be closed for another.
    pub(super) fn may_go(&self) -> bool {
        self.is_idle() || self.is_stuck()
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

    /// Asks the connection to close, which it does if it still may.
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
    pub(super) fn set_blocked(&self, is_blocked: bool) {
        let mut blocked = self.blocked();
        if is_blocked {
            blocked.since.get_or_insert_with(Instant::now);
        } else if let Some(since) = blocked.since.take() {
            blocked.before += since.elapsed();
            drop(blocked);
            self.tell_idle();
        }
    }

    /// Notes that the client waits for nothing: it has taken all answers, and sent no other request.
    pub(super) fn caught_up(&self) {
        self.blocked().before = Duration::ZERO;
    }

    fn blocked(&self) -> MutexGuard<'_, Blocked> {
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner)
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
        sent::pass(body, move |bytes| {
            // Owned by what passes the body on.
            let _answering = &self;
            bytes
        })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
        self.0.tell_idle();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use axum::body::Body;
    use tokio::time::advance;

    use super::{Activity, STUCK};

    #[test]
    fn a_connection_is_busy_until_the_whole_answer_is_handed_on() {
        let activity = Arc::new(Activity::default());

        let body = activity.answer().until_sent(Body::from("answer"));

        assert!(!activity.may_go());
        drop(body);
        assert!(activity.may_go());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_stuck_when_it_has_kept_us_waiting_for_long_enough_in_all() {
        let activity = Arc::new(Activity::default());
        let _answering = activity.answer();
        for _ in 0..2 {
            activity.set_blocked(true);
            advance(STUCK / 2 - Duration::from_millis(1)).await;
            activity.set_blocked(false);
        }

        activity.set_blocked(true);
        assert!(!activity.may_go());
        advance(Duration::from_millis(2)).await;

        assert!(activity.is_stuck());
        activity.set_blocked(false);
        assert!(!activity.may_go());
    }
}
