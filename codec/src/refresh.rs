//! Asking a key source to look again, when a payload names a key that is not here yet.
//!
//! With staged rotation every process knows a key long before anybody seals under it, so this is
//! for the exceptions: a key activated early, a process that could not refresh for a while. It
//! must not become a way to slow a worker down or to flood the vault, so a look is shared by all
//! who wait, nobody waits longer than [`WAIT`], looks keep a distance that doubles while they find
//! nothing, and ids that were not found are not asked for again for [`FORGET`].

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
        let looked = timeout_at(deadline, ended).await.unwrap_or(false);
        if looked && !holds() {
            self.memory().forget(id);
        }
    }

    fn worthwhile(&self, id: &str, deadline: Instant) -> bool {
        let memory = self.memory();
        let missing = memory.missing.get(id);
        missing.is_none_or(|until| *until <= Instant::now()) && memory.not_before < deadline
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
        self.before = self.ring.current();
        self.refresh.0.looks.send_modify(|(begun, _)| *begun += 1);
        // Whoever asked until now is served by this look.
        self.asked |= self.refresh.0.wanted.notified().now_or_never().is_some();
    }

    /// Says that the look has ended, well or not, and the ring is as it will be.
    pub fn end(&mut self) {
        if std::mem::take(&mut self.asked) {
            let found = !Arc::ptr_eq(&self.before, &self.ring.current());
            self.refresh.memory().ended(found);
        }
        self.refresh
            .0
            .looks
            .send_modify(|(begun, ended)| *ended = *begun);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, advance, timeout};

    use super::{DISTANCE, FORGET, RefreshRequests, WAIT};
    use crate::{Key, KeyId, KeyRing, SharedKeyRing};

    fn ring(ids: &[&str]) -> KeyRing {
        let keys = ids.iter().map(|id| {
            let id: KeyId = id.parse().unwrap();
            (id, Key::from_bytes(&[1; 32]).unwrap())
        });
        KeyRing::new("a".parse().unwrap(), keys).unwrap()
    }

    fn source() -> (SharedKeyRing, RefreshRequests) {
        SharedKeyRing::with_refresh(ring(&["a"]))
    }

    fn asking(ring: &SharedKeyRing, id: &'static str) -> tokio::task::JoinHandle<Duration> {
        let ring = ring.clone();
        tokio::spawn(async move {
            let began = Instant::now();
            ring.find(id).await;
            began.elapsed()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_who_waits_shares_one_look() {
        let (shared, mut requests) = source();
        let waiting: Vec<_> = (0..20).map(|_| asking(&shared, "b")).collect();

        requests.next().await;
        requests.begin();
        shared.replace(ring(&["a", "b"]));
        requests.end();

        for waiter in waiting {
            assert_eq!(waiter.await.unwrap(), Duration::ZERO);
        }
        let another = timeout(Duration::from_secs(3600), requests.next()).await;
        assert!(another.is_err(), "one look is enough for all");
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_began_earlier_does_not_count() {
        let (shared, mut requests) = source();
        requests.begin();
        let waiter = asking(&shared, "b");
        tokio::task::yield_now().await;

        requests.end();
        tokio::task::yield_now().await;

        assert!(!waiter.is_finished());
        requests.next().await;
        requests.begin();
        requests.end();
        waiter.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_began_earlier_is_enough_if_it_finds_the_key() {
        let (shared, mut requests) = source();
        requests.begin();
        let waiter = asking(&shared, "b");
        tokio::task::yield_now().await;

        shared.replace(ring(&["a", "b"]));
        requests.end();

        assert_eq!(waiter.await.unwrap(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_the_bound() {
        let (shared, _requests) = source();

        assert_eq!(asking(&shared, "b").await.unwrap(), WAIT);
    }

    #[tokio::test(start_paused = true)]
    async fn an_id_that_was_not_found_is_not_asked_for_again_for_a_while() {
        let (shared, mut requests) = source();
        let waiter = asking(&shared, "b");
        requests.next().await;
        requests.begin();
        requests.end();
        waiter.await.unwrap();
        advance(DISTANCE).await;

        assert_eq!(asking(&shared, "b").await.unwrap(), Duration::ZERO);

        advance(FORGET).await;
        assert_eq!(asking(&shared, "b").await.unwrap(), WAIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_unknown_ids_neither_waits_nor_looks_for_long() {
        let (shared, mut requests) = source();
        let source = tokio::spawn(async move {
            let mut looks = 0;
            while timeout(Duration::from_secs(120), requests.next())
                .await
                .is_ok()
            {
                requests.begin();
                requests.end();
                looks += 1;
            }
            looks
        });
        let (mut waited, mut asked) = (Duration::ZERO, 0);
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(600) {
            asked += 1;
            let before = Instant::now();
            shared.find(&format!("made-up-{asked}")).await;
            waited += before.elapsed();
            advance(Duration::from_millis(50)).await;
        }

        assert!(asked > 10_000, "{asked}");
        assert!(waited < Duration::from_secs(30), "{waited:?}");
        let looks = source.await.unwrap();
        assert!((5..30).contains(&looks), "{looks}");
    }

    #[tokio::test]
    async fn a_ring_without_a_source_that_can_look_again_answers_at_once() {
        SharedKeyRing::new(ring(&["a"])).find("b").await;
    }
}
