//! Blocks of YAML in a page.

/// Returns the text of each.
pub(crate) fn of(page: &str) -> Vec<String> {
    let blocks = page.split("```yaml\n").skip(1);
    blocks
        .filter_map(|it| Some(it.split_once("```")?.0.to_owned()))
        .collect()
}
