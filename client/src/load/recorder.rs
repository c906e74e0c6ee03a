//! What is measured, while it is measured.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::Volume;

/// The longest time that is told apart, in microseconds; longer ones count as this.
const LONGEST: u64 = 3_600_000_000;

/// Significant digits of every time: an error of at most 0.1 %.
const DIGITS: u8 = 3;

/// Why a workflow does not count as a success.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mishap {
    /// One of a few stable words.
    pub(super) kind: &'static str,
    /// The first one of its kind in words.
    pub(super) example: String,
}

impl Mishap {
    pub(super) fn new(kind: &'static str, workflow_id: &str, reason: &str) -> Self {
        let example = match reason {
            "" => workflow_id.to_owned(),
            _ => format!("{workflow_id}: {reason}"),
        };
        Self { kind, example }
    }

    pub(super) fn no_result(timeout: Duration) -> Self {
        let after = humantime::format_duration(timeout);
        Self {
            kind: "timed-out",
            example: format!("no result after {after}"),
        }
    }
}

/// Counts and times of a load.
///
/// Workflows that were started before [`begin`](Self::begin) are not in them.
#[derive(Debug)]
pub struct Recorder(Mutex<Records>);

/// What has been counted so far.
#[derive(Clone, Debug)]
pub(super) struct Records {
    pub(super) began: Instant,
    /// Whether [`Recorder::begin`] was called: what is before that does not count.
    measured: bool,
    /// Whether the load was stopped before its end: what is still told then does not count.
    stopped: bool,
    /// In an open loop, how much is due when.
    due: Option<(Volume, f64)>,
    pub(super) started: u64,
    pub(super) right: u64,
    /// From when a workflow was due to the server's word that it is started.
    pub(super) accepted: Histogram<u64>,
    /// From when a workflow was due to its right result.
    pub(super) completed: Histogram<u64>,
    /// By kind: how many, and the first one.
    pub(super) mishaps: BTreeMap<&'static str, (u64, String)>,
    /// Right results by the second they came in.
    pub(super) seconds: Vec<u64>,
    /// When the last workflow ended.
    pub(super) last: Duration,
}

/// A view of a load under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Since the measuring began.
    pub elapsed: Duration,
    /// Workflows started.
    pub started: u64,
    /// Workflows that have ended, rightly or not.
    pub ended: u64,
    /// Those of them that do not count as a success.
    pub errors: u64,
    /// Median time to the result so far.
    pub median: Duration,
}

impl Default for Recorder {
    fn default() -> Self {
        Self(Mutex::new(Records::new()))
    }
}

impl Records {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            measured: false,
            stopped: false,
            due: None,
            started: 0,
            right: 0,
            accepted: histogram(),
            completed: histogram(),
            mishaps: BTreeMap::new(),
            seconds: Vec::new(),
            last: Duration::ZERO,
        }
    }

    /// How many were due: those that started, and in an open loop that was stopped also those that should
    /// have by then.
    pub(super) fn due(&self) -> u64 {
        let Some((volume, per_second)) = self.due.filter(|_| self.stopped) else {
            return self.started;
        };
        let by = |time: Duration| time.as_secs_f64() * per_second;
        let most = match volume {
            Volume::Count(count) => count,
            // What would be due when the time is up is not, be it by a rounding error.
            Volume::Duration(duration) => whole((by(duration) - 1e-6).ceil()),
        };
        let by_now = whole(by(self.last).floor()).saturating_add(1);
        by_now.min(most).max(self.started)
    }

    pub(super) fn errors(&self) -> u64 {
        self.mishaps.values().map(|(count, _)| count).sum()
    }

    fn right(&mut self, took: Duration) {
        self.right += 1;
        self.completed.saturating_record(micros(took));
        let second = usize::try_from(self.last.as_secs()).unwrap_or(usize::MAX);
        if self.seconds.len() <= second {
            self.seconds.resize(second + 1, 0);
        }
        self.seconds[second] += 1;
    }

    fn wrong(&mut self, mishap: Mishap) {
        let (count, _) = self
            .mishaps
            .entry(mishap.kind)
            .or_insert((0, mishap.example));
        *count += 1;
    }
}

impl Recorder {
    /// Forgets everything: what comes from here on counts.
    pub(super) fn begin(&self) {
        *self.records() = Records {
            measured: true,
            ..Records::new()
        };
    }

    /// Says what an open loop is to start, so that what was due and could not start is known.
    pub(super) fn expect(&self, volume: Volume, per_second: f64) {
        self.records().due = Some((volume, per_second));
    }

