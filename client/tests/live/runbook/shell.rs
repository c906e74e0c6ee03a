//! As much of a shell as the document uses.

use std::time::Duration;

/// A second of the test stands for so many of the document.
const SPEED: u32 = 180;

/// The vault of the document, and of the fake.
const VAULTS: (&str, &str) = ("my-vault", "unit");

/// What a command has printed, both streams, and its exit code.
#[derive(Clone, Debug, Default)]
pub(super) struct Printed {
    pub(super) code: i32,
    pub(super) lines: Vec<String>,
}

impl Printed {
    /// What a command printed that has done what it should.
    pub(super) fn of(text: &str) -> Self {
        Self {
            code: 0,
            lines: text.lines().map(str::to_owned).collect(),
        }
    }
}

/// Splits a line into words: at white space that is not quoted.
pub(super) fn words(line: &str) -> Vec<String> {
    let (mut words, mut quoted_by) = (vec![String::new()], None);
    for letter in line.chars() {
        let word = words.last_mut().expect("there is one");
        match (letter, quoted_by) {
            ('"' | '\'', None) => quoted_by = Some(letter),
            (letter, Some(quote)) if letter == quote => quoted_by = None,
            (' ', None) if word.is_empty() => {}
            (' ', None) => words.push(String::new()),
            (letter, _) => word.push(letter),
        }
    }
    words
}

/// Joins words to a line as a terminal of ours takes it.
pub(super) fn line(words: &[String]) -> String {
    let quoted = words.iter().map(|word| format!("'{word}'"));
    quoted.collect::<Vec<_>>().join(" ")
}

/// Returns what the document calls differently from the test, as the test calls it.
pub(super) fn translate(text: &str) -> String {
    text.replace(VAULTS.0, VAULTS.1)
}

/// Returns the arguments with every duration as short as the test needs it.
pub(super) fn hurry(words: &[String]) -> Vec<String> {
    let shorten = |word: &String| match humantime::parse_duration(word) {
        Ok(duration) => {
            humantime::format_duration(Duration::max(duration / SPEED, Duration::from_secs(1)))
                .to_string()
        }
        Err(_) => word.clone(),
    };
    words.iter().map(shorten).collect()
}

/// Returns the value of the flag `name`, which must be there.
///
/// # Panics
///
/// If it is not.
pub(super) fn flag<'a>(words: &'a [String], name: &str) -> &'a str {
    let value = optional(words, name);
    value.unwrap_or_else(|| panic!("no {name} in {words:?}"))
}

/// Returns the value of the flag `name`.
pub(super) fn optional<'a>(words: &'a [String], name: &str) -> Option<&'a str> {
    let at = words.iter().position(|word| word == name)?;
    words.get(at + 1).map(String::as_str)
}
