//! Which setting a misspelt name was meant to be.

/// Names further apart than this are different names, not typos of each other.
const FARTHEST_TYPO: usize = 2;

/// Returns the known name that takes the fewest edits to reach, if any is near enough to be what was meant.
pub(super) fn nearest(
    name: &str,
    known: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    known
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= FARTHEST_TYPO)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Counts the insertions, deletions and replacements between two names (Levenshtein), ignoring case.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(!from.eq_ignore_ascii_case(&to));
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("Name", "NAME"), 0);
    }

    #[test]
    fn the_nearest_name_wins_and_far_ones_never_do() {
        let known = || ["SEALANE_LOG", "SEALANE_LOG_FORMAT"].into_iter();

        assert_eq!(nearest("SEALANE_LGO", known()), Some("SEALANE_LOG"));
        assert_eq!(nearest("AZURE_TENANT_ID", known()), None);
    }
}
