//! What the keys do, in the Prometheus text format.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus::{GaugeVec, IntCounterVec, Opts, Registry, TextEncoder, core::Collector};
use sealane_codec::{Key, KeyId, KeyRing, envelope, key_vault, large_payloads};

use super::Keys;

impl Keys {
    /// Returns the metrics of these keys, named `sealane_key_…` and `sealane_data_key…`, as they
    /// are now. Holds ids and counts, nothing of a key.
    #[must_use]
    pub fn metrics(&self) -> String {
        let page = Page::default();
        page.count(UNKNOWN, &[], [([].into(), self.codec.unknown_keys())]);
        if let Some(ring) = self.codec.ring() {
            page.ring(&ring.current(), self.codec.options().seal_limit.seals);
        }
        if let Some(vault) = &self.vault {
            page.vault(&vault.status.current(), SystemTime::now());
        }
        if let Some(envelope) = self.codec.envelope() {
            page.envelope(&envelope.status());
        }
        if let Some(large) = self.codec.large_payloads() {
            page.large_payloads(large.status());
        }
        page.text()
    }
}

/// Name and help of a metric.
pub(crate) type Metric = (&'static str, &'static str);

const UNKNOWN: Metric = (
    "sealane_key_unknown_total",
    "Payloads whose key nobody could find",
);
const SEALS: Metric = ("sealane_key_seals_total", "Payloads encrypted, by key");
const OPENS: Metric = ("sealane_key_opens_total", "Payloads decrypted, by key");
const REJECTIONS: Metric = (
    "sealane_key_rejections_total",
    "Payloads that name a key and could not be decrypted with it, by key",
);
const ACTIVE: Metric = (
    "sealane_key_active",
    "1 for the key that encrypts, 0 for those that only decrypt",
);
const BUDGET: Metric = (
    "sealane_key_budget_used_ratio",
    "Share of SEALANE_KEY_SEAL_LIMIT that this process has used, by key",
);
const AGE: Metric = (
    "sealane_key_age_seconds",
    "Time since the version was created, by key",
);
const REFRESH_FAILURES: Metric = (
    "sealane_key_refresh_failures_total",
    "Refreshes that failed, by reason",
);
const REFRESHED: Metric = (
    "sealane_key_refresh_last_success_timestamp_seconds",
    "When the last refresh without a failure began",
);
const DATA_KEYS: Metric = (
    "sealane_data_keys_made_total",
    "Data keys made, by what asked for one",
);
const DATA_KEYS_FAILED: Metric = (
    "sealane_data_keys_not_made_total",
    "Data keys that could not be made, by reason",
);
const DATA_KEY_SEALS: Metric = (
    "sealane_data_key_seals",
    "Payloads encrypted under the data key in use",
);
const DATA_KEY_AGE: Metric = (
    "sealane_data_key_age_seconds",
    "Time since the data key in use was made",
);
const UNWRAPPED: Metric = (
    "sealane_data_key_unwraps_total",
    "Data keys of payloads that were unwrapped",
);
const NOT_UNWRAPPED: Metric = (
    "sealane_data_key_unwrap_failures_total",
    "Data keys of payloads that were not unwrapped, by reason",
);
const CACHE_HITS: Metric = (
    "sealane_data_key_cache_hits_total",
    "Payloads whose data key was in the cache",
);
const CACHE_MISSES: Metric = (
    "sealane_data_key_cache_misses_total",
    "Payloads whose data key was not in the cache",
);
const CACHED: Metric = ("sealane_data_key_cache_entries", "Data keys in the cache");

const LARGE: Metric = (
    "sealane_stored_payloads_total",
    "Large payloads stored in a container, fetched from it, or still in memory when they were asked for",
);
const LARGE_BYTES: Metric = (
    "sealane_stored_payload_bytes_total",
    "Bytes of large payloads stored in a container and fetched from it",
);
const LARGE_FAILED: Metric = (
    "sealane_stored_payload_failures_total",
    "Large payloads that could not be stored or fetched, or were not what was stored",
);

