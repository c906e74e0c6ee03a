//! How far the local clock is from those of others.
//!
//! A token is refused before its time and after it, and each process decides by its own clock when
//! a new key becomes active.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use sealane_service::exit;

use super::Finding;

const CHECK: &str = "clock";

/// More than a network and whole seconds explain.
const NOTICEABLE: Duration = Duration::from_secs(30);

/// What Microsoft's services tolerate between their clocks and those of others.
const TOLERATED: Duration = Duration::from_mins(5);

const REMEDY: &str = "correct the node's clock: `kubectl debug node/<node> -it --image=busybox -- chroot /host timedatectl` shows it, `chronyc makestep` there sets it";

/// What somebody else says the time is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    whose: String,
    /// Difference to the local clock.
    off: Duration,
    /// Whether the local clock is behind.
    behind: bool,
}

impl Reading {
    /// Reads the header `Date` of an answer that was `asked` for and `answered` at these times.
    pub(super) fn of_header(
        whose: &str,
        date: &str,
        asked: SystemTime,
        answered: SystemTime,
    ) -> Option<Self> {
        let theirs = http_date(date)?;
        // The truth lies between the two, and the header has whole seconds.
        let (off, behind) = match (
            theirs.duration_since(answered),
            asked.duration_since(theirs),
        ) {
            (Ok(ahead), _) => (ahead, true),
            (_, Ok(late)) => (late.saturating_sub(Duration::from_secs(1)), false),
            _ => (Duration::ZERO, false),
        };
        let whose = whose.to_owned();
        Some(Self { whose, off, behind })
    }

    /// Learns from something that `whose` clock says has happened already.
    pub(super) fn of_past(whose: &str, happened: SystemTime, now: SystemTime) -> Option<Self> {
        let off = happened.duration_since(now).ok()?;
        let whose = whose.to_owned();
        let behind = true;
        Some(Self { whose, off, behind })
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { whose, off, behind } = self;
        if off.as_secs() == 0 {
            return write!(f, "agrees with {whose}");
        }
        let off = humantime::format_duration(Duration::from_secs(off.as_secs()));
        let way = if *behind { "behind" } else { "ahead of" };
        write!(f, "is {off} {way} {whose}")
    }
}

/// Judges the worst of `readings`; `room` is how far clocks may differ for a rotation's sake.
pub(super) fn check(readings: &[Reading], room: Option<Duration>) -> Finding {
    let Some(worst) = readings.iter().max_by_key(|reading| reading.off) else {
        return Finding::skipped(CHECK, "nobody was reached whose clock could be compared");
    };
    let seen: Vec<String> = readings.iter().map(ToString::to_string).collect();
    let mut detail = format!("the local clock {}", seen.join(", "));
    if let Some(room) = room {
        let room = humantime::format_duration(room);
        detail.push_str(&format!("; rotation bears less than {room}"));
    }
    let too_far = worst.off > TOLERATED || room.is_some_and(|room| worst.off >= room);
    if worst.off <= NOTICEABLE {
        Finding::pass(CHECK, detail)
    } else if too_far {
        Finding::fail(CHECK, exit::SETTINGS, detail, REMEDY)
    } else {
        Finding::warn(CHECK, detail, REMEDY)
    }
}

/// Reads the one form of date that servers may send, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110,
/// section 5.6.7).
fn http_date(text: &str) -> Option<SystemTime> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let parts: Vec<&str> = text.split_ascii_whitespace().collect();
    let [_, day, month, year, time, "GMT"] = parts[..] else {
        return None;
    };
    let place = MONTHS.find(month)?;
    if month.len() != 3 || place % 3 != 0 {
        return None;
    }
    let month = place / 3 + 1;
    humantime::parse_rfc3339(&format!("{year}-{month:02}-{day}T{time}Z")).ok()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{Reading, check, http_date};
    use crate::doctor::Status;

    /// Sun, 06 Nov 1994 08:49:37 GMT
    const THEN: u64 = 784_111_777;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn reading(asked: u64, answered: u64) -> Reading {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        Reading::of_header("them", date, at(asked), at(answered)).unwrap()
    }

    fn off(seconds: u64, behind: bool) -> Reading {
        Reading {
            whose: "them".to_owned(),
            off: Duration::from_secs(seconds),
            behind,
        }
    }

    #[test]
    fn the_date_of_a_header_is_the_one_of_the_standard() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(at(THEN)));
        for text in [
            "",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 anF 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 36 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    #[test]
    fn the_time_an_answer_takes_is_no_difference() {
        assert_eq!(reading(THEN - 3, THEN + 3), off(0, false));
        assert_eq!(reading(THEN - 60, THEN - 50), off(50, true));
        assert_eq!(reading(THEN + 51, THEN + 60), off(50, false));
    }

    #[test]
    fn something_that_has_happened_can_only_show_that_we_are_behind() {
        let past = |happened| Reading::of_past("them", at(happened), at(THEN));

        assert_eq!(past(THEN - 50), None);
        assert_eq!(past(THEN + 50), Some(off(50, true)));
    }

    #[test]
    fn half_a_minute_is_noticed_and_five_are_too_much() {
        let status = |seconds, room: Option<u64>| {
            check(
                &[off(0, true), off(seconds, true)],
                room.map(Duration::from_secs),
            )
            .status
        };

        assert_eq!(status(30, Some(1)), Status::Pass);
        assert_eq!(status(31, None), Status::Warn);
        assert_eq!(status(300, None), Status::Warn);
        assert_eq!(status(301, None), Status::Fail);
        assert_eq!(status(60, Some(60)), Status::Fail);
        assert_eq!(check(&[], None).status, Status::Skipped);
    }

    #[test]
    fn the_difference_and_its_direction_are_said() {
        let said = check(&[off(90, true), off(0, false)], None).detail;
        assert_eq!(
            said,
            "the local clock is 1m 30s behind them, agrees with them"
        );

        let said = check(&[off(40, false)], Some(Duration::from_mins(10))).detail;
        assert!(said.contains("is 40s ahead of them"), "{said}");
        assert!(said.ends_with("rotation bears less than 10m"), "{said}");
    }
}
