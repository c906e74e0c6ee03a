//! Whether something prints what the document says.

use std::collections::BTreeMap;

/// Stands for anything; alone on a line, for any other lines.
const ANYTHING: &str = "…";

/// Words of the document that stand for the versions of a test.
const PLACEHOLDERS: [&str; 3] = ["OLD", "NEW", "NEXT"];

/// Digits of a version.
const VERSION: usize = 32;

/// Length of a time in seconds, as in `2026-11-21T12:00:00Z`.
const TIME: usize = 20;

/// What the placeholders stand for, as far as is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(BTreeMap<&'static str, String>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Anything,
    Time,
    Number,
    Version(&'static str),
}

impl Names {
    /// Lets `placeholder` stand for `version`.
    pub(super) fn learn(&mut self, placeholder: &'static str, version: String) {
        self.0.insert(placeholder, version);
    }

    /// Returns what `placeholder` stands for.
    ///
    /// # Panics
    ///
    /// If nobody knows.
    pub(super) fn of(&self, placeholder: &str) -> &str {
        let known = self.0.get(placeholder);
        known.unwrap_or_else(|| panic!("{placeholder} is not known yet"))
    }

    /// Returns `text` with versions instead of placeholders.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (placeholder, version) in &self.0 {
            text = text.replace(placeholder, version);
        }
        text
    }

    /// Returns what is known once `printed` turned out to be what the document says; `None` if it is not.
    /// The order of the lines does not matter.
    pub(super) fn fit(&self, document: &[String], printed: &[String]) -> Option<Self> {
        let wanted = document.iter().filter(|line| *line != ANYTHING);
        let wanted: Vec<_> = wanted.map(|line| pieces(&tidy(line))).collect();
        let printed: Vec<_> = printed.iter().map(|line| tidy(line)).collect();
        let nothing_else = wanted.len() == document.len();
        if nothing_else && wanted.len() != printed.len() {
            return None;
        }
        self.fit_lines(&wanted, &printed)
    }

    /// Tries every line that is left for the first that is wanted.
    fn fit_lines(&self, wanted: &[Vec<Piece>], left: &[String]) -> Option<Self> {
        let Some((first, rest)) = wanted.split_first() else {
            return Some(self.clone());
        };
        (0..left.len()).find_map(|taken| {
            let names = self.fit_line(first, &left[taken])?;
            let mut left = left.to_vec();
            left.remove(taken);
            names.fit_lines(rest, &left)
        })
    }

    fn fit_line(&self, pieces: &[Piece], text: &str) -> Option<Self> {
        let Some((first, rest)) = pieces.split_first() else {
            return text.is_empty().then(|| self.clone());
        };
        match first {
            Piece::Text(expected) => self.fit_line(rest, text.strip_prefix(expected.as_str())?),
            Piece::Anything => {
                let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
                let mut rests = ends.map(|end| &text[end..]);
                rests.find_map(|text| self.fit_line(rest, text))
            }
            Piece::Time => {
                humantime::parse_rfc3339(text.get(..TIME)?).ok()?;
                self.fit_line(rest, &text[TIME..])
            }
            Piece::Number => {
                let end = text.find(|it: char| !it.is_ascii_digit() && it != '.');
                let (number, text) = text.split_at(end.unwrap_or(text.len()));
                let number: f64 = number.parse().ok()?;
                (number > 0.0).then(|| self.fit_line(rest, text))?
            }
            Piece::Version(placeholder) => {
                let version = text.get(..VERSION)?;
                let known = self.0.get(placeholder);
                let fits = known.map_or_else(|| is_new(self, version), |known| known == version);
                let mut names = self.clone();
                names.learn(placeholder, version.to_owned());
                fits.then(|| names.fit_line(rest, &text[VERSION..]))?
            }
        }
    }
}

/// Whether it is a version that no other placeholder stands for.
fn is_new(names: &Names, version: &str) -> bool {
    let hexadecimal = version.bytes().all(|byte| byte.is_ascii_hexdigit());
    hexadecimal && !names.0.values().any(|known| known == version)
}

