//! Finding the data keys of payloads, beside the poll loops rather than in them.
//!
//! The SDK decodes in its poll loops, so a slow vault must not become a slow worker. Each data key
//! is asked for once at a time, in a task of its own; who needs it waits for [`WAIT`] at most, and
//! not at all while the vault is known to be slow. The task goes on, so the key is there when
//! Temporal repeats the workflow task. Keys that were refused are not asked for again at once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, timeout},
};
use tracing::warn;

use super::{
    KeyUri, OpenError, Reference, Status,
    cache::Cache,
    wrapping::{Refusal, Wrapping},
};
use crate::Key;

/// Longest wait for one payload. Key Vault unwraps in some tens of milliseconds.
const WAIT: Duration = Duration::from_secs(1);

/// Data keys kept: those of a thousand pod hours, in less than 2 MB.
const CACHED: usize = 1000;

/// Requests to Key Vault at once. A vault permits 4,000 in ten seconds to all its users together.
///
/// Until the first has succeeded it is one: requests without a token are sent to get one, and the
/// SDK lets those that come at the same time throw away each other's.
const AT_ONCE: usize = 8;

/// Data keys refused in a row from which on they are asked for one by one again, until one is
/// good. Anybody can make up data keys, each of which costs several requests.
const SUSPICIOUS: u32 = 16;

/// Data keys asked for and not yet answered, running or queued. Beyond them nothing is queued:
/// the payload comes again.
const MAX_ASKED: usize = 256;

/// How long a refusal counts that another request would only repeat.
const LASTING: Duration = Duration::from_secs(60);

/// How long any other refusal counts.
const PASSING: Duration = Duration::from_secs(3);

/// Refusals remembered. They are about payloads, so there may be any number.
const MAX_REFUSED: usize = 1024;

/// The unwrapped data keys, and the way to more of them. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Unwrapper(Arc<Shared>);

struct Shared {
    wrapping: Arc<Wrapping>,
    state: Mutex<State>,
    /// [`AT_ONCE`], or one until the first request has succeeded.
    permits: Semaphore,
    /// For whoever asks while data keys are suspicious.
    one_by_one: tokio::sync::Mutex<()>,
}

struct State {
    cache: Cache,
    /// Closed when the answer is there.
    asked: HashMap<Reference, watch::Receiver<()>>,
    refused: HashMap<Reference, Refused>,
    /// Whether somebody waited in vain, and no answer has come in time since.
    slow: bool,
    /// The last answer's reason, if it was a refusal.
    failing: Option<&'static str>,
    /// Data keys refused since the last good one that may have been made up.
    suspects: u32,
    hits: u64,
    misses: u64,
    unwrapped: u64,
    not_unwrapped: BTreeMap<&'static str, u64>,
}

struct Refused {
    until: Instant,
    text: String,
}

impl Unwrapper {
    pub(super) fn new(wrapping: Arc<Wrapping>) -> Self {
        let state = State {
            cache: Cache::new(CACHED),
            asked: HashMap::new(),
            refused: HashMap::new(),
            slow: false,
            failing: None,
            suspects: 0,
            hits: 0,
            misses: 0,
            unwrapped: 0,
            not_unwrapped: BTreeMap::new(),
        };
        Self(Arc::new(Shared {
            wrapping,
            state: Mutex::new(state),
            permits: Semaphore::new(1),
            one_by_one: tokio::sync::Mutex::default(),
        }))
    }

    /// The data key, if it is here, else why it is not.
    pub(super) fn get(&self, reference: &Reference) -> Result<Arc<Key>, OpenError> {
        let mut state = self.state();
        if let Some(key) = state.cache.get(reference) {
            state.hits += 1;
            return Ok(key);
        }
        state.misses += 1;
        self.admitted(reference)?;
        let id = reference.quoted();
        Err(match state.refusal(reference) {
            Some(reason) => OpenError::Refused { id, reason },
            None => OpenError::Pending { id },
        })
    }

    /// Keeps a data key that was made here.
    pub(super) fn keep(&self, reference: Reference, key: Arc<Key>) {
        self.state().cache.insert(reference, key);
    }

    /// Has the data key unwrapped unless it is here, and waits a little for that.
    pub(super) async fn find(&self, reference: &Reference) {
        let Some(mut answered) = self.ask(reference) else {
            return;
        };
        // Nothing is ever sent; the channel closes.
        if timeout(WAIT, answered.changed()).await.is_err() {
            self.state().slow = true;
        }
    }

