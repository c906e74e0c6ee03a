//! Asking a key source to look again, when a payload names a key that is not here yet.
//!
//! With staged rotation every process knows a key long before anybody seals under it, so this is
//! for the exceptions: a key activated early, a process that could not refresh for a while. It
//! must not become a way to slow a worker down or to flood the vault, so a look is shared by all
//! who wait, nobody waits longer than [`WAIT`], or at all for a look that others have waited for in
//! vain, looks keep a distance that doubles while they find nothing, and ids that were not found are
//! not asked for again for [`FORGET`].

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until, timeout_at},
};

use crate::{KeyRing, SharedKeyRing};

/// Longest wait for one payload. The SDK's poll loops stand still meanwhile, so it is short: a
/// list and a get of Key Vault take some tens of milliseconds.
const WAIT: Duration = Duration::from_secs(1);

/// Distance between two looks that were asked for.
const DISTANCE: Duration = Duration::from_secs(1);

/// Distance after several looks that found nothing.
const LONGEST_DISTANCE: Duration = Duration::from_secs(60);

/// How long an id that was not found is taken to be unknown.
const FORGET: Duration = Duration::from_secs(30);

/// Ids remembered as not found. They come from outside, so there may be any number.
const MAX_MISSING: usize = 1024;

/// Longest id that is asked for, in bytes: ids come from outside, and those of Key Vault are made of
/// a name of at most 127 characters and a version of 32.
const MAX_ID: usize = 512;

/// The asking side, shared by all clones of a [`SharedKeyRing`].
#[derive(Clone)]
pub(crate) struct Refresh(Arc<State>);

struct State {
    wanted: Notify,
    /// Looks begun and looks ended.
    looks: watch::Sender<(u64, u64)>,
    memory: Mutex<Memory>,
}

struct Memory {
    missing: HashMap<String, Instant>,
    /// Somebody has waited in vain for a look that has not ended since.
    slow: bool,
    fruitless: u32,
    not_before: Instant,
}

impl Refresh {
    fn new() -> Self {
        Self(Arc::new(State {
            wanted: Notify::new(),
            looks: watch::Sender::new((0, 0)),
            memory: Mutex::new(Memory {
                missing: HashMap::new(),
                slow: false,
                fruitless: 0,
                not_before: Instant::now(),
            }),
        }))
    }

    /// Returns once a look has ended after which `holds` says so, or one that began after this call,
    /// or after [`WAIT`], or at once if asking is pointless.
    pub(crate) async fn find(&self, id: &str, holds: impl Fn() -> bool + Sync) {
        let deadline = Instant::now() + WAIT;
        if !self.worthwhile(id, deadline) {
            return;
        }
        let mut looks = self.0.looks.subscribe();
        let (begun, _) = *looks.borrow_and_update();
        self.0.wanted.notify_one();
        let ended = async {
            // A look that had begun before may have found it as well. The source holds the sending
            // side's state, so the channel stays open.
            let enough = |(_, ended): &(u64, u64)| *ended > begun || holds();
            looks.wait_for(enough).await.is_ok()
        };
        match timeout_at(deadline, ended).await {
            Err(_) => self.memory().slow = true,
            Ok(true) if !holds() => self.memory().forget(id),
            Ok(_) => {}
        }
    }

    fn worthwhile(&self, id: &str, deadline: Instant) -> bool {
        let memory = self.memory();
        let missing = memory.missing.get(id);
        let forgotten = missing.is_none_or(|until| *until <= Instant::now());
        forgotten && !memory.slow && memory.not_before < deadline && id.len() <= MAX_ID
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Refresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresh").finish_non_exhaustive()
    }
}

impl Memory {
    fn forget(&mut self, id: &str) {
        let now = Instant::now();
        if self.missing.len() >= MAX_MISSING {
            self.missing.retain(|_, until| *until > now);
        }
        if self.missing.len() < MAX_MISSING {
            self.missing.insert(id.to_owned(), now + FORGET);
        }
    }

    fn ended(&mut self, found: bool) {
        self.fruitless = if found { 0 } else { self.fruitless + 1 };
        let doubled = 2u32.saturating_pow(self.fruitless.saturating_sub(1));
        let distance = DISTANCE.saturating_mul(doubled).min(LONGEST_DISTANCE);
        self.not_before = Instant::now() + distance;
        if found {
            self.missing.clear();
        }
    }
}

/// The answering side, for the source that feeds a ring.
///
/// ```text
/// loop {
///     select! { () = requests.next() => {}, () = timer => {} }
///     requests.begin();
///     // list, load, replace the ring
///     requests.end();
/// }
/// ```
#[derive(Debug)]
pub struct RefreshRequests {
    refresh: Refresh,
    ring: SharedKeyRing,
    before: Arc<KeyRing>,
    asked: bool,
}

impl RefreshRequests {
    pub(crate) fn new(ring: SharedKeyRing) -> (Self, Refresh) {
        let refresh = Refresh::new();
        let requests = Self {
            refresh: refresh.clone(),
            before: ring.current(),
            asked: false,
            ring,
        };
        (requests, refresh)
    }

    /// Waits until somebody asks and the distance from the last look is kept.
    ///
    /// Nothing is lost if it is dropped before it returns.
    pub async fn next(&mut self) {
        if !self.asked {
            self.refresh.0.wanted.notified().await;
            self.asked = true;
        }
        let not_before = self.refresh.memory().not_before;
        sleep_until(not_before).await;
    }

    /// Says that a look at the source begins. Call it before the first request to the source.
    pub fn begin(&mut self) {
        // Whoever has asked until now is served by this look. Taken before it counts as begun, so
        // that nobody who comes between the two is taken for served.
        self.asked |= self.refresh.0.wanted.notified().now_or_never().is_some();
        self.before = self.ring.current();
        self.refresh.0.looks.send_modify(|(begun, _)| *begun += 1);
    }

    /// Says that the look has ended, well or not, and the ring is as it will be.
    pub fn end(&mut self) {
        let found = !Arc::ptr_eq(&self.before, &self.ring.current());
        let mut memory = self.refresh.memory();
        memory.slow = false;
        if std::mem::take(&mut self.asked) {
            memory.ended(found);
        }
        drop(memory);
        self.refresh
            .0
            .looks
            .send_modify(|(begun, ended)| *ended = *begun);
    }
}

#[cfg(test)]
mod tests;
