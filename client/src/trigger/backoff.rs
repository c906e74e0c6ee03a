//! How long to wait after a failure.

use std::time::Duration;

/// A restart of a server's frontend is over within seconds.
const FIRST: Duration = Duration::from_secs(1);

/// Short enough to be back within a minute of the server, long enough to cost it nothing.
const LONGEST: Duration = Duration::from_secs(60);

/// Returns the wait before the next attempt, after `failures` in a row.
///
/// It doubles each time up to a minute. `chance`, between 0 and 1, takes up to half of it away, so
/// that many clients do not return to a recovering server at the same moment.
pub(super) fn delay(failures: u32, chance: f64) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    let delay = FIRST.saturating_mul(doubled).min(LONGEST);
    delay.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::delay;

    #[test]
    fn waits_double_up_to_a_minute() {
        let waits = [1, 2, 3, 6, 7, 8, u32::MAX].map(|failures| delay(failures, 0.0).as_secs());

        assert_eq!(waits, [1, 2, 4, 32, 60, 60, 60]);
    }

    #[test]
    fn chance_takes_up_to_half_of_a_wait_away() {
        assert_eq!(delay(3, 1.0), Duration::from_secs(2));
        assert_eq!(delay(3, 0.5), Duration::from_secs(3));
    }
}
