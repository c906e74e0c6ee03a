//! How long a busy gateway wants to be left alone.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Longest wait that is obeyed. Asking once more after ten minutes hurts nobody, and an order must not sleep for a year
/// because of a gateway's clock or typo.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(10);

/// The wait that `Retry-After` asks for, given in seconds or as a date (RFC 9110, section 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            date.duration_since(now).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::{Duration, HeaderMap, LONGEST_RETRY_AFTER, RETRY_AFTER, SystemTime, retry_after};

    fn wait(text: &str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
        // Sun, 06 Nov 1994 08:49:37 GMT, the date that RFC 9110 uses throughout.
        retry_after(
            &headers,
            SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777),
        )
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        assert_eq!(wait("17"), Some(Duration::from_secs(17)));
        assert_eq!(
            wait("Sun, 06 Nov 1994 08:50:00 GMT"),
            Some(Duration::from_secs(23))
        );
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_leaves_the_wait_to_the_retry_policy() {
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-1"), None);
        assert_eq!(retry_after(&HeaderMap::new(), SystemTime::UNIX_EPOCH), None);
    }

    #[test]
    fn nobody_makes_an_order_sleep_for_a_year() {
        assert_eq!(wait("31536000"), Some(LONGEST_RETRY_AFTER));
    }
}
