//! docs/auth.md agrees with the code.

use std::time::Duration;

use super::{Denied, denied::Reason, grants, tokens};
use crate::{http::Problem, settings::DEFINITIONS};

const DOCUMENT: &str = include_str!("../../../docs/auth.md");

/// Returns what stands in fences marked as JSON, indented or not.
fn examples() -> Vec<String> {
    let fenced = DOCUMENT.split("```json").skip(1);
    let examples = fenced.filter_map(|rest| Some(rest.split_once("```")?.0.to_owned()));
    examples.collect()
}

#[test]
fn every_example_can_be_used() {
    let examples = examples();
    assert_eq!(examples.len(), 3, "{examples:?}");
    for example in examples {
        let parsed = match example.contains("\"tokens\"") {
            true => tokens::parse(example.as_bytes()).map(drop),
            false => grants::parse(example.as_bytes()).map(drop),
        };
        assert_eq!(parsed, Ok(()), "{example}");
    }
}

#[test]
fn every_setting_exists() {
    let words = DOCUMENT.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let named: Vec<_> = words.filter(|word| word.starts_with("SEALANE_")).collect();
    assert!(named.len() > 10, "{named:?}");
    for name in named {
        let is_defined = DEFINITIONS.iter().any(|it| it.name == name);
        assert!(is_defined, "{name}");
    }
    for setting in DEFINITIONS {
        if setting.name.starts_with("SEALANE_AUTH") {
            assert!(DOCUMENT.contains(setting.name), "{}", setting.name);
        }
    }
}

#[test]
fn every_reason_and_every_answer_is_explained() {
    for reason in Reason::ALL {
        let label = format!("`{}`", reason.label());
        assert!(DOCUMENT.contains(&label), "{label}");
    }
    let retry_after = Duration::ZERO;
    for denied in [
        Denied::Unauthenticated,
        Denied::Forbidden,
        Denied::TooManyFailures { retry_after },
        Denied::IssuerUnavailable,
    ] {
        let kind = Problem::from(denied).kind();
        let row = format!("| {} | `{}` |", kind.status().as_u16(), kind.uri());
        assert!(DOCUMENT.contains(&row), "{row}");
    }
}
