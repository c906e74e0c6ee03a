//! What is in an image, file by file.

use std::collections::BTreeMap;

use anyhow::Context;

use super::sandbox::Sandbox;

/// A file, folder or link of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// `f`, `d` or `l`, as find has it.
    pub(crate) kind: String,
    /// Permissions, in octal.
    pub(crate) mode: String,
    /// Owner, by number.
    pub(crate) owner: String,
    /// Size in bytes.
    pub(crate) size: u64,
}

/// Returns everything that is in `image`, by path.
pub(crate) fn entries(sandbox: &Sandbox, image: &str) -> anyhow::Result<BTreeMap<String, Entry>> {
    let container = sandbox.run("buildah", &["from", "--pull=never", image])?;
    let folder = sandbox.run("buildah", &["mount", &container])?;
    let listed = sandbox.run(
        "find",
        &[
            &folder,
            "-mindepth",
            "1",
            "-printf",
            r"%y\t%m\t%U\t%s\t%P\n",
        ],
    )?;
    sandbox.run("buildah", &["rm", &container])?;
    listed.lines().map(entry).collect()
}

fn entry(line: &str) -> anyhow::Result<(String, Entry)> {
    let mut parts = line.splitn(5, '\t').map(str::to_owned);
    let mut part = || parts.next().context("find has changed its format");
    let entry = Entry {
        kind: part()?,
        mode: part()?,
        owner: part()?,
        size: part()?.parse()?,
    };
    Ok((part()?, entry))
}
