//! A key file, and what the document does to it.

use std::{fs, path::Path};

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// What is edited, and the copy of it that the pods see.
const FILE: &str = "keys.json";
const MOUNTED: &str = "mounted-keys.json";

/// Writes the key file of the document, gives it to the pods, and returns its path and that of theirs.
pub(super) fn write(folder: &Path) -> anyhow::Result<(String, String)> {
    let key = || BASE64_STANDARD.encode(rand::random::<[u8; 32]>());
    let keys = json!({"key-2026-01": key(), "key-2026-06": key()});
    let ring = json!({"active": "key-2026-06", "keys": keys});
    fs::write(folder.join(FILE), ring.to_string())?;
    mount(folder)?;
    let path = |name| folder.join(name).display().to_string();
    Ok((path(FILE), path(MOUNTED)))
}

/// Gives the file as it is to the pods: by renaming, as Kubernetes does.
pub(super) fn mount(folder: &Path) -> anyhow::Result<()> {
    let whole = folder.join("next-mounted-keys.json");
    fs::copy(folder.join(FILE), &whole)?;
    Ok(fs::rename(whole, folder.join(MOUNTED))?)
}

/// Returns all keys of all key files in `folder`.
pub(super) fn keys(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut keys = Vec::new();
    for file in fs::read_dir(folder)? {
        let text = fs::read(file?.path()).unwrap_or_default();
        let ring: Value = serde_json::from_slice(&text).unwrap_or_default();
        let found = ring["keys"].as_object().into_iter().flatten();
        keys.extend(found.filter_map(|(_, key)| Some(key.as_str()?.to_owned())));
    }
    Ok(keys)
}

/// Does what `cp`, `jq`, `mv` or `rm` with these arguments does.
///
/// # Errors
///
/// If the real one fails, or if nobody taught us.
pub(super) fn run(folder: &Path, program: &str, words: &[String]) -> anyhow::Result<()> {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let file = |name| folder.join(name);
    match (program, &words[..]) {
        ("cp", [from, to]) => {
            fs::copy(file(from), file(to))?;
        }
        ("mv", [from, to]) => fs::rename(file(from), file(to))?,
        ("rm", files) => files.iter().try_for_each(|it| fs::remove_file(file(it)))?,
        ("jq", [arguments @ .., ">", to]) => fs::write(file(to), jq(folder, arguments)?)?,
        _ => bail!("nobody taught us {program} {words:?}"),
    }
    Ok(())
}

fn jq(folder: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let read = |file: &str| -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&fs::read(folder.join(file))?)?)
    };
    match arguments {
        // The right one wins.
        ["-s", ".[1] * .[0]", right, left] => {
            let (mut merged, right) = (read(left)?, read(right)?);
            merge(&mut merged, right);
            Ok(merged.to_string())
        }
        ["-j", filter, file] => {
            let id = between(filter, ".keys[\"", "\"]")?;
            let ring = read(file)?;
            Ok(ring["keys"][id].as_str().context("no such key")?.to_owned())
        }
        [filter, file] if filter.starts_with("del") => {
            let id = between(filter, "del(.keys[\"", "\"])")?;
            let mut ring = read(file)?;
            let keys = ring["keys"].as_object_mut().context("no keys")?;
            keys.remove(id).context("no such key")?;
            Ok(ring.to_string())
        }
        [filter, file] => {
            let mut ring = read(file)?;
            ring["active"] = json!(between(filter, ".active = \"", "\"")?);
            Ok(ring.to_string())
        }
        _ => bail!("nobody taught us jq {arguments:?}"),
    }
}

/// What `*` does to two objects.
fn merge(left: &mut Value, right: Value) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            for (name, value) in right {
                merge(left.entry(name).or_insert(Value::Null), value);
            }
        }
        (left, right) => *left = right,
    }
}

fn between<'a>(filter: &'a str, before: &str, after: &str) -> anyhow::Result<&'a str> {
    let inner = filter.strip_prefix(before);
    let inner = inner.and_then(|inner| inner.strip_suffix(after));
    inner.with_context(|| format!("nobody taught us jq {filter:?}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merge;

    #[test]
    fn of_two_keys_with_one_id_the_right_one_wins() {
        let mut merged = json!({"active": "b", "keys": {"a": 1, "b": 2}});

        merge(&mut merged, json!({"active": "a", "keys": {"a": 3}}));

        assert_eq!(merged, json!({"active": "a", "keys": {"a": 3, "b": 2}}));
    }
}
