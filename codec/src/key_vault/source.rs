//! A key ring that follows a secret.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use tokio::time::sleep;
use tracing::{info, warn};

use super::{
    LoadError, SharedStatus, VaultSecret,
    loader::{Loader, Look, Vault},
};
use crate::{
    KeyRing, RefreshRequests, SharedKeyRing,
    azure::{Cause, Start, pace},
    rotation::Policy,
};

/// How a source behaves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SourceOptions {
    /// Longest time between two looks at the vault, as long as it answers.
    pub refresh: Duration,
    /// When a new version begins to encrypt. Its delay should be at least twice `refresh`.
    pub policy: Policy,
    /// How long [`Source::load`] waits for refusals and outages that pass.
    pub start_limit: Duration,
}

/// Keeps a key ring as the versions of a secret want it.
pub struct Source {
    loader: Loader,
    refresh: Duration,
    ring: SharedKeyRing,
    requests: RefreshRequests,
    outage: Outage,
}

impl Source {
    /// Loads the ring of `secret`. Waits for what passes, such as a role that was assigned a
    /// minute ago, up to the limit in `options`, and logs each reason for it once.
    ///
    /// # Errors
    ///
    /// [`LoadError`] at once if waiting does not help, or the last one when the time is up.
    pub async fn load(
        secret: VaultSecret,
        options: SourceOptions,
    ) -> Result<(SharedKeyRing, Self), LoadError> {
        Self::load_telling(secret, options, &|_| ()).await
    }

    /// As [`load`](Self::load), and tells `waiting` what it waits for, after each failure.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load).
    pub async fn load_telling(
        secret: VaultSecret,
        options: SourceOptions,
        waiting: &(dyn Fn(&LoadError) + Sync),
    ) -> Result<(SharedKeyRing, Self), LoadError> {
        Self::start(Box::new(secret), options, waiting).await
    }

    async fn start(
        vault: Box<dyn Vault>,
        options: SourceOptions,
        waiting: &(dyn Fn(&LoadError) + Sync),
    ) -> Result<(SharedKeyRing, Self), LoadError> {
        let mut loader = Loader::new(vault, options.policy);
        let ring = first_ring(&mut loader, options.start_limit, waiting).await?;
        info!(
            key.source = loader.place(),
            key.active = %ring.active(),
            key.ids = ?ids(&ring),
            "keys loaded"
        );
        let (ring, requests) = SharedKeyRing::with_refresh(ring);
        let source = Self {
            loader,
            refresh: options.refresh,
            ring: ring.clone(),
            requests,
            outage: Outage::default(),
        };
        Ok((ring, source))
    }

    /// How the source is doing, now and while it [follows](Self::follow).
    #[must_use]
    pub fn status(&self) -> SharedStatus {
        self.loader.status().clone()
    }

    /// Looks at the vault again and again, and when a payload names a key that is not here. Never
    /// returns. What fails leaves the ring as it is, or adds what could be had.
    pub async fn follow(mut self) {
        loop {
            let wait = self.outage.wait(self.refresh, rand::random());
            tokio::select! {
                () = sleep(wait) => {}
                () = self.requests.next() => {}
            }
            self.look(SystemTime::now()).await;
        }
    }

    async fn look(&mut self, now: SystemTime) {
        self.requests.begin();
        let Look { ring, failure } = self.loader.look(now).await;
        if let Some(ring) = ring {
            self.accept(ring);
        }
        self.requests.end();
        self.outage.note(&self.loader.place(), failure.as_ref());
    }

    fn accept(&self, ring: KeyRing) {
        if self.ring.current().same_as(&ring) {
            return;
        }
        info!(
            key.source = self.loader.place(),
            key.active = %ring.active(),
            key.ids = ?ids(&ring),
            "the secret has changed, new keys are in use"
        );
        self.ring.replace(ring);
    }
}

fn ids(ring: &KeyRing) -> Vec<String> {
    ring.ids().map(ToString::to_string).collect()
}

async fn first_ring(
    loader: &mut Loader,
    limit: Duration,
    waiting: &(dyn Fn(&LoadError) + Sync),
) -> Result<KeyRing, LoadError> {
    let (mut start, mut told) = (Start::now(), BTreeSet::new());
    loop {
        let failure = match loader.look(SystemTime::now()).await {
            Look {
                ring: Some(ring),
                failure: None,
            } => return Ok(ring),
            Look {
                failure: Some(failure),
                ..
            } => failure,
            Look {
                ring: None,
                failure: None,
            } => LoadError::NoVersion {
                place: loader.place(),
            },
        };
        let limit = patience(&failure, limit);
        let Some(wait) = start.wait(limit) else {
            return Err(failure);
        };
        waiting(&failure);
        if told.insert(failure.reason()) {
            warn!(
                key.source = loader.place(),
                "waiting up to {limit:?} for keys: {failure}"
            );
        }
        sleep(wait).await;
    }
}

/// How long to wait at start for `failure` to pass.
fn patience(failure: &LoadError, limit: Duration) -> Duration {
    match failure {
        LoadError::TimedOut { .. } => limit,
        LoadError::Azure(error) => match error.cause() {
            // Disabled between list and get; the next list does not offer it any more.
            Cause::SecretDisabled => limit,
            _ => error.patience(limit),
        },
        _ => Duration::ZERO,
    }
}

/// Looks that failed since the last one that did not.
#[derive(Default)]
pub(super) struct Outage {
    failures: u32,
    told: BTreeSet<&'static str>,
}

impl Outage {
    pub(super) fn wait(&self, refresh: Duration, random: f64) -> Duration {
        match self.failures {
            0 => pace::after_success(refresh, random),
            failures => pace::after_failure(failures, refresh, random),
        }
    }

    /// Counts a look that did not fail, and returns whether an outage ended with it.
    pub(super) fn end(&mut self) -> bool {
        std::mem::take(self).failures > 0
    }

    /// Counts a look that failed, and returns whether it is the first of its kind.
    pub(super) fn fail(&mut self, reason: &'static str) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.told.insert(reason)
    }

    /// Logs each kind of failure once, and that it is over.
    fn note(&mut self, place: &str, failure: Option<&LoadError>) {
        let Some(failure) = failure else {
            if self.end() {
                info!(key.source = place, "keys are refreshed again");
            }
            return;
        };
        if self.fail(failure.reason()) {
            warn!(
                key.source = place,
                reason = failure.reason(),
                "keys are not refreshed, those already loaded stay in use: {failure}"
            );
        }
    }
}

#[cfg(test)]
mod tests;
