//! The live handle to a key ring that changes while it is in use.

use std::{fmt, sync::Arc};

use tokio::sync::watch;

use crate::KeyRing;

/// A key ring that a key source may replace at any time.
///
/// All clones see the same ring. Reading it costs a counter, never I/O, so it may be read
/// for each payload.
#[derive(Clone)]
pub struct SharedKeyRing {
    sender: Arc<watch::Sender<Arc<KeyRing>>>,
    receiver: watch::Receiver<Arc<KeyRing>>,
}

impl SharedKeyRing {
    /// Shares `ring` until it is replaced.
    #[must_use]
    pub fn new(ring: KeyRing) -> Self {
        let (sender, receiver) = watch::channel(Arc::new(ring));
        Self {
            sender: Arc::new(sender),
            receiver,
        }
    }

    /// The ring as it is now. Keep it for one batch of payloads, not for longer.
    #[must_use]
    pub fn current(&self) -> Arc<KeyRing> {
        Arc::clone(&self.sender.borrow())
    }

    /// Replaces the ring for all clones. Batches that already hold the old one finish with it.
    pub fn replace(&self, ring: KeyRing) {
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
