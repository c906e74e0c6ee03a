//! Searching what the server keeps.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Read,
    path::Path,
};

/// Read at once, in bytes.
const CHUNK: usize = 1 << 20;

/// Returns which of `texts` are in the files of `folder`.
///
/// # Errors
///
/// If a file cannot be read.
pub(crate) fn search<'a>(folder: &Path, texts: &[&'a str]) -> std::io::Result<BTreeSet<&'a str>> {
    let mut found = BTreeSet::new();
    for file in fs::read_dir(folder)? {
        search_file(File::open(file?.path())?, texts, &mut found)?;
    }
    Ok(found)
}

fn search_file<'a>(
    mut file: impl Read,
    texts: &[&'a str],
    found: &mut BTreeSet<&'a str>,
) -> std::io::Result<()> {
    let longest = texts
        .iter()
        .map(|text| text.len())
        .max()
        .unwrap_or_default();
    let mut chunk = vec![0; CHUNK];
    // What could be the beginning of a text whose rest comes with the next read.
    let mut kept = 0;
    loop {
        let read = file.read(&mut chunk[kept..])?;
        if read == 0 {
            return Ok(());
        }
        let filled = &chunk[..kept + read];
        found.extend(
            texts
                .iter()
                .filter(|text| contains(filled, text.as_bytes())),
        );
        let end = filled.len();
        kept = end.min(longest.saturating_sub(1));
        chunk.copy_within(end - kept..end, 0);
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    let Some((first, _)) = text.split_first() else {
        return true;
    };
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        rest = &rest[at..];
        if rest.starts_with(text) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{CHUNK, search};

    #[test]
    fn a_text_is_found_wherever_it_is() -> anyhow::Result<()> {
        for before in [0, 7, CHUNK - 3, CHUNK, 2 * CHUNK - 1] {
            let folder = tempfile::tempdir()?;
            let mut content = vec![b'c'; before];
            content.extend(b"canary and more");
            fs::write(folder.path().join("temporal.db-wal"), content)?;
            let found = search(folder.path(), &["canary", "absent"])?;
            assert_eq!(found, ["canary"].into(), "after {before} bytes");
        }
        Ok(())
    }
}
