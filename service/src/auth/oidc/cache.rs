//! Keys of the issuer, kept up to date.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock, Weak},
    time::Duration,
};

use prometheus::IntCounter;
use tokio::{
    sync::{Mutex, Semaphore},
    time::{Instant, sleep},
};

use super::{fetch::Source, key_set::KeySet};
use crate::{auth::denied::Reason, probes::Health};

/// How often the keys are loaded anew, give or take [a tenth](JITTER).
const EVERY: Duration = Duration::from_secs(3600);

/// Share by which waits are drawn out at random, so that the processes of a fleet do not ask together.
const JITTER: f64 = 0.1;

/// First and longest wait after a failure; each is twice as long as the one before.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Keys that could not be confirmed for so long are trusted no more: the issuer may have withdrawn them.
const MAX_AGE: Duration = Duration::from_secs(24 * 3600);

/// Time between two looks for a key that is not known. Anybody can name one.
const UNKNOWN_KEY_EVERY: Duration = Duration::from_secs(30);

/// Time between two looks on behalf of requests while there are no keys at all.
const NO_KEYS_EVERY: Duration = Duration::from_secs(1);

/// Requests that wait for one look. An issuer that is slow must not fill the process with those who name odd keys; the others
/// can come back when the look is over.
const MAX_WAITING: usize = 16;

/// How often the condition is checked.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// The keys that were loaded last, and the way to newer ones.
pub(super) struct KeyCache {
    source: Source,
    loaded: RwLock<Option<Loaded>>,
    /// Held while the issuer is asked: those who need the same answer wait for it instead of asking again.
    looks: Mutex<Looks>,
    waiting: Arc<Semaphore>,
    failures: IntCounter,
}

#[derive(Clone)]
struct Loaded {
    keys: Arc<KeySet>,
    at: Instant,
}

/// When requests last made us look. The regular looks do not count, so that the first new key is never waited for.
#[derive(Default)]
struct Looks {
    on_demand: Option<Instant>,
    /// Whether keys were held when a failure was last told. None while there is none.
    told: Option<bool>,
}

impl KeyCache {
    /// Returns keys after one look at `source`, whatever came of it, and goes on looking while they are kept.
    pub(super) async fn start(source: Source, failures: IntCounter) -> Arc<Self> {
        let cache = Arc::new(Self {
            source,
            loaded: RwLock::default(),
            looks: Mutex::default(),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
            failures,
        });
        let is_loaded = cache.look(&mut *cache.looks.lock().await).await;
        tokio::spawn(follow(Arc::downgrade(&cache), is_loaded));
        cache
    }

    /// Returns the time since the keys were loaded.
    pub(super) fn age(&self) -> Option<Duration> {
        self.loaded().map(|loaded| loaded.at.elapsed())
    }

    /// Returns keys, among them the one called `id` if the issuer has it.
    pub(super) async fn with(self: &Arc<Self>, id: &str) -> Result<Arc<KeySet>, Reason> {
        if let Some(keys) = self.usable(Instant::now()).filter(|keys| keys.has(id)) {
            return Ok(keys);
        }
        let looks = self.looks.try_lock();
        if !looks.is_ok_and(|looks| self.has_looked(&looks)) {
            self.wait_for(id).await?;
        }
        self.usable(Instant::now()).ok_or(Reason::IssuerUnavailable)
    }

    async fn wait_for(self: &Arc<Self>, id: &str) -> Result<(), Reason> {
        let place = Arc::clone(&self.waiting).try_acquire_owned();
        let place = place.map_err(|_| Reason::IssuerUnavailable)?;
        // As a task of its own: the look goes on if this request is given up, and others profit.
        let (cache, wanted) = (Arc::clone(self), id.to_owned());
        let look = tokio::spawn(async move {
            let _place = place;
            cache.look_for(&wanted).await;
        });
        if let Err(error) = look.await {
            tracing::error!(error = %error, "a look for the keys of the issuer of tokens has ended");
        }
        Ok(())
    }

    async fn look_for(&self, id: &str) {
        let mut looks = self.looks.lock().await;
        // Whoever held the lock may have found it.
        let keys = self.usable(Instant::now());
        if keys.is_some_and(|keys| keys.has(id)) || self.has_looked(&looks) {
            return;
        }
        self.look(&mut looks).await;
        looks.on_demand = Some(Instant::now());
    }

    /// Returns whether a request has made us look so lately that no other does yet.
    fn has_looked(&self, looks: &Looks) -> bool {
        let pause = match self.usable(Instant::now()) {
            Some(_) => UNKNOWN_KEY_EVERY,
            None => NO_KEYS_EVERY,
        };
        looks.on_demand.is_some_and(|last| last.elapsed() < pause)
    }

