//! The inputs in the repository.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).into()
}

/// Returns the text of a file of this crate.
pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Returns the names of all corpora.
pub(crate) fn names() -> BTreeSet<String> {
    let entries = fs::read_dir(root().join("corpus")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// Returns the inputs of one corpus, always in the same order.
pub(crate) fn of(name: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(root().join("corpus").join(name)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}