/// One space between words: the widths of columns are of no interest.
fn tidy(line: &str) -> String {
    let words: Vec<_> = line.split_whitespace().collect();
    words.join(" ")
}

fn pieces(line: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (number, word) in line.split(' ').enumerate() {
        if number > 0 {
            pieces.push(Piece::Text(" ".to_owned()));
        }
        match word {
            _ if humantime::parse_rfc3339(word).is_ok() => pieces.push(Piece::Time),
            _ if word.parse().is_ok_and(|number: f64| number > 0.0) => pieces.push(Piece::Number),
            _ => of_word(&mut pieces, word),
        }
    }
    without_space_at_the_end(pieces)
}

fn of_word(pieces: &mut Vec<Piece>, word: &str) {
    let special = PLACEHOLDERS.into_iter().chain([ANYTHING]);
    let found = special.filter_map(|it| Some((word.find(it)?, it))).min();
    let Some((at, what)) = found else {
        pieces.push(Piece::Text(word.to_owned()));
        return;
    };
    let (before, rest) = word.split_at(at);
    pieces.push(Piece::Text(before.to_owned()));
    pieces.push(match what {
        ANYTHING => Piece::Anything,
        placeholder => Piece::Version(placeholder),
    });
    of_word(pieces, &rest[what.len()..]);
}

/// So that "word …" fits "word" as well.
fn without_space_at_the_end(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    let end = pieces.len();
    let space = Piece::Text(" ".to_owned());
    if end > 1 && pieces[end - 1] == Piece::Anything && pieces[end - 2] == space {
        pieces.remove(end - 2);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::Names;

    const A: &str = "0123456789abcdef0123456789abcdef";
    const B: &str = "fedcba9876543210fedcba9876543210";

    fn fits(document: &[&str], printed: &[&str]) -> Option<Names> {
        let owned =
            |lines: &[&str]| -> Vec<String> { lines.iter().map(|it| (*it).to_owned()).collect() };
        Names::default().fit(&owned(document), &owned(printed))
    }

    #[test]
    fn times_and_numbers_are_examples_and_zero_is_not() {
        let document = ["a  12  2026-11-21T12:00:00Z", "b  0"];

        assert!(fits(&document, &["a 3   2027-01-01T01:02:03Z", "b 0"]).is_some());
        assert!(fits(&document, &["a 0 2027-01-01T01:02:03Z", "b 0"]).is_none());
        assert!(fits(&document, &["a 3 2027-01-01T01:02:03Z", "b 1"]).is_none());
        assert!(fits(&document, &["a 3 soon", "b 0"]).is_none());
    }

    #[test]
    fn lines_are_missing_or_left_over_only_where_the_document_says_so() {
        assert!(fits(&["a"], &["a", "b"]).is_none());
        assert!(fits(&["a", "b"], &["a"]).is_none());
        assert!(fits(&["…", "a"], &["a", "b"]).is_some());
        assert!(fits(&["…", "c"], &["a", "b"]).is_none());
        assert!(fits(&[], &["a"]).is_none());
    }

    #[test]
    fn a_placeholder_stands_for_one_version_and_no_other_placeholder_does() {
        let (a, b) = (format!("k/{A} x"), format!("k/{B} y"));

        let names = fits(&["k/NEW …", "k/OLD x"], &[&a, &b]).unwrap();

        assert_eq!((names.of("OLD"), names.of("NEW")), (A, B));
        assert!(fits(&["k/NEW x", "k/OLD x"], &[&a, &a]).is_none());
        assert_eq!(names.fill("--version OLD"), format!("--version {A}"));
    }

    #[test]
    fn what_is_left_out_may_be_nothing() {
        assert!(fits(&["a …"], &["a"]).is_some());
        assert!(fits(&["…b…"], &["a b c"]).is_some());
        assert!(fits(&["a …"], &["b"]).is_none());
    }
}
