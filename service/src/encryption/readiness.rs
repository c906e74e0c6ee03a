//! Whether the keys let a process be ready.

use std::{
    convert::Infallible,
    time::{Duration, SystemTime},
};

use futures_util::future::ready;
use sealane_codec::key_vault::Status;
use tokio::time::sleep;

use super::Keys;
use crate::probes::{Health, Metrics};

/// The condition of `/readyz` that these keys decide.
const CONDITION: &str = "key_ring";

/// How often a limit is checked. A condition is at most so late.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// A new process is what helps, so this one says that it is not ready, however fresh its keys are.
const NOT_FOLLOWED: &str =
    "keys are not kept up to date any more: a task has ended; start this process anew";

impl Keys {
    /// Shows how the keys are from now on: in the condition `key_ring` of `health`, and in
    /// `metrics`.
    ///
    /// Loaded keys are good until the vault has not been seen for `SEALANE_KEY_STALE_AFTER`: until
    /// then an outage is no reason to take a pod out of service.
    pub fn expose(&self, health: &Health, metrics: &Metrics) {
        let keys = self.clone();
        metrics.add_source(move || ready(keys.metrics()));
        health.set(CONDITION, self.freshness());
        tokio::spawn(self.clone().watch(health.clone()));
    }

    async fn watch(self, health: Health) -> Infallible {
        loop {
            sleep(CHECK_EVERY).await;
            health.set(CONDITION, self.freshness());
        }
    }

    fn freshness(&self) -> Result<(), String> {
        if !self.following.is_complete() {
            return Err(NOT_FOLLOWED.to_owned());
        }
        let stale = self.vault.as_ref().and_then(|vault| {
            let status = vault.status.current();
            stale(&status, vault.stale_after, SystemTime::now())
        });
        stale.map_or(Ok(()), Err)
    }
}

/// Why the keys are too old, if they are.
fn stale(status: &Status, limit: Duration, now: SystemTime) -> Option<String> {
    // The clock may be set back.
    let age = now.duration_since(status.last_success?).unwrap_or_default();
    if age <= limit {
        return None;
    }
    let why = status.failing.as_ref().map_or("", |failing| &failing.text);
    let age = humantime::format_duration(Duration::from_secs(age.as_secs()));
    Some(format!("keys were last refreshed {age} ago: {why}"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use sealane_codec::{
        CodecOptions, EncryptionCodec, Key, KeyId, KeyRing, SharedKeyRing, key_vault::Status,
    };

    use super::{super::Following, Keys, NOT_FOLLOWED, stale};

    const LIMIT: Duration = Duration::from_secs(3600);

    fn refreshed(ago: u64, now: SystemTime) -> Status {
        let mut status = Status::default();
        status.last_success = Some(now - Duration::from_secs(ago));
        status
    }

    #[test]
    fn keys_are_good_until_the_limit_and_not_beyond() {
        let now = SystemTime::now();

        assert_eq!(stale(&refreshed(3600, now), LIMIT, now), None);
        let reason = stale(&refreshed(3720, now), LIMIT, now).unwrap();
        assert!(reason.contains("1h 2m ago"), "{reason}");
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nothing_stale() {
        let now = SystemTime::now();
        let earlier = now - Duration::from_secs(100_000);

        assert_eq!(stale(&refreshed(0, now), LIMIT, earlier), None);
    }

    #[tokio::test]
    async fn keys_that_nobody_follows_are_no_good() {
        let id: KeyId = "k/1".parse().unwrap();
        let ring = KeyRing::new(id.clone(), [(id, Key::generate().unwrap())]).unwrap();
        let codec = EncryptionCodec::new(SharedKeyRing::new(ring), CodecOptions::default());
        let mut following = Following::default();
        following.add(std::future::pending::<()>());
        let mut keys = Keys {
            codec,
            vault: None,
            following,
        };
        assert_eq!(keys.freshness(), Ok(()));

        keys.following.add(async {});
        while keys.following.is_complete() {
            tokio::task::yield_now().await;
        }

        assert_eq!(keys.freshness(), Err(NOT_FOLLOWED.to_owned()));
    }
}
