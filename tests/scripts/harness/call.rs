//! One call of a stand-in: as it is answered, and as it is remembered.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
};

use serde::Deserialize;

/// A call that was made.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Record {
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    /// What was read from standard input, if the answer took it.
    #[serde(skip)]
    pub(crate) stdin: Option<String>,
    /// Whether nothing was scripted for it.
    #[serde(skip)]
    pub(crate) unanswered: bool,
}

impl Record {
    /// Whether the words of `pattern` are in this call, in this order. Other words may be between them; `*` stands for any
    /// one word, and a `*` at the end of a word for the rest of it. The first word is the program.
    pub(crate) fn is(&self, pattern: &str) -> bool {
        let mut wanted = pattern.split_whitespace();
        if wanted.next() != Some(self.program.as_str()) {
            return false;
        }
        let mut words = self.args.iter();
        wanted.all(|wanted| words.any(|word| fits(word, wanted)))
    }

    /// The word after `flag`, or what follows `flag=`.
    pub(crate) fn value(&self, flag: &str) -> Option<&str> {
        let mut words = self.args.iter();
        words
            .find_map(|word| match word.strip_prefix(flag)? {
                "" => Some(None),
                rest => rest.strip_prefix('=').map(Some),
            })?
            .or_else(|| words.next().map(String::as_str))
    }

    /// Program and arguments in one line.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.program, self.args.join(" "))
    }
}

fn fits(word: &str, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(start) => word.starts_with(start),
        None => word == wanted,
    }
}

/// A call that waits for its answer.
pub(crate) struct Call {
    pub(super) record: Record,
    pub(super) stream: BufReader<UnixStream>,
}

impl Call {
    /// What the caller sends on standard input, to its end. Read only when an answer asks for it, since most programs never
    /// do, and a loop of the script may be reading there itself.
    pub(crate) fn stdin(&mut self) -> String {
        if self.record.stdin.is_none() {
            self.record.stdin = Some(self.ask().unwrap_or_default());
        }
        self.record.stdin.clone().unwrap_or_default()
    }

    fn ask(&mut self) -> anyhow::Result<String> {
        self.stream.get_mut().write_all(b"{\"stdin\":true}\n")?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

impl std::ops::Deref for Call {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.record
    }
}
