//! How a worker ended, and whether it may end like that.

use std::fmt;

use sealane_service::exit;
use serde_json::Value;

/// What a worker says last, if what it has in hand does not end in time.
const GIVEN_UP: &str = "the drain did not end in time";

/// Where the SDK panics after that: in this file of this crate.
const KNOWN_PANIC: [&str; 2] = ["temporalio-sdk-core-", "/src/worker/workflow/"];

/// The number of SIGKILL.
const KILLED: i32 = 9;

/// What was asked of a worker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Asked {
    /// SIGKILL.
    ToDie,
    /// SIGTERM.
    ToStop,
    /// No more memory than it has.
    NotToGrow,
}

/// How a worker ended.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    /// Its number.
    pub(crate) worker: usize,
    /// What was asked of it, if anything was.
    pub(crate) asked: Option<Asked>,
    /// Its exit code, unless a signal ended it.
    pub(crate) code: Option<i32>,
    /// The signal that ended it, if one did.
    pub(crate) signal: Option<i32>,
    /// Whether it had to be killed, as it did not end for a long time.
    pub(crate) overdue: bool,
    /// Whether it had come to poll.
    pub(crate) was_ready: bool,
    /// Whether its key file was broken when it ended.
    pub(crate) start_could_fail: bool,
    /// The largest that it had been in memory when it was asked to end, in KiB.
    pub(crate) peak_kib: Option<u64>,
    /// Everything that it wrote to standard error.
    pub(crate) said: Vec<String>,
}

impl Ending {
    /// Returns why a worker must not end like that, if it must not.
    pub(crate) fn objection(&self) -> Option<String> {
        if self.overdue {
            return Some(format!("{self}: it did not end until it was killed"));
        }
        // What an allocator or a library does without memory is not for us to say.
        if self.asked == Some(Asked::NotToGrow) {
            return None;
        }
        if let Some(line) = self.panic() {
            return Some(format!("{self}: it panicked: {line}"));
        }
        if self.is_expected() {
            return None;
        }
        let last = self.said.iter().rev().take(3).rev();
        let last: Vec<_> = last.map(String::as_str).collect();
        Some(format!("{self}: it said last {last:#?}"))
    }

    /// Whether SIGKILL ended it.
    pub(crate) fn was_killed(&self) -> bool {
        self.signal == Some(KILLED)
    }

    /// A thread of the SDK panics when a worker that did not drain in time is let go, with work in its hands. The process
    /// ends with 0 all the same, and the work is done elsewhere. Nothing else may panic, before or after.
    fn panic(&self) -> Option<&String> {
        let given_up = self.said.iter().position(|line| line.contains(GIVEN_UP));
        let known =
            |at: usize, line: &str| given_up.is_some_and(|it| it < at) && is_known_panic(line);
        let mut lines = self.said.iter().enumerate();
        let unknown = lines.find(|(at, line)| line.contains("panicked") && !known(*at, line))?;
        Some(unknown.1)
    }

    fn is_expected(&self) -> bool {
        let [unavailable, settings] = [exit::UNAVAILABLE, exit::SETTINGS].map(i32::from);
        match (self.asked, self.code, self.signal) {
            (Some(Asked::ToDie), _, Some(KILLED)) | (Some(Asked::ToStop), Some(0), _) => true,
            // Before it listens to signals.
            (Some(Asked::ToStop), _, Some(15)) => !self.was_ready,
            // A start is not repeated by the worker itself, nor does it go on without keys.
            (_, Some(code), _) if code == unavailable => !self.was_ready,
            (_, Some(code), _) if code == settings => !self.was_ready && self.start_could_fail,
            _ => false,
        }
    }
}

