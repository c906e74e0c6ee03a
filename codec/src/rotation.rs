//! Which versions of a key secret a process seals under, opens with and drops.
//!
//! Every process lists the versions for itself and calls [`plan`]; nobody coordinates them. The
//! plan is a pure function of the list and a clock, so processes that see the same list agree,
//! and its delays cover the time in which they do not see the same list. What that guarantees,
//! and when it does not, stands in docs/key-rotation.md and is tested by a simulated fleet.

mod retained;

#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use crate::KeyId;

/// One version of the key secret, as the vault lists it. Its value is not part of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// The vault's own name of the version, 32 hexadecimal digits.
    pub version: String,
    /// Name of its key in payloads.
    pub id: KeyId,
    /// When the version was made, in whole seconds.
    pub created: SystemTime,
    /// When an attribute or tag was last changed, in whole seconds. Equals `created` until then.
    pub updated: SystemTime,
    /// When its delay starts at the earliest (`nbf`).
    pub not_before: Option<SystemTime>,
    /// When it should no longer seal (`exp`).
    pub expires: Option<SystemTime>,
    /// Whether the vault hands out its value.
    pub enabled: bool,
}

/// Settings of a rotation. They must be the same in all processes that share a secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Policy {
    /// How long a version decrypts before it encrypts.
    ///
    /// At least twice the longest time between two refreshes of one process. One half is for that
    /// time; the other is for what a process cannot see: clocks that differ, twice the duration of
    /// a refresh, and one second because the vault truncates its times.
    pub activation_delay: Duration,
}

/// What a process does with a version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// It seals. All others only open.
    Active {
        /// It has expired, and nothing else could take over.
        expired: bool,
        /// Its delay has not passed, but that of no other has either.
        early: bool,
    },
    /// It has sealed, or was passed over, and still opens.
    DecryptOnly,
    /// It opens, and will seal unless something newer is due by then.
    Pending {
        /// When its delay has passed.
        activates: SystemTime,
    },
    /// It is disabled, but a process that has not noticed may be sealing under it.
    ///
    /// Who holds it keeps it for opening. Who does not has missed nothing or cannot help it: the
    /// vault no longer hands it out.
    Retained {
        /// When every process has noticed.
        until: SystemTime,
    },
    /// It is disabled and nobody seals under it.
    Dropped,
}

/// What a process does with each version of a secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// All versions, newest first, with their stages. At most one is active.
    pub stages: Vec<(Version, Stage)>,
}

impl Plan {
    /// The version to seal under, always an enabled one.
    ///
    /// `None` if no version is enabled. Such a plan is nothing to act on: a process that starts
    /// has no key, and one that runs had better leave its ring as it is.
    #[must_use]
    pub fn active(&self) -> Option<&Version> {
        self.stages
            .iter()
            .find(|(_, stage)| matches!(stage, Stage::Active { .. }))
            .map(|(version, _)| version)
    }

    /// The versions whose keys belong in the ring, newest first.
    ///
    /// Those that are not `enabled` are there to be kept, if the ring has them already, and not to
    /// be fetched.
    pub fn held(&self) -> impl Iterator<Item = &Version> {
        self.stages
            .iter()
            .filter(|(_, stage)| *stage != Stage::Dropped)
            .map(|(version, _)| version)
    }
}

/// Decides what a process does with `versions`, listed at `now` in any order.
///
/// The active version is the newest that is enabled, due and not expired. A version is due once
/// [`Policy::activation_delay`] has passed since it was made and since its `not_before`. If all
/// that are due have expired, the newest of them stays. If none is due, the oldest enabled one
/// seals at once, whatever its times say: it is the one that every running process has.
///
/// Act on a plan as soon as it is made, and make none without a new list: a process that cannot
/// reach the vault keeps what it has.
#[must_use]
pub fn plan(versions: &[Version], now: SystemTime, policy: Policy) -> Plan {
    let mut versions = versions.to_vec();
    versions.sort_by(|a, b| b.seniority().cmp(&a.seniority()));
    let active = active(&versions, now, policy);

    let mut stages = Vec::with_capacity(versions.len());
    for (rank, version) in versions.iter().enumerate() {
        let due = version.due(policy);
        stages.push(if !version.enabled {
            retained::stage(version, &versions, now, policy)
        } else if active == Some(rank) {
            Stage::Active {
                expired: version.has_expired(now),
                early: due > now,
            }
        } else if active > Some(rank) && !version.has_expired(now) {
            Stage::Pending { activates: due }
        } else {
            Stage::DecryptOnly
        });
    }
    Plan {
        stages: versions.into_iter().zip(stages).collect(),
    }
}

/// Place of the active version among `versions`, which are in order, newest first.
fn active(versions: &[Version], now: SystemTime, policy: Policy) -> Option<usize> {
    let due = |version: &Version| version.enabled && version.due(policy) <= now;
    versions
        .iter()
        .position(|version| due(version) && !version.has_expired(now))
        .or_else(|| versions.iter().position(due))
        .or_else(|| versions.iter().rposition(|version| version.enabled))
}

impl Version {
    /// Sorts versions by age, oldest first.
    fn seniority(&self) -> (SystemTime, &str) {
        (self.created, &self.version)
    }

    /// When its delay has passed: every process holds it then, provided that it stays enabled.
    #[must_use]
    pub fn due(&self, policy: Policy) -> SystemTime {
        let start = self
            .not_before
            .map_or(self.created, |nbf| nbf.max(self.created));
        later(start, policy.activation_delay)
    }

    fn has_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// The last second that RFC 3339 can write, 9999-12-31T23:59:59Z, as time since 1970.
pub const LAST_SECOND: Duration = Duration::from_secs(253_402_300_799);

/// `time` plus `delay`, or the end of the calendar if no clock counts that far.
fn later(time: SystemTime, delay: Duration) -> SystemTime {
    let end = || time.max(SystemTime::UNIX_EPOCH + LAST_SECOND);
    time.checked_add(delay).unwrap_or_else(end)
}