    /// Returns whether there are new keys. Failures are logged once until there are, and once more when the keys that are held
    /// are too old.
    async fn look(&self, looks: &mut Looks) -> bool {
        match self.source.keys().await {
            Ok(keys) => {
                let (keys, at) = (Arc::new(keys), Instant::now());
                let loaded = Some(Loaded { keys, at });
                *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
                if looks.told.is_some() {
                    tracing::info!("keys of the issuer of tokens are loaded again");
                }
                looks.told = None;
                true
            }
            Err(error) => {
                self.failures.inc();
                let held = self.usable(Instant::now()).is_some();
                if looks.told != Some(held) {
                    tracing::warn!(
                        auth.keys_held = held,
                        "keys of the issuer of tokens cannot be loaded: {error}"
                    );
                }
                looks.told = Some(held);
                false
            }
        }
    }

    /// Returns the keys, unless they are too old.
    fn usable(&self, now: Instant) -> Option<Arc<KeySet>> {
        let loaded = self.loaded()?;
        (now.saturating_duration_since(loaded.at) <= MAX_AGE).then_some(loaded.keys)
    }

    fn loaded(&self) -> Option<Loaded> {
        let loaded = self.loaded.read();
        loaded.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn condition(&self) -> Result<(), String> {
        match self.usable(Instant::now()) {
            Some(_) => Ok(()),
            None => Err("no keys of the issuer of tokens".to_owned()),
        }
    }
}

/// The address of the issuer is a setting and no secret, but there is nothing here that a log needs.
impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("KeyCache");
        shown.field("age", &self.age()).finish_non_exhaustive()
    }
}

/// Looks again and again until nobody keeps the cache.
async fn follow(cache: Weak<KeyCache>, mut is_loaded: bool) {
    let (first, longest) = RETRY;
    let mut retry = first;
    loop {
        let wait = if is_loaded { EVERY } else { retry };
        retry = if is_loaded {
            first
        } else {
            (2 * retry).min(longest)
        };
        sleep(drawn_out(wait)).await;
        let Some(cache) = cache.upgrade() else {
            return;
        };
        let mut looks = cache.looks.lock().await;
        is_loaded = cache.look(&mut looks).await;
    }
}

fn drawn_out(wait: Duration) -> Duration {
    let mut random = [0];
    // Without randomness all wait the same time, which is no harm.
    let _ = aws_lc_rs::rand::fill(&mut random);
    wait.mul_f64(1.0 + JITTER * f64::from(random[0]) / f64::from(u8::MAX))
}

/// Keeps `condition` of `health` equal to whether `cache` has keys, while it is kept.
pub(super) fn expose(cache: &Arc<KeyCache>, condition: &'static str, health: &Health) {
    health.set(condition, cache.condition());
    let (cache, health) = (Arc::downgrade(cache), health.clone());
    tokio::spawn(async move {
        loop {
            sleep(CHECK_EVERY).await;
            let Some(cache) = cache.upgrade() else {
                return;
            };
            health.set(condition, cache.condition());
        }
    });
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, RwLock},
        time::Duration,
    };

    use prometheus::IntCounter;
    use tokio::{
        sync::{Mutex, Semaphore},
        time::Instant,
    };

    use super::{EVERY, KeyCache, KeySet, Loaded, MAX_AGE, Source, drawn_out};
    use crate::settings::{Oidc, TokenHeader};

    fn cache(loaded: Option<Loaded>) -> KeyCache {
        let oidc = Oidc {
            issuer: "http://127.0.0.1:9".to_owned(),
            jwks: None,
            audiences: Vec::new(),
            algorithms: Vec::new(),
            token_header: TokenHeader::Authorization,
            grants_file: None,
            permissions_claim: None,
            ca_file: None,
        };
        KeyCache {
            source: Source::new(&oidc, Vec::new()).unwrap(),
            loaded: RwLock::new(loaded),
            looks: Mutex::default(),
            waiting: Arc::new(Semaphore::new(0)),
            failures: IntCounter::new("failures", "failures").unwrap(),
        }
    }

    #[test]
    fn keys_are_trusted_for_a_day_and_no_longer() {
        let at = Instant::now();
        let keys = Arc::new(KeySet::default());
        let cache = cache(Some(Loaded { keys, at }));

        assert!(cache.usable(at + MAX_AGE).is_some());
        let later = at + MAX_AGE + Duration::from_secs(1);
        assert!(cache.usable(later).is_none());
    }

    #[test]
    fn without_keys_there_is_nothing_to_trust() {
        assert!(cache(None).condition().is_err());
    }

    #[test]
    fn waits_are_drawn_out_by_a_tenth_at_most() {
        for _ in 0..100 {
            let wait = drawn_out(EVERY);
            assert!(EVERY <= wait && wait <= EVERY.mul_f64(1.11), "{wait:?}");
        }
    }
}
