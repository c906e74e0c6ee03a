//! Reading untyped documents by path.

use serde_json::{Map, Value};

/// What an absent value reads as.
static ABSENT: Value = Value::Null;

/// Lookups that read what is absent as nothing. Paths are JSON pointers.
pub(crate) trait Yaml {
    /// Returns the value at `path`, or null.
    fn at(&self, path: &str) -> &Value;

    /// Returns the text at `path`.
    fn text(&self, path: &str) -> Option<&str> {
        self.at(path).as_str()
    }

    /// Returns the elements of the list at `path`.
    fn list(&self, path: &str) -> &[Value] {
        self.at(path).as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns the entries of the map at `path`.
    fn entries(&self, path: &str) -> impl Iterator<Item = (&str, &Value)> {
        let map = self.at(path).as_object();
        map.into_iter()
            .flat_map(Map::iter)
            .map(|(key, value)| (key.as_str(), value))
    }

    /// Returns the text of the entry `key` of the map at `path`; keys may hold slashes.
    fn entry(&self, path: &str, key: &str) -> Option<&str> {
        self.at(path).get(key)?.as_str()
    }

    /// Returns whether there is anything at `path`.
    fn has(&self, path: &str) -> bool {
        !self.at(path).is_null()
    }

    /// Returns whether there is `true` at `path`.
    fn is_true(&self, path: &str) -> bool {
        self.at(path) == true
    }

    /// Returns the whole number at `path`.
    fn number(&self, path: &str) -> Option<i64> {
        self.at(path).as_i64()
    }
}

impl Yaml for Value {
    fn at(&self, path: &str) -> &Value {
        self.pointer(path).unwrap_or(&ABSENT)
    }
}

/// Returns every text in `value` with its path, dots between the keys.
pub(crate) fn texts(value: &Value) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    walk(value, &mut String::new(), &mut found);
    found
}

fn walk<'a>(value: &'a Value, path: &mut String, found: &mut Vec<(String, &'a str)>) {
    match value {
        Value::String(text) => found.push((path.clone(), text)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                within(path, &format!("[{index}]"), |path| walk(item, path, found));
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                let dot = if path.is_empty() { "" } else { "." };
                within(path, &format!("{dot}{key}"), |path| walk(item, path, found));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn within(path: &mut String, step: &str, then: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push_str(step);
    then(path);
    path.truncate(length);
}
