//! Whether the workers that are left are at rest, and how large they got.

use crate::keeper::{Asked, Ending};

/// The most that a worker may have in memory at any time, in KiB.
const MOST_MEMORY_KIB: u64 = 192 * 1024;

/// What a worker shows while it has something in hand.
const IN_HAND: &str = "temporal_worker_task_slots_used";

/// How much larger a worker may be near the end of a long run than after its first part: half of it, and this much, in KiB.
const GROWTH_KIB: u64 = 16 * 1024;

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

/// Returns an objection if a worker that lived all the time has grown from the first of two sizes, in KiB, to the second,
/// by more than what is no leak: caches that fill up, and a moment with more in hand than another.
pub(crate) fn grew(sizes: [Option<u64>; 2]) -> Option<String> {
    match sizes {
        [Some(early), Some(late)] if late <= early + early / 2 + GROWTH_KIB => None,
        [Some(early), Some(late)] => Some(format!(
            "the worker that was never ended has grown from {early} to {late} KiB"
        )),
        _ => Some("the worker that was never ended could not be measured twice".to_owned()),
    }
}

/// Returns an objection if workers were limited in memory more than once, and none of them ever noticed: then it is no
/// fault at all.
pub(crate) fn unlimited(endings: &[Ending]) -> Option<String> {
    let limited = endings
        .iter()
        .filter(|ending| ending.asked == Some(Asked::NotToGrow));
    let (limited, survived) = limited.fold((0, 0), |(all, survived), ending| {
        (all + 1, survived + usize::from(ending.was_killed()))
    });
    let vain = limited > 1 && survived == limited;
    vain.then(|| {
        format!("{limited} workers got no more memory, and all lived until they were killed")
    })
}

/// Returns an objection for each worker whose log holds `text`.
pub(crate) fn told(endings: &[Ending], text: &str) -> Vec<String> {
    let tells = |ending: &&Ending| ending.said.iter().any(|line| line.contains(text));
    let objection = |ending| format!("{ending}: {text} is in its log");
    endings.iter().filter(tells).map(objection).collect()
}

#[cfg(test)]
mod tests {
    use super::{Asked, Ending, GROWTH_KIB, at_rest, grew, largest, told, unlimited};

    fn ending() -> Ending {
        Ending {
            worker: 0,
            asked: None,
            code: Some(0),
            signal: None,
            overdue: false,
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
    fn a_worker_that_grows_or_cannot_be_measured_is_seen() {
        let [early, most] = [60_000, 90_000 + GROWTH_KIB];
        assert_eq!(grew([Some(early), Some(most)]), None);
        assert_eq!(grew([Some(early), Some(early / 2)]), None);
        assert!(grew([Some(early), Some(most + 1)]).is_some());
        assert!(grew([Some(early), None]).is_some());
        assert!(grew([None, Some(early)]).is_some());
    }

    #[test]
    fn limits_that_nobody_notices_are_seen() {
        let limited = |signal| Ending {
            asked: Some(Asked::NotToGrow),
            signal: Some(signal),
            ..ending()
        };
        assert_eq!(unlimited(&[limited(9)]), None, "once may be chance");
        assert_eq!(unlimited(&[limited(9), limited(6)]), None);
        assert!(unlimited(&[ending(), limited(9), limited(9)]).is_some());
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
