//! From text to objects.

use serde_json::Value;
use serde_saphyr::Error;

use crate::{object::Object, yaml::Yaml};

/// Why text cannot be checked.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseError {
    /// It is not YAML, or repeats a key, of which Kubernetes would silently take the last.
    #[error("{file}:{line}: {reason}")]
    Yaml {
        /// What the text is called.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What was expected.
        reason: String,
    },

    /// A document is no Kubernetes object.
    #[error(
        "{file}:{line}: {what} is missing, expected an object with apiVersion, kind and metadata.name"
    )]
    NotAnObject {
        /// What the text is called.
        file: String,
        /// Where the document starts, counted from 1.
        line: usize,
        /// What it lacks.
        what: &'static str,
    },

    /// A document is what kustomize reads, and not what it prints.
    #[error(
        "{file}:{line}: this is a {kind} for kustomize to read, expected what `kubectl kustomize DIR` prints"
    )]
    Unrendered {
        /// What the text is called.
        file: String,
        /// Where the document starts, counted from 1.
        line: usize,
        /// `Kustomization` or `Component`.
        kind: String,
    },
}

/// Returns the objects of `text`, which is called `file` in messages, in their order. Lists are taken apart.
///
/// # Errors
///
/// The first document that is not a Kubernetes object, by line.
pub fn parse(file: &str, text: &str) -> Result<Vec<Object>, ParseError> {
    let mut objects = Vec::new();
    for (line, document) in documents(text) {
        let value = yaml(file, line, &document)?;
        collect(file, line, value, &mut objects)?;
    }
    Ok(objects)
}

/// Splits at the lines that separate documents, so that each knows where it starts. Nothing of an object can look like
/// such a line: it would have to be indented.
fn documents(text: &str) -> Vec<(usize, String)> {
    let mut documents = vec![(1, String::new())];
    for (index, line) in text.lines().enumerate() {
        if line == "---" || line.starts_with("--- ") {
            documents.push((index + 1, String::new()));
        }
        let (_, document) = documents.last_mut().expect("there is one from the start");
        document.push_str(line);
        document.push('\n');
    }
    documents
}

fn yaml(file: &str, start: usize, document: &str) -> Result<Value, ParseError> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(document, options).map_err(|error| ParseError::Yaml {
        file: file.to_owned(),
        line: start
            + error.location().map_or(0, |at| {
                usize::try_from(at.line()).unwrap_or(1).saturating_sub(1)
            }),
        reason: reason(&error),
    })
}

/// Lines are counted anew in each document, so the parser's own are left out.
fn reason(error: &Error) -> String {
    if let Error::DuplicateMappingKey { key, .. } = error {
        let key = key.as_deref().unwrap_or("a key");
        return format!("{key} is there twice, expected one value for each key");
    }
    let text = error.to_string();
    let message = text.lines().next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let place_and_rest = message
        .strip_prefix("line ")
        .and_then(|it| it.split_once(": "));
    place_and_rest.map_or(message, |(_, rest)| rest).to_owned()
}

fn collect(
    file: &str,
    line: usize,
    value: Value,
    into: &mut Vec<Object>,
) -> Result<(), ParseError> {
    if value.is_null() {
        return Ok(());
    }
    if value
        .text("/kind")
        .is_some_and(|kind| kind.ends_with("List"))
        && value.at("/items").is_array()
    {
        return value
            .list("/items")
            .iter()
            .try_for_each(|item| collect(file, line, item.clone(), into));
    }
    if value
        .text("/apiVersion")
        .is_some_and(|it| it.starts_with("kustomize.config.k8s.io/"))
    {
        let kind = value.text("/kind").unwrap_or("document").to_owned();
        return Err(ParseError::Unrendered {
            file: file.to_owned(),
            line,
            kind,
        });
    }
    let required = [
        ("apiVersion", "/apiVersion"),
        ("kind", "/kind"),
        ("metadata.name", "/metadata/name"),
    ];
    if let Some((what, _)) = required
        .into_iter()
        .find(|(_, path)| value.text(path).is_none())
    {
        return Err(ParseError::NotAnObject {
            file: file.to_owned(),
            line,
            what,
        });
    }
    into.push(Object::new(file, line, value));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn refusal(text: &str) -> String {
        parse("all.yaml", text).unwrap_err().to_string()
    }

    #[test]
    fn objects_know_their_file_and_line() {
        let text = "# first\nkind: A\napiVersion: v1\nmetadata: {name: a}\n---\n---\nkind: B\napiVersion: v1\nmetadata: {name: b}\n";

        let objects = parse("all.yaml", text).unwrap();

        let places: Vec<_> = objects
            .iter()
            .map(|it| (it.kind(), it.file(), it.line()))
            .collect();
        assert_eq!(places, [("A", "all.yaml", 1), ("B", "all.yaml", 6)]);
    }

    #[test]
    fn a_list_is_its_items() {
        let text =
            "{kind: List, apiVersion: v1, items: [{kind: A, apiVersion: v1, metadata: {name: a}}]}";

        assert_eq!(parse("-", text).unwrap()[0].kind(), "A");
    }

    #[test]
    fn a_repeated_key_is_refused_with_its_line_in_the_whole_text() {
        let text = "kind: A\napiVersion: v1\nmetadata: {name: a}\n---\nkind: B\nkind: C\n";

        assert_eq!(
            refusal(text),
            "all.yaml:6: kind is there twice, expected one value for each key"
        );
    }

    #[test]
    fn what_is_no_object_is_refused_with_what_it_lacks() {
        assert_eq!(refusal("a: [1").split(": ").next(), Some("all.yaml:1"));
        for (text, expected) in [
            ("kind: A\nmetadata: {name: a}", "apiVersion is missing"),
            ("apiVersion: v1\nmetadata: {name: a}", "kind is missing"),
            ("apiVersion: v1\nkind: A", "metadata.name is missing"),
            ("just text", "apiVersion is missing"),
        ] {
            assert!(refusal(text).contains(expected), "{}", refusal(text));
        }
    }

    #[test]
    fn an_overlay_is_refused_with_what_to_run_first() {
        let text =
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]";

        let refusal = refusal(text);

        assert!(
            refusal.contains("a Kustomization for kustomize to read"),
            "{refusal}"
        );
        assert!(refusal.contains("`kubectl kustomize DIR`"), "{refusal}");
    }
}
