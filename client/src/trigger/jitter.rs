//! How far a period may stray.

use std::{str::FromStr, time::Duration};

/// A share of a period, from none to all of it, written `10%`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Jitter(f64);

/// A text that is no jitter.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("jitter is {value:?}, expected 0% to 100%")]
#[non_exhaustive]
pub struct JitterError {
    /// The text.
    pub value: String,
}

impl Jitter {
    /// Returns `period`, longer or shorter by at most this share; `chance` from 0 to 1 says by how
    /// much, 0.5 leaves it as it is.
    pub(super) fn apply(self, period: Duration, chance: f64) -> Duration {
        period.mul_f64(1.0 + self.0 * (2.0 * chance.clamp(0.0, 1.0) - 1.0))
    }
}

impl FromStr for Jitter {
    type Err = JitterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_suffix('%')
            .and_then(|percent| percent.trim().parse::<f64>().ok())
            .filter(|percent| (0.0..=100.0).contains(percent))
            .map(|percent| Self(percent / 100.0))
            .ok_or_else(|| JitterError {
                value: text.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Jitter;

    const PERIOD: Duration = Duration::from_secs(10);

    #[test]
    fn a_period_strays_to_both_sides() {
        let jitter: Jitter = "10%".parse().unwrap();

        let periods = [0.0, 0.5, 1.0].map(|chance| jitter.apply(PERIOD, chance).as_millis());

        assert_eq!(periods, [9_000, 10_000, 11_000]);
    }

    #[test]
    fn no_jitter_is_no_change() {
        assert_eq!(Jitter::default().apply(PERIOD, 0.99), PERIOD);
    }

    #[test]
    fn shares_outside_the_period_are_refused() {
        for text in ["10", "-1%", "101%", "NaN%", "%", ""] {
            let error = text.parse::<Jitter>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