    /// Ends the load now, whatever is still in flight.
    pub(super) fn stop(&self) {
        let mut records = self.records();
        if records.measured {
            records.last = records.began.elapsed();
        } else {
            *records = Records::new();
        }
        records.stopped = true;
    }

    pub(super) fn started(&self) {
        if let Some(mut records) = self.counting() {
            records.started += 1;
        }
    }

    pub(super) fn accepted(&self, took: Duration) {
        if let Some(mut records) = self.counting() {
            records.accepted.saturating_record(micros(took));
        }
    }

    pub(super) fn ended(&self, took: Duration, outcome: Result<(), Mishap>) {
        let Some(mut records) = self.counting() else {
            return;
        };
        records.last = records.began.elapsed();
        match outcome {
            Ok(()) => records.right(took),
            Err(mishap) => records.wrong(mishap),
        }
    }

    /// Returns how far the load is.
    pub fn progress(&self) -> Progress {
        let records = self.records();
        let errors = records.errors();
        Progress {
            elapsed: records.began.elapsed(),
            started: records.started,
            ended: records.right + errors,
            errors,
            median: Duration::from_micros(records.completed.value_at_quantile(0.5)),
        }
    }

    pub(super) fn snapshot(&self) -> Records {
        self.records().clone()
    }

    /// A workflow's task may run on for a moment after the load was stopped.
    fn counting(&self) -> Option<MutexGuard<'_, Records>> {
        Some(self.records()).filter(|records| !records.stopped)
    }

    /// What is recorded stays right if a thread panics while it holds this: there is nothing half done.
    fn records(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::expect_used,
    reason = "the bounds are constants that the library accepts, and a test makes one"
)]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, DIGITS).expect("valid bounds")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive, and a float beyond u64 becomes its greatest value"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(LONGEST).max(1)
}

#[cfg(test)]
mod tests {
    use super::{Duration, Mishap, Recorder, Volume};

    #[test]
    fn what_was_before_the_beginning_does_not_count() {
        let recorder = Recorder::default();
        recorder.started();
        recorder.ended(Duration::from_secs(1), Ok(()));

        recorder.begin();

        let progress = recorder.progress();
        assert_eq!((progress.started, progress.ended), (0, 0));
        assert_eq!(progress.median, Duration::ZERO);
    }

    #[test]
    fn a_load_that_is_stopped_lasted_until_then() {
        let recorder = Recorder::default();
        recorder.begin();
        recorder.expect(Volume::Duration(Duration::from_secs(3600)), 1e6);
        recorder.ended(Duration::from_millis(1), Ok(()));
        let ended = recorder.snapshot();
        std::thread::sleep(Duration::from_millis(20));

        recorder.stop();

        let stopped = recorder.snapshot();
        assert!(stopped.last >= ended.last + Duration::from_millis(20));
        assert_eq!(ended.due(), ended.started);
        assert!(stopped.due() >= 20_000, "{}", stopped.due());
    }

    #[test]
    fn a_load_that_is_stopped_while_it_warms_up_measured_nothing() {
        let recorder = Recorder::default();
        recorder.started();
        recorder.ended(Duration::from_millis(1), Ok(()));

        recorder.stop();
        recorder.ended(Duration::from_millis(1), Ok(()));

        assert_eq!(recorder.progress().ended, 0);
        assert_eq!(recorder.snapshot().due(), 0);
    }

    #[test]
    fn no_more_is_due_than_there_is_time_for() {
        let recorder = Recorder::default();
        recorder.begin();
        recorder.expect(Volume::Duration(Duration::from_millis(10)), 1000.0);
        std::thread::sleep(Duration::from_millis(20));

        recorder.stop();

        assert_eq!(recorder.snapshot().due(), 10);
    }

    #[test]
    fn errors_are_counted_by_kind_and_are_no_fast_successes() {
        let recorder = Recorder::default();
        for id in ["a", "b"] {
            let mishap = Mishap::new("wrong-result", id, "");
            recorder.ended(Duration::from_micros(1), Err(mishap));
        }
        recorder.ended(Duration::from_millis(5), Ok(()));

        let records = recorder.snapshot();

        assert_eq!(records.mishaps["wrong-result"], (2, "a".to_owned()));
        assert_eq!((records.right, records.errors()), (1, 2));
        assert_eq!(records.completed.len(), 1);
        assert_eq!(records.seconds, [1]);
    }
}
