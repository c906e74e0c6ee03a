//! Everything the fake remembers.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::sync::watch;

use super::{
    Endpoint, Fault, Outage, Role, Side, Tenant,
    keys::KeyVersion,
    record::{Record, Recorded},
    version::SecretVersion,
};

/// As many as Key Vault puts on a page.
const PAGE: usize = 25;

/// About as long as Entra's tokens for Key Vault live.
const TOKEN_LIFETIME: Duration = Duration::from_secs(3600);

/// What the listener and the test share.
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) record: Record,
    pub(super) outages: watch::Sender<BTreeMap<Side, Outage>>,
    forwards: Mutex<BTreeMap<String, SocketAddr>>,
}

/// Secrets, keys, tokens, and what a test has turned.
pub(super) struct State {
    /// Versions in the order in which they came.
    pub(super) secrets: BTreeMap<String, Vec<SecretVersion>>,
    /// Names of secrets that were deleted.
    pub(super) deleted: BTreeSet<String>,
    /// Versions in the order in which they came.
    pub(super) keys: BTreeMap<String, Vec<KeyVersion>>,
    pub(super) roles: BTreeSet<Role>,
    /// Identities beside the worker's, whose roles these are.
    pub(super) tenants: Vec<Tenant>,
    /// Tokens that were issued.
    pub(super) tokens: BTreeMap<String, Issued>,
    pub(super) token_lifetime: Duration,
    pub(super) page: usize,
    pub(super) faults: Vec<Fault>,
    /// How far the fake's clock is ahead of ours.
    pub(super) ahead: Duration,
}

/// A token that was issued.
pub(super) struct Issued {
    pub(super) expires: SystemTime,
    /// To which identity.
    pub(super) client_id: String,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                secrets: BTreeMap::new(),
                deleted: BTreeSet::new(),
                keys: BTreeMap::new(),
                roles: BTreeSet::from([Role::SecretsUser, Role::CryptoServiceEncryptionUser]),
                tenants: Vec::new(),
                tokens: BTreeMap::new(),
                token_lifetime: TOKEN_LIFETIME,
                page: PAGE,
                faults: Vec::new(),
                ahead: Duration::ZERO,
            }),
            record: Record::new(),
            outages: watch::Sender::new(BTreeMap::new()),
            forwards: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends tunnels to `host` on, or no longer.
    pub(super) fn forward(&self, host: &str, to: Option<SocketAddr>) {
        let mut forwards = self.forwards.lock().unwrap_or_else(PoisonError::into_inner);
        match to {
            Some(to) => forwards.insert(host.to_owned(), to),
            None => forwards.remove(host),
        };
    }

    /// Where tunnels to `host` go, if not to the fake itself.
    pub(super) fn forwarded(&self, host: &str) -> Option<SocketAddr> {
        let forwards = self.forwards.lock().unwrap_or_else(PoisonError::into_inner);
        forwards.get(host).copied()
    }

    pub(super) fn outage(&self, side: Side) -> Option<Outage> {
        self.outages.borrow().get(&side).copied()
    }

    /// Puts down that the proxy did not open a tunnel to `host`.
    pub(super) fn refused(&self, host: &str, status: Option<u16>) {
        self.record.add(Recorded {
            when: self.state().now(),
            endpoint: Endpoint::Connect,
            host: host.to_owned(),
            method: "CONNECT".to_owned(),
            path: String::new(),
            api_version: None,
            status,
            challenged: false,
            assertion: None,
        });
    }
}

impl State {
    /// The time of the fake.
    pub(super) fn now(&self) -> SystemTime {
        SystemTime::now() + self.ahead
    }
}
