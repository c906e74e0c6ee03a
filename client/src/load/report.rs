//! What a load came to.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{LoadOptions, Pace, Recorder, recorder::Records};

/// What a load came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadReport {
    /// Type of the workflows.
    #[serde(rename = "type")]
    pub workflow_type: String,
    /// `open` or `closed`.
    pub pace: &'static str,
    /// Workflows per second that were asked for, in an open loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// How many were in flight at most.
    pub concurrency: usize,
    /// Workflows that were due; in a closed loop, those that started.
    pub due: u64,
    /// Workflows started.
    pub started: u64,
    /// Those with a right result.
    pub completed: u64,
    /// Those that were due and still under way, or not even started, when the load was stopped.
    pub unfinished: u64,
    /// From the beginning to the end of the last workflow, in seconds.
    pub seconds: f64,
    /// Right results per second.
    pub throughput: f64,
    /// From due to the right result, in milliseconds. Workflows with errors, and unfinished ones, are not in it.
    pub latency: Latency,
    /// From due to the server's word that the workflow is started, in milliseconds.
    pub start_latency: Latency,
    /// What went wrong, by kind.
    pub errors: Vec<Errors>,
    /// Right results by second, for plots.
    pub timeline: Vec<Second>,
    /// `[percentile, milliseconds]` along the whole distribution, for plots.
    pub distribution: Vec<(f64, f64)>,
}

/// Percentiles, in milliseconds with an error of at most 0.1 %; all 0 if there was nothing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say all there is")]
pub struct Latency {
    pub min: f64,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// Errors of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Errors {
    /// `not-started`, `no-result`, `timed-out`, `wrong-result`, `failed` or `ended-otherwise`.
    pub kind: &'static str,
    /// How many.
    pub count: u64,
    /// The first one.
    pub example: String,
}

/// One second of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Second {
    /// Which, from 0.
    pub second: usize,
    /// Right results that came in it.
    pub completed: u64,
}

impl LoadReport {
    /// Returns what is wrong; none if every workflow that was due had the right result, and there was one at all.
    pub fn shortcoming(&self) -> Option<String> {
        match (self.due, self.due - self.completed) {
            (0, _) => Some("no workflow was due yet: nothing was measured".to_owned()),
            (_, 0) => None,
            (due, wrong) => Some(format!("{wrong} of {due} workflows had no right result")),
        }
    }

    pub(super) fn of(options: &LoadOptions, recorder: &Recorder) -> Self {
        let records = recorder.snapshot();
        let seconds = records.last.as_secs_f64();
        Self {
            workflow_type: options.workflow_type.clone(),
            pace: options.pace.name(),
            rate: match options.pace {
                Pace::Open { per_second } => Some(per_second),
                Pace::Closed => None,
            },
            concurrency: options.concurrency.get(),
            started: records.started,
            completed: records.right,
            due: records.due(),
            unfinished: records.due() - records.right - records.errors(),
            seconds,
            throughput: per_second(records.right, seconds),
            latency: Latency::of(&records.completed),
            start_latency: Latency::of(&records.accepted),
            errors: errors(&records),
            timeline: timeline(&records),
            distribution: distribution(&records.completed),
        }
    }
}

impl Latency {
    fn of(times: &Histogram<u64>) -> Self {
        let at = |quantile| millis(times.value_at_quantile(quantile));
        Self {
            min: millis(times.min()),
            mean: times.mean() / 1000.0,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: millis(times.max()),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a load are far below 2^53"
)]
fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}

fn errors(records: &Records) -> Vec<Errors> {
    let kinds = records.mishaps.iter();
    kinds
        .map(|(kind, (count, example))| Errors {
            kind,
            count: *count,
            example: example.clone(),
        })
        .collect()
}

fn timeline(records: &Records) -> Vec<Second> {
    let seconds = records.seconds.iter().enumerate();
    seconds
        .map(|(second, completed)| Second {
            second,
            completed: *completed,
        })
        .collect()
}

/// Two points for each halving of the distance to 100 %, as `HdrHistogram`'s own plots have them.
fn distribution(times: &Histogram<u64>) -> Vec<(f64, f64)> {
    let points = times.iter_quantiles(2);
    points
        .map(|it| {
            (
                it.quantile_iterated_to() * 100.0,
                millis(it.value_iterated_to()),
            )
        })
        .collect()
}

fn millis(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroUsize, time::Duration};

    use serde_json::json;

    use super::{LoadOptions, LoadReport, Pace, Recorder};
    use crate::{
        load::{Expected, Volume, recorder::Mishap},
        trigger::InputTemplate,
    };

    fn report(recorder: &Recorder) -> LoadReport {
        let options = LoadOptions {
            workflow_type: "T".to_owned(),
            task_queue: "queue".to_owned(),
            input: InputTemplate::new(Vec::new()).unwrap(),
            expected: Expected::new(json!(1)).unwrap(),
            volume: Volume::Count(5),
            pace: Pace::Closed,
            concurrency: NonZeroUsize::MIN,
            warm_up: 0,
            timeout: Duration::from_secs(1),
        };
        LoadReport::of(&options, recorder)
    }

    fn one_right(recorder: &Recorder) {
        recorder.started();
        recorder.ended(Duration::from_millis(1), Ok(()));
    }

    #[test]
    fn a_load_is_right_if_all_its_workflows_are() {
        let recorder = Recorder::default();
        recorder.begin();
        one_right(&recorder);
        assert_eq!(report(&recorder).shortcoming(), None);

        recorder.started();
        let mishap = Mishap::new("wrong-result", "id", "");
        recorder.ended(Duration::from_millis(1), Err(mishap));

        let shortcoming = report(&recorder).shortcoming().unwrap();
        assert_eq!(shortcoming, "1 of 2 workflows had no right result");
    }

    #[test]
    fn a_load_that_is_stopped_while_it_warms_up_is_not_right() {
        let recorder = Recorder::default();
        one_right(&recorder);

        recorder.stop();

        let shortcoming = report(&recorder).shortcoming().unwrap();
        assert!(
            shortcoming.contains("nothing was measured"),
            "{shortcoming}"
        );
    }

    #[test]
    fn what_was_due_and_could_not_start_has_no_right_result() {
        let recorder = Recorder::default();
        recorder.begin();
        recorder.expect(Volume::Count(5), 1e9);
        one_right(&recorder);

        recorder.stop();

        let shortcoming = report(&recorder).shortcoming().unwrap();
        assert_eq!(shortcoming, "4 of 5 workflows had no right result");
    }
}
