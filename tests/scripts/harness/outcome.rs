//! What a script did.

use serde_json::Value;

use super::Record;

/// The end of a run, and the way to it.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) calls: Vec<Record>,
    pub(super) summary: Option<String>,
}

impl Outcome {
    /// Asserts that the script ended with 0.
    pub(crate) fn succeeds(&self) -> &Self {
        self.ends_with(0)
    }

    /// Asserts the exit code.
    pub(crate) fn ends_with(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// Asserts the exit code, and that exactly one line of standard error carries a slug, and this one.
    pub(crate) fn fails(&self, code: i32, slug: &str) -> &Self {
        self.ends_with(code);
        let told: Vec<_> = self
            .stderr
            .lines()
            .filter(|line| is_failure(line))
            .collect();
        assert_eq!(told.len(), 1, "one line says what failed: {told:?}\n{self}");
        assert!(
            told[0].contains(&format!("[{slug}]")),
            "[{slug}] expected\n{self}"
        );
        assert!(
            told[0].contains(';'),
            "the line ends with a remedy: {}",
            told[0]
        );
        self
    }

    /// Asserts that `text` is somewhere in the output.
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "says {text:?}\n{self}"
        );
        self
    }

    /// Asserts that a call fits `pattern`.
    pub(crate) fn called(&self, pattern: &str) -> &Self {
        assert!(self.count(pattern) > 0, "{pattern:?} was called\n{self}");
        self
    }

    /// Asserts that no call fits `pattern`.
    pub(crate) fn never(&self, pattern: &str) -> &Self {
        assert_eq!(
            self.count(pattern),
            0,
            "{pattern:?} was never called\n{self}"
        );
        self
    }

    /// How many calls fit `pattern`.
    pub(crate) fn count(&self, pattern: &str) -> usize {
        self.calls.iter().filter(|call| call.is(pattern)).count()
    }

    /// Asserts that there are calls that fit `patterns`, each after the one before.
    pub(crate) fn in_order(&self, patterns: &[&str]) -> &Self {
        let mut calls = self.calls.iter();
        for pattern in patterns {
            assert!(
                calls.any(|call| call.is(pattern)),
                "{pattern:?} in the order {patterns:?}\n{self}"
            );
        }
        self
    }

    /// The first call that fits `pattern`.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub(crate) fn call(&self, pattern: &str) -> &Record {
        let found = self.calls.iter().find(|call| call.is(pattern));
        found.unwrap_or_else(|| panic!("{pattern:?} was called\n{self}"))
    }

    /// The JSON summary that the script wrote.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub(crate) fn summary(&self) -> Value {
        let text = self.summary.as_ref();
        let text = text.unwrap_or_else(|| panic!("a summary was written\n{self}"));
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// `SCRIPT: STEP: [slug] …`
fn is_failure(line: &str) -> bool {
    line.contains(": [") && !line.starts_with("warning") && !line.contains(": warning: ")
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "ended with {}\n--- stdout\n{}--- stderr\n{}--- calls",
            self.code, self.stdout, self.stderr
        )?;
        self.calls.iter().try_for_each(|call| {
            writeln!(f, "{:.200}", call.line().lines().next().unwrap_or_default())
        })
    }
}
