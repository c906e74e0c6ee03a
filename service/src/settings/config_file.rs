//! The configuration file: `KEY=VALUE` lines, shared with the `ConfigMap` of a deployment.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    definitions::{self, DEFINITIONS},
    hint,
    problem::{Problem, Source},
};

/// The entries of one configuration file, by name.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    value: String,
    line: usize,
}

impl ConfigFile {
    /// Reads `path`; whatever is wrong with it is added to `problems`.
    pub(super) fn read(path: &Path, problems: &mut Vec<Problem>) -> Self {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text, problems),
            Err(cause) => {
                problems.push(Problem::Unreadable {
                    path: path.to_owned(),
                    cause,
                });
                Self::default()
            }
        }
    }

    fn parse(path: &Path, text: &str, problems: &mut Vec<Problem>) -> Self {
        let mut file = Self {
            path: path.to_owned(),
            entries: BTreeMap::new(),
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            if let Err(reason) = file.take(index + 1, line) {
                problems.push(Problem::line(path, index + 1, reason));
            }
        }
        file
    }

    fn take(&mut self, line: usize, text: &str) -> Result<(), String> {
        let Some((name, value)) = parse_line(text)? else {
            return Ok(());
        };
        if let Some(earlier) = self.entries.get(name) {
            return Err(format!(
                "{name} is set a second time, first in line {}",
                earlier.line
            ));
        }
        self.entries.insert(
            name.to_owned(),
            Entry {
                value: value.to_owned(),
                line,
            },
        );
        check_name(name)
    }

    /// Returns the value of `name` and the line that set it.
    pub(super) fn find(&self, name: &str) -> Option<(String, Source)> {
        let entry = self.entries.get(name)?;
        let source = Source::File {
            path: self.path.clone(),
            line: entry.line,
        };
        Some((entry.value.clone(), source))
    }

    /// Returns every name that the file sets.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }
}

fn parse_line(text: &str) -> Result<Option<(&str, &str)>, String> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let Some((name, value)) = text.split_once('=') else {
        return Err("expected KEY=VALUE, a comment that starts with #, or nothing".to_owned());
    };
    let name = name.trim_end();
    if !is_name(name) {
        return Err("expected a key of letters, digits and _ before the =".to_owned());
    }
    Ok(Some((name, unquote(name, value.trim_start())?)))
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn unquote<'a>(name: &str, value: &'a str) -> Result<&'a str, String> {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return Ok(value);
    };
    let inner = value[1..].strip_suffix(quote);
    inner.ok_or_else(|| format!("the value of {name} starts with {quote} but does not end with it"))
}

/// Refuses names that look like ours but are not: a typo must not silently leave a default in place.
///
/// Other names are left alone, because the file may also feed programs that are not ours.
fn check_name(name: &str) -> Result<(), String> {
    if name == definitions::CONFIG {
        return Err(format!(
            "{name} has no effect in a file, set it in the environment"
        ));
    }
    if is_known(name) {
        return Ok(());
    }
    match (
        hint::nearest(name, definitions::names()),
        name.starts_with("SEALANE_"),
    ) {
        (Some(known), _) => Err(format!("{name} is not a setting, did you mean {known}")),
        (None, true) => Err(format!("{name} is not a setting")),
        (None, false) => Ok(()),
    }
}

fn is_known(name: &str) -> bool {
    DEFINITIONS.iter().any(|definition| definition.name == name)
        || definitions::REFUSED
            .iter()
            .any(|(refused, _)| *refused == name)
        || name.starts_with(definitions::GRPC_META)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ConfigFile, Source};

    fn parse(text: &str) -> (ConfigFile, Vec<String>) {
        let mut problems = Vec::new();
        let file = ConfigFile::parse(Path::new("config.env"), text, &mut problems);
        (file, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn comments_blank_lines_quotes_and_windows_line_ends_are_understood() {
        let text =
            "\u{feff}# first\r\n\r\nA=1\r\n  B = two words \nC=\"x = # y\"\nD=' '\nE=\nF=a#b\n";

        let (file, problems) = parse(text);

        assert_eq!(problems, [""; 0]);
        let value = |name| file.find(name).map(|(value, _)| value);
        assert_eq!(value("A").as_deref(), Some("1"));
        assert_eq!(value("B").as_deref(), Some("two words"));
        assert_eq!(value("C").as_deref(), Some("x = # y"));
        assert_eq!(value("D").as_deref(), Some(" "));
        assert_eq!(value("E").as_deref(), Some(""));
        assert_eq!(value("F").as_deref(), Some("a#b"));
    }

    #[test]
    fn a_value_remembers_its_line() {
        let (file, _) = parse("# comment\nA=1");

        let (_, source) = file.find("A").unwrap();

        assert_eq!(
            source,
            Source::File {
                path: "config.env".into(),
                line: 2
            }
        );
    }

    #[test]
    fn every_malformed_line_is_reported_without_quoting_it() {
        let (_, problems) =
            parse("TEMPORAL_API_KEY: s3cret\nexport A=s3cret\n1A=s3cret\n=s3cret\nA=\"s3cret\n");

        let lines: Vec<_> = problems
            .iter()
            .map(|p| p.split(": ").next().unwrap())
            .collect();
        assert_eq!(
            lines,
            [
                "config.env:1",
                "config.env:2",
                "config.env:3",
                "config.env:4",
                "config.env:5"
            ]
        );
        assert!(!problems.join("\n").contains("s3cret"), "{problems:?}");
    }

    #[test]
    fn a_lone_quote_is_not_a_quoted_value() {
        let (_, problems) = parse("A='");

        assert_eq!(
            problems,
            ["config.env:1: the value of A starts with ' but does not end with it"]
        );
    }

    #[test]
    fn a_second_value_for_one_name_is_refused() {
        let (_, problems) = parse("A=1\n\nA=2");

        assert_eq!(
            problems,
            ["config.env:3: A is set a second time, first in line 1"]
        );
    }

    #[test]
    fn a_misspelt_setting_is_refused_with_the_nearest_name() {
        let (_, problems) =
            parse("SEALANE_COMPRESION=zlib\nTEMPORAL_ADRESS=a:1\nSEALANE_FROBNICATE=1");

        assert_eq!(
            problems,
            [
                "config.env:1: SEALANE_COMPRESION is not a setting, did you mean SEALANE_COMPRESSION",
                "config.env:2: TEMPORAL_ADRESS is not a setting, did you mean TEMPORAL_ADDRESS",
                "config.env:3: SEALANE_FROBNICATE is not a setting",
            ]
        );
    }

    #[test]
    fn names_of_other_programs_are_left_alone() {
        let (_, problems) =
            parse("RUST_BACKTRACE=1\nTEMPORAL_MAX_INCOMING_GRPC_BYTES=1\nTEMPORAL_GRPC_META_X=1");

        assert_eq!(problems, [""; 0]);
    }

    #[test]
    fn the_file_cannot_name_another_file() {
        let (_, problems) = parse("SEALANE_CONFIG=other.env");

        assert_eq!(
            problems,
            ["config.env:1: SEALANE_CONFIG has no effect in a file, set it in the environment"]
        );
    }
}
