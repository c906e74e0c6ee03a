//! A request, as far as its work must know it.

use std::sync::{Arc, Weak};

use axum::body::Bytes;
use sealane_service::http::Admission;

/// What one request wants done. Work on another thread keeps it, and with it what the edge gave out.
pub(super) struct Task {
    pub(super) body: Bytes,
    asker: Weak<()>,
    _admission: Admission,
}

/// Whoever waits for the answer. Work goes on as long as this lives.
pub(super) struct Asker(#[expect(dead_code, reason = "only its life counts")] Arc<()>);

impl Task {
    pub(super) fn new(body: Bytes, admission: Admission) -> (Arc<Self>, Asker) {
        let asker = Arc::new(());
        let task = Self {
            body,
            asker: Arc::downgrade(&asker),
            _admission: admission,
        };
        (Arc::new(task), Asker(asker))
    }

    /// Whether nobody waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.asker.strong_count() == 0
    }
}