/// Whether a line of the log tells of the panic that the SDK is known for.
fn is_known_panic(line: &str) -> bool {
    let event = serde_json::from_str::<Value>(line).unwrap_or_default();
    let location = event["panic.location"].as_str().unwrap_or_default();
    KNOWN_PANIC.iter().all(|part| location.contains(part))
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker {} ended", self.worker)?;
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, " with {code}")?,
            (_, Some(signal)) => write!(f, " by signal {signal}")?,
            _ => f.write_str(" somehow")?,
        }
        match self.asked {
            None => f.write_str(", which nobody had asked it to")?,
            Some(Asked::ToDie) => f.write_str(", killed")?,
            Some(Asked::ToStop) => f.write_str(", told to stop")?,
            Some(Asked::NotToGrow) => f.write_str(", with no more memory")?,
        }
        f.write_str(if self.was_ready {
            ""
        } else {
            ", before it polled"
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Asked, Ending};

    fn ending(asked: Option<Asked>, code: Option<i32>, signal: Option<i32>) -> Ending {
        Ending {
            worker: 0,
            asked,
            code,
            signal,
            overdue: false,
            was_ready: true,
            start_could_fail: false,
            peak_kib: None,
            said: Vec::new(),
        }
    }

    #[test]
    fn what_was_asked_for_is_fine() {
        for fine in [
            ending(Some(Asked::ToDie), None, Some(9)),
            ending(Some(Asked::ToStop), Some(0), None),
            ending(Some(Asked::NotToGrow), None, Some(6)),
        ] {
            assert_eq!(fine.objection(), None);
        }
    }

    #[test]
    fn nothing_else_is() {
        for wrong in [
            ending(None, Some(0), None),
            ending(None, Some(69), None),
            ending(None, None, Some(11)),
            ending(Some(Asked::ToDie), Some(101), None),
            ending(Some(Asked::ToStop), Some(70), None),
            ending(Some(Asked::ToStop), None, Some(15)),
        ] {
            assert!(wrong.objection().is_some(), "{wrong}");
        }
    }

    #[test]
    fn a_start_may_fail_only_for_what_was_broken() {
        let mut start = ending(None, Some(69), None);
        start.was_ready = false;
        assert_eq!(start.objection(), None);
        start.code = Some(78);
        assert!(start.objection().is_some());
        start.start_could_fail = true;
        assert_eq!(start.objection(), None);
    }

    const LET_GO: &str = "the drain did not end in time; …";

    /// What a worker that panicked there has in its log.
    fn panicked(location: &str) -> String {
        json!({"message": "panicked; …", "panic.location": location}).to_string()
    }

    fn of_the_sdk() -> String {
        panicked("/r/src/temporalio-sdk-core-0.10.1/src/worker/workflow/mod.rs:256:38")
    }

    fn stopped(said: Vec<String>) -> Ending {
        Ending {
            said,
            ..ending(Some(Asked::ToStop), Some(0), None)
        }
    }

    #[test]
    fn what_the_sdk_does_after_a_drain_is_given_up_is_known() {
        let mut stopped = stopped(vec![LET_GO.to_owned(), of_the_sdk()]);
        assert_eq!(stopped.objection(), None);
        stopped.code = Some(101);
        assert!(stopped.objection().is_some());
    }

    #[test]
    fn any_other_panic_is_not_fine() {
        let let_go = || LET_GO.to_owned();
        for said in [
            vec![of_the_sdk()],
            vec![of_the_sdk(), let_go()],
            vec![let_go(), panicked("worker/src/run.rs:12:3")],
            vec![
                let_go(),
                panicked("/r/temporalio-sdk-core-0.10.1/src/lib.rs:1:1"),
            ],
            vec![
                let_go(),
                of_the_sdk(),
                panicked("workflows/src/orders.rs:12:3"),
            ],
            vec![let_go(), "thread 'main' panicked at src/main.rs".to_owned()],
        ] {
            assert!(stopped(said.clone()).objection().is_some(), "{said:?}");
        }
    }

    #[test]
    fn a_worker_that_would_not_end_is_seen_whatever_was_asked() {
        for asked in [Asked::ToDie, Asked::ToStop, Asked::NotToGrow] {
            let mut late = ending(Some(asked), None, Some(9));
            late.overdue = true;
            assert!(late.objection().is_some(), "{late}");
        }
    }
}
