//! What is large is counted and, now and then, told.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use prometheus::{IntCounterVec, Opts};
use sealane_service::probes::Metrics;

use super::{VERY_LARGE, measure::Part, token::Names};

/// How long nothing more is said about the same field.
const QUIET: Duration = Duration::from_secs(60);

/// How many fields are told apart. Names of signals are up to those who send them.
const FIELDS: usize = 256;

/// What a payload exceeds, as the metric has it.
const LARGE: &str = "50KiB";
const VERY: &str = "256KiB";
const LIMIT: &str = "limit";

/// Counts large payloads, and tells the log of each field once a minute.
pub(super) struct Noted {
    count: IntCounterVec,
    told: Mutex<HashMap<String, Instant>>,
}

impl Noted {
    /// Counts in `metrics`, if there are any. Of several connections that share them, the first counts.
    pub(super) fn shown_in(metrics: Option<&Metrics>) -> Self {
        let options = Opts::new(
            "sealane_large_payloads_total",
            "Payloads sent, or held back for their size, by what their size exceeds",
        );
        let count = IntCounterVec::new(options, &["over"]).expect("name and label are valid");
        for over in [LARGE, VERY, LIMIT] {
            count.with_label_values(&[over]);
        }
        if let Some(metrics) = metrics {
            let _ = metrics.registry().register(Box::new(count.clone()));
        }
        Self {
            count,
            told: Mutex::default(),
        }
    }

    /// Notes a large part, whose limit is `limit` bytes. What exceeds that is told by whoever refuses it.
    pub(super) fn note(&self, part: &Part, limit: usize, names: &Names) {
        let over = match part.bytes {
            bytes if bytes > limit => LIMIT,
            bytes if bytes > VERY_LARGE => VERY,
            _ => LARGE,
        };
        self.count.with_label_values(&[over]).inc();
        if over != LIMIT && self.is_news(&part.field, over, Instant::now()) {
            tell(part, limit, names, over);
        }
    }

    /// Notes a request that is too large as a whole.
    pub(super) fn refuse(&self) {
        self.count.with_label_values(&[LIMIT]).inc();
    }

    fn is_news(&self, field: &str, over: &str, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, last| now.duration_since(*last) < QUIET);
        let key = format!("{over} {field}");
        if told.len() >= FIELDS || told.contains_key(&key) {
            return false;
        }
        told.insert(key, now);
        true
    }
}

fn tell(part: &Part, limit: usize, names: &Names, over: &str) {
    let workflow = names.workflow_id();
    let workflow_id = (!workflow.is_empty()).then_some(workflow);
    if over == VERY {
        tracing::warn!(
            payload.field = part.field,
            payload.size_bytes = part.bytes,
            payload.limit_bytes = (limit < usize::MAX).then_some(limit),
            workflow.id = workflow_id,
            "a payload is larger than 256 KiB"
        );
    } else {
        tracing::info!(
            payload.field = part.field,
            payload.size_bytes = part.bytes,
            workflow.id = workflow_id,
            "a payload is larger than 50 KiB"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use sealane_service::probes::Metrics;

    use super::{FIELDS, Names, Noted, Part};
    use crate::connection::size::measure::Kind;

    #[tokio::test]
    async fn payloads_are_counted_by_what_they_exceed() {
        let metrics = Metrics::new();
        let noted = Noted::shown_in(Some(&metrics));
        for bytes in [60_000, 300_000, 400_000, 3_000_000] {
            let field = "result of the workflow".to_owned();
            let kind = Kind::Payload;
            noted.note(&Part { field, bytes, kind }, 2_000_000, &Names::default());
        }

        let text = metrics.render().await;

        for (over, count) in [("50KiB", 1), ("256KiB", 2), ("limit", 1)] {
            let line = format!("sealane_large_payloads_total{{over=\"{over}\"}} {count}\n");
            assert!(text.contains(&line), "{line} is not in {text}");
        }
    }

    #[test]
    fn a_field_is_told_once_a_minute() {
        let noted = Noted::shown_in(None);
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);

        assert!(noted.is_news("result", "50KiB", start));
        assert!(!noted.is_news("result", "50KiB", after(59)));
        assert!(noted.is_news("result", "256KiB", after(59)));
        assert!(noted.is_news("result", "50KiB", after(60)));
    }

    #[test]
    fn names_without_end_do_not_fill_the_memory() {
        let noted = Noted::shown_in(None);
        let now = Instant::now();

        let told = (0..10_000).filter(|name| noted.is_news(&name.to_string(), "50KiB", now));

        assert_eq!(told.count(), FIELDS);
        assert_eq!(noted.told.lock().unwrap().len(), FIELDS);
    }
}
