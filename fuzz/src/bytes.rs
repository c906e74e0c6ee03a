//! Looking for bytes in bytes, and taking choices from an input.

use crate::CANARY;

/// Whether `needle` is somewhere in `hay`.
pub(crate) fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

/// How often `needle` is in `hay`.
pub(crate) fn count(hay: &[u8], needle: &[u8]) -> usize {
    hay.windows(needle.len())
        .filter(|window| *window == needle)
        .count()
}

/// Splits off the first byte, which chooses; an empty input chooses 0.
pub(crate) fn choice(input: &[u8]) -> (u8, &[u8]) {
    input
        .split_first()
        .map_or((0, input), |(first, rest)| (*first, rest))
}

/// Fails if `message` shows the [`CANARY`], as text or as a list of bytes.
#[track_caller]
pub(crate) fn assert_silent(message: &str) {
    let listed = format!("{:?}", CANARY.as_bytes());
    let listed = listed.trim_matches(['[', ']']);
    assert!(!message.contains(CANARY), "a secret is shown: {message}");
    assert!(!message.contains(listed), "a secret is shown: {message}");
}

/// Fails unless `message` is one line of at most `limit` bytes.
#[track_caller]
pub(crate) fn assert_one_line(message: &str, limit: usize) {
    assert!(
        !message.contains(['\n', '\r']),
        "several lines: {message:?}"
    );
    let len = message.len();
    assert!(len <= limit, "{len} bytes of message: {message}");
}
