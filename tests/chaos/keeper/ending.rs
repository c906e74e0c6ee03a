//! How a worker ended, and whether it may end like that.

use std::fmt;

use sealane_service::exit;

/// What a worker says last, if what it has in hand does not end in time.
const GIVEN_UP: &str = "the drain did not end in time";

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

    /// A thread of the SDK panics when a worker that did not drain in time is let go, with work in its hands. The process
    /// ends with 0 all the same, and the work is done elsewhere.
    fn panic(&self) -> Option<&String> {
        let given_up = |line: &&String| line.contains(GIVEN_UP);
        let lines = self.said.iter().take_while(|line| !given_up(line));
        lines.into_iter().find(|line| line.contains("panicked"))
    }

    fn is_expected(&self) -> bool {
        let [unavailable, settings] = [exit::UNAVAILABLE, exit::SETTINGS].map(i32::from);
        match (self.asked, self.code, self.signal) {
            (Some(Asked::ToDie), _, Some(9)) | (Some(Asked::ToStop), Some(0), _) => true,
            // Before it listens to signals.
            (Some(Asked::ToStop), _, Some(15)) => !self.was_ready,
            // A start is not repeated by the worker itself, nor does it go on without keys.
            (_, Some(code), _) if code == unavailable => !self.was_ready,
            (_, Some(code), _) if code == settings => !self.was_ready && self.start_could_fail,
            _ => false,
        }
    }
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
    use super::{Asked, Ending};

    fn ending(asked: Option<Asked>, code: Option<i32>, signal: Option<i32>) -> Ending {
        Ending {
            worker: 0,
            asked,
            code,
            signal,
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

    #[test]
    fn a_panic_is_never_fine() {
        let mut stopped = ending(Some(Asked::ToStop), Some(0), None);
        let lines = ["panicked; …", "the drain did not end in time; …"];
        stopped.said = lines.map(str::to_owned).into();
        assert!(stopped.objection().is_some());
    }

    #[test]
    fn what_the_sdk_does_after_a_drain_is_given_up_is_known() {
        let mut stopped = ending(Some(Asked::ToStop), Some(0), None);
        let lines = ["the drain did not end in time; …", "panicked; …"];
        stopped.said = lines.map(str::to_owned).into();
        assert_eq!(stopped.objection(), None);
        stopped.code = Some(101);
        assert!(stopped.objection().is_some());
    }
}