/// The values of the labels, and what was measured.
pub(crate) type Sample<T> = (Vec<String>, T);

/// A registry that lives for one scrape: what it shows is read from the keys, not counted again.
#[derive(Default)]
pub(crate) struct Page(Registry);

impl Page {
    fn ring(&self, ring: &KeyRing, limit: u64) {
        let id = &["key_id"];
        self.count(SEALS, id, per_key(ring, |_, key| key.seals()));
        self.count(OPENS, id, per_key(ring, |_, key| key.opens()));
        self.count(REJECTIONS, id, per_key(ring, |_, key| key.rejections()));
        let active = |id: &KeyId, _: &Key| if id == ring.active() { 1.0 } else { 0.0 };
        self.gauge(ACTIVE, id, per_key(ring, active));
        let used = |_: &KeyId, key: &Key| ratio(key.seals(), limit);
        self.gauge(BUDGET, id, per_key(ring, used));
    }

    fn vault(&self, status: &key_vault::Status, now: SystemTime) {
        let held = status.versions.iter().filter(|version| version.held);
        let ages = held.map(|held| {
            let age = now.duration_since(held.version.created);
            let age = age.unwrap_or_default().as_secs_f64();
            (vec![held.version.id.to_string()], age)
        });
        self.gauge(AGE, &["key_id"], ages);
        self.count(REFRESH_FAILURES, &["reason"], labelled(&status.failures));
        let refreshed = status.last_success.map(seconds);
        self.gauge(REFRESHED, &[], refreshed.map(|at| ([].into(), at)));
    }

    fn envelope(&self, status: &envelope::Status) {
        let made = status.made.iter();
        let made = made.map(|(renewal, count)| (vec![renewal.label().to_owned()], *count));
        self.count(DATA_KEYS, &["reason"], made);
        self.count(DATA_KEYS_FAILED, &["reason"], labelled(&status.not_made));
        let key = status.data_key.iter();
        let uri = &["key_id"];
        let seals = key
            .clone()
            .map(|key| (vec![key.uri.clone()], exact(key.seals)));
        self.gauge(DATA_KEY_SEALS, uri, seals);
        let age = key.map(|key| (vec![key.uri.clone()], key.age.as_secs_f64()));
        self.gauge(DATA_KEY_AGE, uri, age);
        self.count(UNWRAPPED, &[], [([].into(), status.unwrapped)]);
        self.count(NOT_UNWRAPPED, &["reason"], labelled(&status.not_unwrapped));
        self.count(CACHE_HITS, &[], [([].into(), status.hits)]);
        self.count(CACHE_MISSES, &[], [([].into(), status.misses)]);
        let cached = u32::try_from(status.cached).map_or(f64::MAX, f64::from);
        self.gauge(CACHED, &[], [([].into(), cached)]);
    }

    fn large_payloads(&self, status: large_payloads::Status) {
        let by = |counts: &[(&str, u64)]| -> Vec<Sample<u64>> {
            let counts = counts.iter();
            counts
                .map(|(label, count)| (vec![(*label).to_owned()], *count))
                .collect()
        };
        let operation = &["operation"];
        let payloads = [
            ("store", status.stored),
            ("fetch", status.fetched),
            ("recall", status.recalled),
        ];
        self.count(LARGE, operation, by(&payloads));
        let bytes = [
            ("store", status.stored_bytes),
            ("fetch", status.fetched_bytes),
        ];
        self.count(LARGE_BYTES, operation, by(&bytes));
        let failures = [("store", status.not_stored), ("fetch", status.not_fetched)];
        self.count(LARGE_FAILED, operation, by(&failures));
    }

    pub(crate) fn count(
        &self,
        (name, help): Metric,
        labels: &[&str],
        samples: impl IntoIterator<Item = Sample<u64>>,
    ) {
        let metric = IntCounterVec::new(Opts::new(name, help), labels);
        let metric = metric.expect("names and labels of this file are valid");
        for (values, value) in samples {
            metric.with_label_values(&values).inc_by(value);
        }
        self.register(metric);
    }

