//! What was transferred, for metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts since the process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Payloads stored.
    pub stored: u64,
    /// Bytes of them.
    pub stored_bytes: u64,
    /// Payloads fetched.
    pub fetched: u64,
    /// Bytes of them.
    pub fetched_bytes: u64,
    /// Payloads that were still in memory.
    pub recalled: u64,
    /// Payloads that could not be stored.
    pub not_stored: u64,
    /// Payloads that could not be fetched, or are not what they should be.
    pub not_fetched: u64,
}

#[derive(Default)]
pub(super) struct Counts {
    stored: AtomicU64,
    stored_bytes: AtomicU64,
    fetched: AtomicU64,
    fetched_bytes: AtomicU64,
    recalled: AtomicU64,
    not_stored: AtomicU64,
    not_fetched: AtomicU64,
}

impl Counts {
    pub(super) fn status(&self) -> Status {
        Status {
            stored: self.stored.load(Relaxed),
            stored_bytes: self.stored_bytes.load(Relaxed),
            fetched: self.fetched.load(Relaxed),
            fetched_bytes: self.fetched_bytes.load(Relaxed),
            recalled: self.recalled.load(Relaxed),
            not_stored: self.not_stored.load(Relaxed),
            not_fetched: self.not_fetched.load(Relaxed),
        }
    }

    pub(super) fn stored(&self, bytes: usize) {
        self.stored.fetch_add(1, Relaxed);
        self.stored_bytes.fetch_add(wide(bytes), Relaxed);
    }

    pub(super) fn fetched(&self, bytes: usize) {
        self.fetched.fetch_add(1, Relaxed);
        self.fetched_bytes.fetch_add(wide(bytes), Relaxed);
    }

    pub(super) fn recalled(&self, found: bool) {
        self.recalled.fetch_add(u64::from(found), Relaxed);
    }

    pub(super) fn store_failed(&self) {
        self.not_stored.fetch_add(1, Relaxed);
    }

    pub(super) fn fetch_failed(&self) {
        self.not_fetched.fetch_add(1, Relaxed);
    }
}

fn wide(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
