//! What is in a folder, to see whether a script has written there, and what.

use std::{collections::BTreeMap, fs, path::Path};

/// Path below the folder, and content.
pub(super) type Snapshot = BTreeMap<String, Vec<u8>>;

/// Everything below `folder` apart from what is in a `.sealane` or is a link.
pub(super) fn outside_sealane(folder: &Path) -> Snapshot {
    walk(folder, &|name| name != ".sealane")
}

/// Everything below `folder` that is no link.
pub(super) fn everything(folder: &Path) -> Snapshot {
    walk(folder, &|_| true)
}

fn walk(folder: &Path, enter: &dyn Fn(&str) -> bool) -> Snapshot {
    let mut found = Snapshot::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(path) = waiting.pop() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Ok(kind) = fs::symlink_metadata(&path) else {
            continue;
        };
        let key = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .display()
            .to_string();
        if kind.is_file() {
            found.insert(key, fs::read(&path).unwrap_or_default());
        } else if kind.is_dir() && enter(&name) {
            found.insert(key, Vec::new());
            let entries = fs::read_dir(&path).into_iter().flatten();
            waiting.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
        }
    }
    found
}