    /// Adds what is known here to `status`.
    pub(super) fn report(&self, status: &mut Status) {
        let state = self.state();
        status.unwrapped = state.unwrapped;
        status.not_unwrapped.clone_from(&state.not_unwrapped);
        status.hits = state.hits;
        status.misses = state.misses;
        status.cached = state.cache.len();
        status.unwrapping = state.asked.len();
    }

    /// How many refusals are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.state().refused.len()
    }

    /// Joins the request for a data key or makes it; `None` if there is nothing to wait for.
    fn ask(&self, reference: &Reference) -> Option<watch::Receiver<()>> {
        let (uri, wrapped) = self.admitted(reference).ok()?;
        let mut state = self.state();
        if state.cache.contains(reference) || state.refusal(reference).is_some() {
            return None;
        }
        let asked = state.asked.get(reference).cloned();
        let answered = match asked.filter(|answered| answered.has_changed().is_ok()) {
            Some(answered) => answered,
            None if state.asked.len() >= MAX_ASKED => return None,
            None => {
                let (answer, answered) = watch::channel(());
                state.asked.insert(reference.clone(), answered.clone());
                let unwrapping = self.clone().unwrap(reference.clone(), uri, wrapped);
                tokio::spawn(async move {
                    unwrapping.await;
                    drop(answer);
                });
                answered
            }
        };
        (!state.slow).then_some(answered)
    }

    /// What to ask Key Vault for, if the settings allow it at all.
    fn admitted(&self, reference: &Reference) -> Result<(KeyUri, Vec<u8>), OpenError> {
        let uris = self.0.wrapping.uris();
        let ours = reference.uri().filter(|uri| uris.candidates(uri).is_some());
        let Some(uri) = ours else {
            return Err(OpenError::Foreign {
                id: reference.quoted(),
                known: uris.list(),
            });
        };
        Ok((uri, reference.wrapped()?))
    }

    async fn unwrap(self, reference: Reference, uri: KeyUri, wrapped: Vec<u8>) {
        // It is never closed.
        let _permit = self.0.permits.acquire().await;
        let suspicious = self.state().suspects >= SUSPICIOUS;
        let _turn = match suspicious {
            true => Some(self.0.one_by_one.lock().await),
            false => None,
        };
        let began = Instant::now();
        let outcome = self.0.wrapping.unwrap(&uri, &wrapped).await;
        let mut state = self.state();
        state.slow = began.elapsed() >= WAIT;
        state.asked.remove(&reference);
        match outcome {
            Ok(key) => {
                if state.unwrapped == 0 {
                    self.0.permits.add_permits(AT_ONCE - 1);
                }
                state.accept(reference, key);
            }
            Err(refusal) => state.refuse(reference, &refusal),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = &self.0.state;
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn accept(&mut self, reference: Reference, key: Key) {
        self.unwrapped += 1;
        self.failing = None;
        self.suspects = 0;
        self.refused.remove(&reference);
        self.cache.insert(reference, Arc::new(key));
    }

    /// Remembers a refusal, and logs it unless the one before had the same reason: there may be as
    /// many as there are payloads.
    fn refuse(&mut self, reference: Reference, refusal: &Refusal) {
        let reason = refusal.reason();
        *self.not_unwrapped.entry(reason).or_default() += 1;
        self.suspects = self.suspects.saturating_add(refusal.is_suspect().into());
        if self.failing.replace(reason) != Some(reason) {
            let id = reference.quoted();
            warn!(key.id = id, "a data key cannot be unwrapped: {refusal}");
        }
        let now = Instant::now();
        if self.refused.len() >= MAX_REFUSED {
            self.refused.retain(|_, refused| refused.until > now);
        }
        if self.refused.len() < MAX_REFUSED {
            let until = now + if refusal.lasts() { LASTING } else { PASSING };
            let text = refusal.to_string();
            self.refused.insert(reference, Refused { until, text });
        }
    }

    /// Why the data key was refused, if that is still to be believed.
    fn refusal(&self, reference: &Reference) -> Option<String> {
        let refused = self.refused.get(reference)?;
        (refused.until > Instant::now()).then(|| refused.text.clone())
    }
}
