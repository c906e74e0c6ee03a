//! How long to wait between calls to Azure.

use std::time::Duration;

/// First wait after a failure. Key Vault's documentation recommends 1, 2, 4, 8, 16 seconds:
/// <https://learn.microsoft.com/azure/key-vault/general/overview-throttling>
const FIRST: Duration = Duration::from_secs(1);

/// Wait after a success, from three quarters of `refresh` to the whole, so that pods which were
/// started together drift apart. `random` is from 0 to 1.
pub(crate) fn after_success(refresh: Duration, random: f64) -> Duration {
    spread(refresh, random)
}

/// Wait after the `failures`th failure in a row: doubling, spread like the others, and never
/// longer than `longest`.
pub(crate) fn after_failure(failures: u32, longest: Duration, random: f64) -> Duration {
    let doubled = FIRST.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1)));
    spread(doubled.min(longest), random)
}

fn spread(wait: Duration, random: f64) -> Duration {
    wait.mul_f64(0.75 + 0.25 * random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{after_failure, after_success};

    #[test]
    fn refreshes_are_spread_over_a_quarter_of_the_interval() {
        let refresh = Duration::from_secs(300);

        assert_eq!(after_success(refresh, 0.0), Duration::from_secs(225));
        assert_eq!(after_success(refresh, 1.0), refresh);
    }

    #[test]
    fn failures_double_the_wait_up_to_the_interval() {
        let longest = Duration::from_secs(300);
        let waits = [1, 2, 3, 4, 5, 9, 10, 40, u32::MAX]
            .map(|failures| after_failure(failures, longest, 1.0).as_secs());

        assert_eq!(waits, [1, 2, 4, 8, 16, 256, 300, 300, 300]);
    }
}
