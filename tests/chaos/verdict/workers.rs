//! Whether the workers that are left are at rest, and how large they got.

use crate::keeper::Ending;

/// The most that a worker may have in memory at any time, in KiB.
const MOST_MEMORY_KIB: u64 = 192 * 1024;

/// What a worker shows while it has something in hand.
const IN_HAND: &str = "temporal_worker_task_slots_used";

/// Returns what a worker still has in hand, by what it shows at `/metrics`, once all workflows have ended.
pub(crate) fn at_rest(scrape: &str) -> Vec<String> {
    let mut shown = scrape
        .lines()
        .filter(|line| line.starts_with(IN_HAND))
        .peekable();
    if shown.peek().is_none() {
        return vec![format!("a worker shows no {IN_HAND}")];
    }
    let busy = shown.filter(|line| {
        let value = line
            .rsplit(' ')
            .next()
            .and_then(|it| it.parse::<f64>().ok());
        value.is_none_or(|value| value > 0.0)
    });
    busy.map(|line| format!("a worker is not at rest: {line}"))
        .collect()
}

/// Returns the largest that any of the workers got, in KiB, and an objection if that is too large.
pub(crate) fn largest(endings: &[Ending]) -> (u64, Option<String>) {
    let largest = endings.iter().max_by_key(|ending| ending.peak_kib);
    let kib = largest
        .and_then(|ending| ending.peak_kib)
        .unwrap_or_default();
    let fine = (1..=MOST_MEMORY_KIB).contains(&kib);
    let objection = largest.filter(|_| !fine).map(|ending| {
        format!("{ending}: it had {kib} KiB in memory, expected at most {MOST_MEMORY_KIB}")
    });
    (kib, objection)
}

/// Returns an objection for each worker whose log holds `text`.
pub(crate) fn told(endings: &[Ending], text: &str) -> Vec<String> {
    let tells = |ending: &&Ending| ending.said.iter().any(|line| line.contains(text));
    let objection = |ending| format!("{ending}: {text} is in its log");
    endings.iter().filter(tells).map(objection).collect()
}

#[cfg(test)]
mod tests {
    use super::{Ending, at_rest, largest, told};

    fn ending() -> Ending {
        Ending {
            worker: 0,
            asked: None,
            code: Some(0),
            signal: None,
            was_ready: true,
            start_could_fail: false,
            peak_kib: Some(100),
            said: vec!["it says canary".to_owned()],
        }
    }

    #[test]
    fn a_worker_that_is_too_large_or_was_never_measured_is_seen() {
        let mut endings = [ending()];
        assert_eq!(largest(&endings), (100, None));
        for kib in [None, Some(u64::MAX)] {
            endings[0].peak_kib = kib;
            assert!(largest(&endings).1.is_some(), "{kib:?}");
        }
    }

    #[test]
    fn a_log_that_tells_is_seen() {
        assert_eq!(told(&[ending()], "canary").len(), 1);
        assert_eq!(told(&[ending()], "parrot"), [""; 0]);
    }

    #[test]
    fn slots_in_use_are_seen() {
        let idle = "temporal_worker_task_slots_used{worker_type=\"ActivityWorker\"} 0\n";
        assert_eq!(at_rest(idle), [""; 0]);
        let busy = "temporal_worker_task_slots_used{worker_type=\"WorkflowWorker\"} 1\n";
        assert_eq!(at_rest(&format!("{idle}{busy}")).len(), 1);
        assert_eq!(at_rest("").len(), 1, "nothing shown proves nothing");
    }
}
