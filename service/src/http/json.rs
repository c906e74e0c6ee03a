//! JSON that comes from outside.

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::{Kind, Problem, fields};

/// How serde begins when a field is missing. What follows is the field's name, which is ours; every other text of
/// serde may quote the input.
pub(super) const MISSING: &str = "missing field `";

/// How serde begins when a field is not one of ours. Its name follows, and is not told.
const UNKNOWN: &str = "unknown field `";

/// How deep `serde_json` goes before it gives up.
const DEPTH: &str = "recursion limit exceeded";

/// Parses all of `body`.
///
/// # Errors
///
/// A problem (400) that says where it stopped and why, in words that hold nothing of the body.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // Checked for all of it: the parser looks only at the strings that it keeps.
    let text = str::from_utf8(body)
        .map_err(|_| Problem::new(Kind::BadRequest, "the body is not UTF-8"))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = own_field::<T>(error.path());
        refused(error.inner(), field)
    })?;
    reader.end().map_err(|error| refused(&error, None))?;
    Ok(parsed)
}

/// Returns the outermost field on the way to what is wrong, if `T` has it: only then is the name ours.
fn own_field<T: DeserializeOwned>(path: &Path) -> Option<&'static str> {
    let outermost = path.iter().find_map(|segment| match segment {
        Segment::Map { key } => Some(key),
        _ => None,
    })?;
    let known = fields::of::<T>().iter();
    known.copied().find(|name| *name == outermost)
}

fn refused(error: &serde_json::Error, field: Option<&str>) -> Problem {
    let (line, column) = (error.line(), error.column());
    let reason = reason(error, field);
    let detail = match line {
        0 => reason,
        _ => format!("{reason}, at line {line}, column {column}"),
    };
    Problem::new(Kind::BadRequest, detail)
        .with("line", line)
        .with("column", column)
}

fn reason(error: &serde_json::Error, field: Option<&str>) -> String {
    let text = error.to_string();
    if text.starts_with(DEPTH) {
        return "the JSON is nested too deeply".to_owned();
    }
    match error.classify() {
        Category::Data => match text
            .strip_prefix(MISSING)
            .and_then(|rest| rest.split_once('`'))
        {
            Some((field, _)) => format!("the field `{field}` is missing"),
            None if text.starts_with(UNKNOWN) => {
                "the JSON has a field that is not known here".to_owned()
            }
            None => match field {
                Some(field) => format!("the field `{field}` is not of the expected form"),
                None => "the JSON is not of the expected form".to_owned(),
            },
        },
        Category::Eof => "the JSON ends too early".to_owned(),
        Category::Syntax | Category::Io => "the body is not JSON".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::{Problem, parse};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Card {
        #[expect(dead_code, reason = "only parsed")]
        number: u64,
        #[expect(dead_code, reason = "only parsed")]
        #[serde(default)]
        kind: Kind,
    }

    #[derive(Debug, Default, Deserialize)]
    enum Kind {
        #[default]
        Visa,
    }

    fn refused(body: impl AsRef<[u8]>) -> Problem {
        parse::<Card>(body.as_ref()).unwrap_err()
    }

    #[test]
    fn the_place_and_what_is_missing_are_told() {
        let problem = refused("{\n}");

        assert_eq!(
            problem.detail(),
            "the field `number` is missing, at line 2, column 1"
        );
        assert_eq!(problem.to_json()["line"], json!(2));
        assert_eq!(
            refused("{").detail(),
            "the JSON ends too early, at line 1, column 1"
        );
        assert_eq!(
            refused(r#"{"number":"7"}"#).detail(),
            "the field `number` is not of the expected form, at line 1, column 13"
        );
        assert_eq!(
            refused("7").detail(),
            "the JSON is not of the expected form, at line 1, column 1"
        );
        assert_eq!(
            refused(r#"{"number":1,"canary":1}"#).detail(),
            "the JSON has a field that is not known here, at line 1, column 20"
        );
    }

    #[test]
    fn no_refusal_quotes_the_body() {
        for body in [
            r#"{"number":"canary"}"#,
            r#"{"number":1,"canary":1}"#,
            r#"{"number":1,"kind":"canary"}"#,
            r#"{"number":1} canary"#,
            r#""canary"#,
            r#"{"number":1,"number":2}"#,
            "canary",
            "",
        ] {
            let problem = refused(body);
            assert!(!format!("{problem:?}").contains("canary"), "{problem:?}");
            assert_eq!(problem.to_json()["status"], 400);
        }
    }

    #[test]
    fn depth_and_bytes_that_are_not_utf8_are_refused_wherever_they_are() {
        let deep = "[".repeat(100_000);
        let problem = parse::<Value>(deep.as_bytes()).unwrap_err();
        assert!(
            problem
                .detail()
                .starts_with("the JSON is nested too deeply")
        );

        let ignored = b"{\"number\":\"\xff\"}";
        assert_eq!(refused(ignored).detail(), "the body is not UTF-8");
    }
}
