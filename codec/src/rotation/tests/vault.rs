//! A key secret whose versions people make, disable and change.

use std::{
    iter,
    ops::Range,
    time::{Duration, SystemTime},
};

use super::fleet::Settings;
use crate::{KeyId, rotation::Version};

/// Milliseconds since the simulation started.
pub(super) type Millis = u64;

/// When the simulation starts, in seconds since 1970.
const START: u64 = 1_800_000_000;

/// What somebody does to the secret. Versions are picked by number, modulo how many there are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    /// A new version with a sort key of its own, and perhaps `nbf` and `exp` relative to now.
    Create {
        salt: u32,
        not_before: Option<i64>,
        expires: Option<i64>,
    },
    Disable(usize),
    Enable(usize),
    /// A tag is edited.
    Touch(usize),
    NotBefore(usize, Option<i64>),
    Expires(usize, Option<i64>),
}

/// A version, and the steps of the simulation between which it was enabled, time after time.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) version: Version,
    pub(super) spans: Vec<Range<usize>>,
}

/// The secret, and who may change it.
#[derive(Debug)]
pub(super) struct Vault {
    pub(super) entries: Vec<Entry>,
    /// Whether people wait until a successor has taken over before they disable a version or
    /// bring one back, and make at most one version a second. Otherwise they do as they like.
    pub(super) orderly: bool,
}

impl Vault {
    pub(super) fn new(orderly: bool) -> Self {
        let entries = Vec::new();
        Self { entries, orderly }
    }

    pub(super) fn list(&self) -> Vec<Version> {
        self.entries
            .iter()
            .map(|entry| entry.version.clone())
            .collect()
    }

    pub(super) fn entry(&self, version: &str) -> &Entry {
        let mut entries = self.entries.iter();
        entries
            .find(|entry| entry.version.version == version)
            .unwrap()
    }

    /// Makes `change`, unless it would be disorderly and that is forbidden.
    pub(super) fn apply(&mut self, change: Change, now: Millis, step: usize, settings: &Settings) {
        let count = self.entries.len().max(1);
        match change {
            Change::Create {
                salt,
                not_before,
                expires,
            } => self.create(salt, [not_before, expires], now, step),
            Change::Disable(pick) => self.set_enabled(pick % count, false, now, step, settings),
            Change::Enable(pick) => self.set_enabled(pick % count, true, now, step, settings),
            Change::Touch(pick) => self.update(pick % count, now, |_| ()),
            Change::NotBefore(pick, time) => {
                self.update(pick % count, now, |v| {
                    v.not_before = time.map(|t| whole(now, t))
                });
            }
            Change::Expires(pick, time) => {
                self.update(pick % count, now, |v| {
                    v.expires = time.map(|t| whole(now, t))
                });
            }
        }
    }

    fn create(&mut self, salt: u32, times: [Option<i64>; 2], now: Millis, step: usize) {
        let created = whole(now, 0);
        let newest = self.entries.last().map(|entry| entry.version.created);
        if self.orderly && newest == Some(created) {
            return;
        }
        let number = self.entries.len();
        let [not_before, expires] = times.map(|time| time.map(|time| whole(now, time)));
        let version = Version {
            version: format!("{salt:08x}{number:024x}"),
            id: KeyId::try_from(format!("key-{number}").as_str()).unwrap(),
            created,
            updated: created,
            not_before,
            expires,
            enabled: true,
        };
        self.entries.push(Entry {
            version,
            spans: iter::once(step..usize::MAX).collect(),
        });
    }

    fn set_enabled(&mut self, n: usize, enabled: bool, now: Millis, step: usize, s: &Settings) {
        let Some(entry) = self.entries.get(n) else {
            return;
        };
        if entry.version.enabled == enabled || (self.orderly && !self.is_at_rest(n, now, s)) {
            return;
        }
        self.update(n, now, |version| version.enabled = enabled);
        let spans = &mut self.entries[n].spans;
        match spans.last_mut() {
            Some(last) if !enabled => last.end = step,
            _ => spans.push(step..usize::MAX),
        }
    }

    fn update(&mut self, n: usize, now: Millis, change: impl FnOnce(&mut Version)) {
        if let Some(entry) = self.entries.get_mut(n) {
            change(&mut entry.version);
            entry.version.updated = whole(now, 0);
        }
    }

    /// Whether something newer seals everywhere, and will for another delay.
    fn is_at_rest(&self, n: usize, now: Millis, settings: &Settings) -> bool {
        let delay = Duration::from_millis(settings.delay);
        let now = whole(now, 0);
        let rested = |other: &Version| {
            let start = other.created.max(other.not_before.unwrap_or(other.created));
            let start = start.max(other.updated - delay);
            let lasts = other.expires.is_none_or(|expires| expires >= now + delay);
            other.enabled && lasts && start + 2 * delay <= now
        };
        let mut newer = self.entries[n + 1..].iter();
        newer.any(|other| rested(&other.version))
    }
}

/// What a clock that is `skew` milliseconds ahead shows at `time`.
pub(super) fn clock(time: Millis, skew: i64) -> SystemTime {
    let time = START * 1_000 + time;
    SystemTime::UNIX_EPOCH + Duration::from_millis(time.checked_add_signed(skew).unwrap())
}

/// The time `offset` milliseconds after `now`, in whole seconds as the vault keeps it.
fn whole(now: Millis, offset: i64) -> SystemTime {
    let time = (START * 1_000 + now).checked_add_signed(offset).unwrap();
    SystemTime::UNIX_EPOCH + Duration::from_secs(time / 1_000)
}
