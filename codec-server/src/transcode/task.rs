//! A request, as far as its work must know it.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock, Weak},
};

use axum::body::Bytes;
use sealane_codec::large_payloads::FetchError;
use sealane_service::http::Admission;
use temporalio_common::protos::temporal::api::common::v1::Payload;
use tokio::sync::OwnedSemaphorePermit;

use super::Job;
use crate::target::Operation;

/// What one request wants done. Work on another thread keeps it, and with it what the edge gave out.
pub(super) struct Task {
    pub(super) operation: Operation,
    pub(super) body: Bytes,
    /// Namespaces whose stored payloads are fetched, if any are.
    pub(super) fetched_of: Option<Vec<String>>,
    fetched: OnceLock<Fetched>,
    asker: Weak<()>,
    _admission: Admission,
}

/// What was fetched, by the place of its reference in the request.
pub(super) struct Fetched {
    pub(super) payloads: HashMap<usize, Result<Payload, FetchError>>,
    pub(super) _room: OwnedSemaphorePermit,
}

/// Whoever waits for the answer. Work goes on as long as this lives.
pub(super) struct Asker(#[expect(dead_code, reason = "only its life counts")] Arc<()>);

impl Task {
    pub(super) fn new(job: Job, admission: Admission) -> (Arc<Self>, Asker) {
        let asker = Arc::new(());
        let task = Self {
            operation: job.operation,
            body: job.body,
            fetched_of: job.fetched_of,
            fetched: OnceLock::new(),
            asker: Arc::downgrade(&asker),
            _admission: admission,
        };
        (Arc::new(task), Asker(asker))
    }

    /// Keeps what was fetched. A second time changes nothing.
    pub(super) fn keep(&self, fetched: Fetched) {
        self.fetched.set(fetched).ok();
    }

    /// What the reference at `index` refers to, if that was sought.
    pub(super) fn fetched(&self, index: usize) -> Option<&Result<Payload, FetchError>> {
        self.fetched.get()?.payloads.get(&index)
    }

    /// Whether nobody waits for the answer any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.asker.strong_count() == 0
    }
}
