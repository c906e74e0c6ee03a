//! A bar that shows how far a walk has come, if somebody watches.

use std::{
    convert::Infallible,
    future,
    io::{self, IsTerminal, Write},
    time::Duration,
};

use crate::audit::Progress;

/// Often enough to look alive, seldom enough to cost nothing.
const REDRAW_EVERY: Duration = Duration::from_millis(200);

/// Length of a full bar, in characters.
const LENGTH: u64 = 30;

/// Draws on standard error for ever, or does nothing if that is no terminal.
pub(super) async fn draw(progress: &Progress) -> Infallible {
    if !io::stderr().is_terminal() {
        return future::pending().await;
    }
    let mut ticks = tokio::time::interval(REDRAW_EVERY);
    loop {
        ticks.tick().await;
        let line = line(
            progress.workflows(),
            progress.expected(),
            progress.schedules(),
        );
        print(&format!("\r\x1b[K{line}"));
    }
}

/// Removes the bar, so that what follows begins on an empty line.
pub(super) fn clear() {
    if io::stderr().is_terminal() {
        print("\r\x1b[K");
    }
}

/// A terminal that has gone leaves nobody to draw for.
fn print(text: &str) {
    let mut terminal = io::stderr().lock();
    let _ = terminal.write_all(text.as_bytes());
    let _ = terminal.flush();
}

fn line(workflows: u64, expected: u64, schedules: u64) -> String {
    // More can be found than were counted: some have started since.
    let expected = expected.max(workflows);
    let done = (workflows * LENGTH).checked_div(expected).unwrap_or(LENGTH);
    let bar: String = (0..LENGTH)
        .map(|place| if place < done { '#' } else { '.' })
        .collect();
    format!("[{bar}] {workflows} of {expected} workflows, {schedules} schedules")
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_bar_fills_as_workflows_are_looked_at() {
        assert_eq!(
            line(1, 3, 0),
            "[##########....................] 1 of 3 workflows, 0 schedules"
        );
        assert_eq!(
            line(4, 3, 2),
            "[##############################] 4 of 4 workflows, 2 schedules"
        );
        assert!(line(0, 0, 2).starts_with("[####"));
    }
}