    pub(crate) fn gauge(
        &self,
        (name, help): Metric,
        labels: &[&str],
        samples: impl IntoIterator<Item = Sample<f64>>,
    ) {
        let metric = GaugeVec::new(Opts::new(name, help), labels);
        let metric = metric.expect("names and labels of this file are valid");
        for (values, value) in samples {
            metric.with_label_values(&values).set(value);
        }
        self.register(metric);
    }

    fn register(&self, metric: impl Collector + 'static) {
        let registered = self.0.register(Box::new(metric));
        registered.expect("each metric of this file has a name of its own");
    }

    pub(crate) fn text(&self) -> String {
        let encoded = TextEncoder::new().encode_to_string(&self.0.gather());
        encoded.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "key metrics cannot be encoded and are left out");
            String::new()
        })
    }
}

fn per_key<T>(ring: &KeyRing, value: impl Fn(&KeyId, &Key) -> T) -> Vec<Sample<T>> {
    let keys = ring.keys();
    keys.map(|(id, key)| (vec![id.to_string()], value(id, key)))
        .collect()
}

pub(crate) fn labelled<'a>(
    counts: impl IntoIterator<Item = (&'a &'static str, &'a u64)>,
) -> impl Iterator<Item = Sample<u64>> {
    let counts = counts.into_iter();
    counts.map(|(label, count)| (vec![(*label).to_owned()], *count))
}

fn ratio(part: u64, whole: u64) -> f64 {
    exact(part) / exact(whole.max(1))
}

/// Exact up to 2^53, far beyond what one key may seal.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of seals stay below 2^53"
)]
fn exact(count: u64) -> f64 {
    count as f64
}

pub(crate) fn seconds(at: SystemTime) -> f64 {
    let since = at.duration_since(UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::SystemTime};

    use sealane_codec::{Key, KeyRing, envelope, key_vault, large_payloads};

    use super::Page;

    const DOCUMENT: &str = include_str!("../../../docs/metrics.md");

    fn whole_page() -> String {
        let page = Page::default();
        let id: sealane_codec::KeyId = "odd \"id\"".parse().unwrap();
        let ring = KeyRing::new(id.clone(), [(id, Key::generate().unwrap())]).unwrap();
        page.ring(&ring, 4);
        let mut vault = key_vault::Status::default();
        vault.last_success = Some(SystemTime::now());
        vault.failures.insert("throttled", 3);
        page.vault(&vault, SystemTime::now());
        let mut data_keys = envelope::Status::default();
        data_keys.made.insert(envelope::Renewal::Age, 2);
        page.envelope(&data_keys);
        page.large_payloads(large_payloads::Status::default());
        page.text()
    }

    #[test]
    fn the_document_names_every_metric_of_keys() {
        let documented = |line: &str| line.strip_prefix("| `sealane_").map(str::to_owned);
        let documented = DOCUMENT.lines().filter_map(documented);
        let documented: BTreeSet<_> = documented
            .filter_map(|line| Some(line.split_once('`')?.0.to_owned()))
            .collect();

        for line in whole_page().lines() {
            let Some(rest) = line.strip_prefix("# TYPE sealane_") else {
                continue;
            };
            let (name, _) = rest.split_once(' ').unwrap();
            assert!(documented.contains(name), "not in docs/metrics.md: {name}");
        }
    }

    #[test]
    fn counts_stand_beside_ids_and_reasons() {
        let page = whole_page();

        for line in [
            r#"sealane_key_active{key_id="odd \"id\""} 1"#,
            r#"sealane_key_rejections_total{key_id="odd \"id\""} 0"#,
            r#"sealane_key_budget_used_ratio{key_id="odd \"id\""} 0"#,
            r#"sealane_key_refresh_failures_total{reason="throttled"} 3"#,
            r#"sealane_data_keys_made_total{reason="age"} 2"#,
        ] {
            assert!(page.lines().any(|found| found == line), "{line} in\n{page}");
        }
    }
}
