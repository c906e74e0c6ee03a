//! The live handle to a key ring that changes while it is in use.

use std::{fmt, sync::Arc};

use tokio::sync::watch;

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
    /// Keys that stay keep the count of their uses.
    pub fn replace(&self, mut ring: KeyRing) {
        ring.keep_counts(&self.current());
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
