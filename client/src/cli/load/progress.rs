//! How far a load is, on standard error.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use crate::load::{Progress, Recorder, Volume};

/// How often a terminal is told.
const TERMINAL: Duration = Duration::from_millis(200);
/// How often a log is told.
const LOG: Duration = Duration::from_secs(10);

/// Waits for `load` and shows meanwhile how far it is: a bar on a terminal, a line now and then in a log.
pub(super) async fn shown_while<T>(
    recorder: &Recorder,
    volume: Volume,
    load: impl Future<Output = T>,
) -> T {
    let is_terminal = std::io::stderr().is_terminal();
    let bar = bar(volume, is_terminal);
    let mut ticks = tokio::time::interval(if is_terminal { TERMINAL } else { LOG });
    ticks.tick().await;
    tokio::pin!(load);
    let mut before = recorder.progress();
    loop {
        tokio::select! {
            done = &mut load => {
                bar.finish_and_clear();
                return done;
            }
            _ = ticks.tick() => {
                let now = recorder.progress();
                tell(&bar, is_terminal, volume, before, now);
                before = now;
            }
        }
    }
}

fn bar(volume: Volume, is_terminal: bool) -> ProgressBar {
    if !is_terminal {
        return ProgressBar::hidden();
    }
    let length = match volume {
        Volume::Count(count) => count,
        Volume::Duration(duration) => millis(duration),
    };
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn tell(bar: &ProgressBar, is_terminal: bool, volume: Volume, before: Progress, now: Progress) {
    let line = line(before, now);
    if !is_terminal {
        eprintln!("sealane: load: {line}");
        return;
    }
    bar.set_position(match volume {
        Volume::Count(_) => now.ended,
        Volume::Duration(_) => millis(now.elapsed),
    });
    bar.set_message(line);
}

/// The rate is that since the last look, so that a stall shows. Across the end of a warm-up it is that
/// of the time since.
fn line(before: Progress, now: Progress) -> String {
    let (ended, elapsed) = match now.elapsed.checked_sub(before.elapsed) {
        Some(elapsed) => (now.ended.saturating_sub(before.ended), elapsed),
        None => (now.ended, now.elapsed),
    };
    let ended = u32::try_from(ended).map_or(f64::INFINITY, f64::from);
    format!(
        "{} ended, {:.0}/s, p50 {:.1} ms, {} in flight, {} wrong",
        now.ended,
        ended / elapsed.as_secs_f64().max(0.001),
        now.median.as_secs_f64() * 1000.0,
        now.started - now.ended,
        now.errors,
    )
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Duration, Progress, line};

    fn at(seconds: u64, ended: u64) -> Progress {
        Progress {
            elapsed: Duration::from_secs(seconds),
            started: ended + 5,
            ended,
            errors: 1,
            median: Duration::from_micros(2500),
        }
    }

    #[test]
    fn the_rate_is_the_one_since_the_last_look() {
        assert_eq!(
            line(at(10, 100), at(12, 120)),
            "120 ended, 10/s, p50 2.5 ms, 5 in flight, 1 wrong"
        );
    }

    #[test]
    fn a_beginning_that_was_set_anew_makes_no_negative_rate() {
        assert!(line(at(10, 100), at(2, 8)).contains(" 4/s,"));
    }
}
