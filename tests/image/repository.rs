//! The repository that these tests look at.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Returns the folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    root.expect("this crate is in the workspace").to_owned()
}

/// Returns the text of the file at `path`, which is relative to the workspace.
pub(crate) fn text(path: impl AsRef<Path>) -> anyhow::Result<String> {
    let path = root().join(path);
    fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// Returns the members of the workspace, as paths relative to it.
pub(crate) fn members() -> anyhow::Result<Vec<String>> {
    let manifest = text("Cargo.toml")?;
    let list = manifest
        .split_once("members = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .context("Cargo.toml lists no members")?
        .0;
    Ok(list
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect())
}

/// Returns the files below `folder`, relative to the workspace; hidden folders and what cargo builds are left out.
pub(crate) fn files(folder: &str) -> anyhow::Result<Vec<PathBuf>> {
    let root = root();
    let mut found = Vec::new();
    let mut waiting = vec![root.join(folder)];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let passed_over = name == "target" || name.to_string_lossy().starts_with('.');
            if !entry.file_type()?.is_dir() {
                found.push(entry.path().strip_prefix(&root)?.to_owned());
            } else if !passed_over {
                waiting.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}
