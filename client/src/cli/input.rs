//! JSON given on the command line: inline, as `@file`, or `-` for standard input.

use std::{
    collections::HashMap,
    fs,
    io::{self, Read},
};

use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::CliError;
use crate::payload;

/// How `--input` is described in every command that takes it.
pub const INPUT_HELP: &str =
    "JSON argument, `@FILE` or `-` for standard input; repeat for several arguments";

/// Turns the values of `flag` into payloads, one argument each.
///
/// # Errors
///
/// If a value is not JSON, a file cannot be read, or standard input is asked for twice.
pub fn arguments(flag: &str, values: &[String]) -> Result<Vec<Payload>, CliError> {
    if values.iter().filter(|value| *value == "-").count() > 1 {
        return Err(CliError::usage(format!(
            "{flag} - is given twice, standard input can be read once"
        )));
    }
    let numbered = values.iter().enumerate();
    numbered
        .map(|(index, value)| {
            let place = if values.len() == 1 {
                flag.to_owned()
            } else {
                format!("{flag} number {}", index + 1)
            };
            argument(&place, value)
        })
        .collect()
}

/// Turns one value of `flag` into a payload.
///
/// # Errors
///
/// If it is not JSON, or the file it names cannot be read.
pub fn argument(flag: &str, value: &str) -> Result<Payload, CliError> {
    let (place, text) = text(flag, value)?;
    payload::from_json_text(&text).map_err(|error| malformed(&place, &text, &error))
}

/// Turns `NAME=JSON` values of `flag` into named payloads.
///
/// # Errors
///
/// If a value is not of that form, or a name comes twice.
pub fn named(flag: &str, values: &[String]) -> Result<HashMap<String, Payload>, CliError> {
    let mut fields = HashMap::new();
    for value in values {
        let Some((name, json)) = value.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(CliError::usage(format!(
                "{flag} is {value:?}, expected NAME=JSON"
            )));
        };
        let payload = argument(&format!("{flag} {name}"), json)?;
        if fields.insert(name.to_owned(), payload).is_some() {
            return Err(CliError::usage(format!("{flag} {name} is given twice")));
        }
    }
    Ok(fields)
}

/// Returns the JSON text that `value` stands for, and where it came from.
///
/// # Errors
///
/// If the file it names, or standard input, cannot be read.
pub fn text(flag: &str, value: &str) -> Result<(String, String), CliError> {
    if value == "-" {
        let text = read_stdin().map_err(|error| unreadable(flag, "standard input", &error))?;
        return Ok((format!("{flag} (standard input)"), text));
    }
    let Some(path) = value.strip_prefix('@') else {
        return Ok((flag.to_owned(), value.to_owned()));
    };
    let text = fs::read_to_string(path).map_err(|error| unreadable(flag, path, &error))?;
    Ok((format!("{flag} ({path})"), text))
}

fn read_stdin() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}

fn unreadable(flag: &str, source: &str, error: &io::Error) -> CliError {
    CliError::usage(format!("{flag} cannot be read from {source}: {error}"))
}

fn malformed(place: &str, text: &str, error: &serde_json::Error) -> CliError {
    let hint = match text.trim() {
        "" => "; it is empty",
        word if word.starts_with(|first: char| first.is_alphabetic()) => {
            "; text is written in double quotes, as '\"text\"'"
        }
        _ => "",
    };
    CliError::usage(format!("{place} is not JSON: {error}{hint}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sealane_service::exit::{self, ExitStatus};

    use super::{argument, arguments, named};

    fn strings(values: &[&str]) -> Vec<String> {
        values.iter().map(|&value| value.to_owned()).collect()
    }

    #[test]
    fn arguments_keep_their_order() {
        let payloads = arguments("--input", &strings(&["1", "\"two\""])).unwrap();

        assert_eq!(payloads[0].data, b"1");
        assert_eq!(payloads[1].data, b"\"two\"");
    }

    #[test]
    fn malformed_json_is_reported_with_argument_and_place() {
        let error = arguments("--input", &strings(&["1", "{\"a\":\n}"])).unwrap_err();

        assert_eq!(
            error.to_string(),
            "--input number 2 is not JSON: expected value at line 2 column 1"
        );
        assert_eq!(error.exit_code(), exit::USAGE);
    }

    #[test]
    fn unquoted_text_gets_the_remedy() {
        let error = argument("--input", "World").unwrap_err().to_string();

        assert!(
            error.ends_with(r#"text is written in double quotes, as '"text"'"#),
            "{error}"
        );
    }

    #[test]
    fn a_file_is_read_and_named_when_it_is_wrong() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("order.json");
        let value = format!("@{}", path.display());
        fs::write(&path, "[1]\n").unwrap();
        assert_eq!(argument("--input", &value).unwrap().data, b"[1]");

        fs::write(&path, "[1").unwrap();
        let error = argument("--input", &value).unwrap_err().to_string();

        assert!(error.contains("order.json"), "{error}");
        assert!(error.contains("line 1 column 2"), "{error}");
    }

    #[test]
    fn standard_input_cannot_be_two_arguments() {
        let error = arguments("--input", &strings(&["-", "-"]))
            .unwrap_err()
            .to_string();

        assert_eq!(
            error,
            "--input - is given twice, standard input can be read once"
        );
    }

    #[test]
    fn names_and_values_are_split_at_the_first_equals_sign() {
        let fields = named("--memo", &strings(&["note=\"a=b\""])).unwrap();

        assert_eq!(fields["note"].data, b"\"a=b\"");
    }

    #[test]
    fn a_name_without_value_or_given_twice_is_refused() {
        for (values, expected) in [
            (&["note"][..], "--memo is \"note\", expected NAME=JSON"),
            (&["=1"][..], "--memo is \"=1\", expected NAME=JSON"),
            (&["a=1", "a=2"][..], "--memo a is given twice"),
        ] {
            assert_eq!(
                named("--memo", &strings(values)).unwrap_err().to_string(),
                expected
            );
        }
    }
}
