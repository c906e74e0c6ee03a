//! What somebody forgot to fill in.

use crate::{
    object::Object,
    rule::{Check, Rule},
    yaml::{Yaml, texts},
};

pub(super) static RULES: &[Rule] = &[
    Rule::new(
        "unresolved-variable",
        "a `${…}` is left that nothing replaces",
        "write the value itself, or let kustomize set it (images, configMapGenerator, patches); there is no envsubst here",
        Check::Objects(|object, _| {
            if holds_code(object) {
                return None;
            }
            let found = texts(object.value()).into_iter();
            let (path, variable) = found
                .filter_map(|(path, text)| Some((path, variable(text)?)))
                .next()?;
            Some(format!("{path} has {variable}"))
        }),
    ),
    Rule::new(
        "placeholder-value",
        "a value is still the one of an example",
        "replace it, for instance with a patch in the overlay or in infra/environments/NAME/kustomization.yaml",
        Check::Objects(|object, _| {
            if holds_code(object) {
                return None;
            }
            let found = texts(object.value()).into_iter();
            let found =
                found.filter_map(|(path, text)| Some(format!("{path} has {}", placeholder(text)?)));
            let found: Vec<String> = found.collect();
            (!found.is_empty()).then(|| found.join(", "))
        }),
    ),
    Rule::new(
        "value-not-text",
        "a value that Kubernetes wants as text is a number or true/false",
        "put quotes around it",
        Check::Objects(|object, _| {
            let (path, key) = untexted(object)?;
            Some(format!("{path}.{key} is no text"))
        }),
    ),
];

/// Dashboards and templates of the worker controller have variables of their own.
fn holds_code(object: &Object) -> bool {
    object.label("grafana_dashboard").is_some() || object.group().ends_with("monitoring.coreos.com")
}

/// Returns the first `${NAME}` of a text.
fn variable(text: &str) -> Option<&str> {
    let rest = &text[text.find("${")?..];
    Some(&rest[..=rest.find('}')?])
}

/// Words that stand for a value in examples.
const WORDS: &[&str] = &[
    "CHANGEME",
    "CHANGE_ME",
    "CHANGE-ME",
    "REPLACE_ME",
    "REPLACEME",
    "REPLACE-ME",
    "TODO",
    "FIXME",
    "XXXX",
];

/// What the overlays have until an environment says better: an id and a digest that nothing has, a vault, a namespace.
const EXAMPLES: [&str; 4] = [
    "sealane-example",
    "example.a1b2c",
    "00000000-0000-0000-0000-000000000000",
    "sha256:0000000000000000000000000000000000000000000000000000000000000000",
];

fn placeholder(text: &str) -> Option<&str> {
    let upper = text.to_ascii_uppercase();
    let word = WORDS.iter().find(|it| upper.contains(*it));
    let example = || EXAMPLES.iter().find(|it| text.contains(*it));
    word.or_else(example).copied().or_else(|| bracketed(text))
}

/// Returns a whole text such as `<your-registry>`.
fn bracketed(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('<')?.strip_suffix('>')?;
    let is_words = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' ');
    inner.chars().all(is_words).then_some(text)
}

/// Maps of text to text, wherever they are at the top.
const MAPS: &[&str] = &[
    "/metadata/labels",
    "/metadata/annotations",
    "/data",
    "/stringData",
];

fn untexted(object: &Object) -> Option<(String, String)> {
    let maps = MAPS.iter().filter(|path| {
        !path.contains("ata") || path.starts_with("/metadata") || holds_text(object)
    });
    let mut entries = maps.flat_map(|path| {
        object
            .value()
            .entries(path)
            .map(move |entry| (*path, entry))
    });
    let (path, (key, _)) = entries.find(|(_, (_, value))| !value.is_string())?;
    Some((path[1..].replace('/', "."), key.to_owned()))
}

fn holds_text(object: &Object) -> bool {
    matches!(object.kind(), "ConfigMap" | "Secret")
}

#[cfg(test)]
mod tests {
    use super::{placeholder, variable};

    #[test]
    fn a_variable_is_what_a_shell_would_replace() {
        assert_eq!(variable("a-${REGISTRY}/b"), Some("${REGISTRY}"));
        assert_eq!(variable("$(POD_NAME) ${"), None);
    }

    #[test]
    fn placeholders_are_words_of_examples() {
        for text in [
            "changeme",
            "https://CHANGE_ME.vault.azure.net",
            "<your-registry>",
            "<client id>",
        ] {
            assert!(placeholder(text).is_some(), "{text}");
        }
        for text in ["<a href=x>", "a < b > c", "sealane", "{{ $value }}"] {
            assert_eq!(placeholder(text), None, "{text}");
        }
    }
}
