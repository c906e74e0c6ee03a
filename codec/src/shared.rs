//! The live handle to a key ring that changes while it is in use.

mod dropped;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

use self::dropped::Dropped;
use crate::{
    KeyRing,
    refresh::{Refresh, RefreshRequests},
};

/// A key ring that a key source may replace at any time.
///
/// All clones see the same ring. Reading it costs a counter, never I/O, so it may be read
/// for each payload.
#[derive(Clone)]
pub struct SharedKeyRing {
    sender: Arc<watch::Sender<Arc<KeyRing>>>,
    receiver: watch::Receiver<Arc<KeyRing>>,
    dropped: Arc<Mutex<Dropped>>,
    refresh: Option<Refresh>,
}

impl SharedKeyRing {
    /// Shares `ring` until it is replaced.
    #[must_use]
    pub fn new(ring: KeyRing) -> Self {
        let (sender, receiver) = watch::channel(Arc::new(ring));
        Self {
            sender: Arc::new(sender),
            receiver,
            dropped: Arc::default(),
            refresh: None,
        }
    }

    /// Shares `ring`, whose source looks again when a payload names a key that is not in it.
    ///
    /// The source has to answer the requests, or everyone who asks waits in vain for a second.
    #[must_use]
    pub fn with_refresh(ring: KeyRing) -> (Self, RefreshRequests) {
        let mut shared = Self::new(ring);
        let (requests, refresh) = RefreshRequests::new(shared.clone());
        shared.refresh = Some(refresh);
        (shared, requests)
    }

    /// Asks the source for the key called `id` unless the ring holds it, and waits a second at
    /// most. Whether that helped, [`current`](Self::current) tells.
    pub async fn find(&self, id: &str) {
        let holds = || self.current().key(id).is_some();
        match &self.refresh {
            Some(refresh) if !holds() => refresh.find(id, holds).await,
            _ => {}
        }
    }

    /// The ring as it is now. Keep it for one batch of payloads, not for longer.
    #[must_use]
    pub fn current(&self) -> Arc<KeyRing> {
        Arc::clone(&self.sender.borrow())
    }

    /// Replaces the ring for all clones. Batches that already hold the old one finish with it.
    ///
    /// Keys that stay keep the count of their uses, and keys that come back have it again: the
    /// limit of a key holds for all the time that a process has it.
    pub fn replace(&self, mut ring: KeyRing) {
        let former = self.current();
        ring.keep_counts(&former);
        let dropped = self.dropped.lock();
        let mut dropped = dropped.unwrap_or_else(PoisonError::into_inner);
        dropped.exchange(&former, &ring);
        self.sender.send_replace(Arc::new(ring));
    }

    /// Waits until the ring is replaced.
    ///
    /// Returns at once if that has happened since this clone was made or last waited, so no
    /// replacement is missed between two calls; several may show as one.
    pub async fn changed(&mut self) {
        let changed = self.receiver.changed().await;
        changed.expect("this handle owns a sender, so the channel is open");
    }
}

impl fmt::Debug for SharedKeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedKeyRing")
            .field(&self.current())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::common::v1::Payload;

    use super::SharedKeyRing;
    use crate::{Key, KeyRing};

    fn key(fill: u8) -> Key {
        Key::from_bytes(&[fill; 32]).unwrap()
    }

    fn ring(keys: &[(&str, u8)]) -> KeyRing {
        let keys = keys
            .iter()
            .map(|(id, fill)| (id.parse().unwrap(), key(*fill)));
        KeyRing::new("a".parse().unwrap(), keys).unwrap()
    }

    /// How often the ring's keys sealed and opened, in the order of their ids.
    fn uses(shared: &SharedKeyRing) -> Vec<(u64, u64)> {
        let ring = shared.current();
        let keys = ring.keys().map(|(_, key)| (key.seals(), key.opens()));
        keys.collect()
    }

    #[test]
    fn a_key_that_was_dropped_and_comes_back_has_not_lost_count() {
        let shared = SharedKeyRing::new(ring(&[("a", 1), ("b", 2)]));
        for _ in 0..3 {
            let sealed = shared.current().seal(&Payload::default()).unwrap();
            shared.current().open(&sealed).unwrap();
        }
        let other = || KeyRing::new("b".parse().unwrap(), [("b".parse().unwrap(), key(2))]);

        shared.replace(other().unwrap());
        shared.replace(other().unwrap());
        assert_eq!(uses(&shared), [(0, 0)]);
        shared.replace(ring(&[("a", 1), ("b", 2)]));

        assert_eq!(uses(&shared), [(3, 3), (0, 0)]);
        shared.current().seal(&Payload::default()).unwrap();
        assert_eq!(uses(&shared)[0], (4, 3));
    }

    #[test]
    fn a_key_under_two_names_has_one_count() {
        let shared = SharedKeyRing::new(ring(&[("a", 1), ("b", 1), ("c", 2)]));
        shared.current().seal(&Payload::default()).unwrap();
        assert_eq!(uses(&shared), [(1, 0), (1, 0), (0, 0)]);

        shared.replace(ring(&[("a", 3), ("d", 1)]));

        assert_eq!(uses(&shared), [(0, 0), (1, 0)]);
    }

    #[test]
    fn a_key_whose_place_another_had_for_a_while_has_not_lost_count() {
        let shared = SharedKeyRing::new(ring(&[("a", 1)]));
        shared.current().seal(&Payload::default()).unwrap();

        for another in [2, 3] {
            shared.replace(ring(&[("a", another)]));
            assert_eq!(uses(&shared), [(0, 0)]);
        }
        shared.replace(ring(&[("a", 1)]));

        assert_eq!(uses(&shared), [(1, 0)]);
    }

    #[test]
    fn another_key_that_takes_the_place_of_one_starts_from_nothing() {
        let shared = SharedKeyRing::new(ring(&[("a", 1)]));
        shared.current().seal(&Payload::default()).unwrap();

        shared.replace(ring(&[("a", 2)]));

        assert_eq!(uses(&shared), [(0, 0)]);
    }
}
