//! Which build this is.

use std::sync::LazyLock;

/// Version of the release.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Commit that it was built from, as `SEALANE_COMMIT` said at build time: an image is built without
/// the repository around it.
pub const COMMIT: Option<&str> = told(option_env!("SEALANE_COMMIT"));

/// Returns version and commit, as `--version` shows them.
pub fn version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| text(VERSION, COMMIT));
    &TEXT
}

/// A build that was not told passes on the word for it.
const fn told(commit: Option<&str>) -> Option<&str> {
    match commit {
        Some(commit) if !matches!(commit.as_bytes(), b"" | b"unknown") => Some(commit),
        _ => None,
    }
}

fn text(version: &str, commit: Option<&str>) -> String {
    match commit {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{text, told};

    #[test]
    fn the_commit_is_shown_if_the_build_was_told() {
        assert_eq!(text("0.1.0", told(Some("3f2a"))), "0.1.0 (3f2a)");
        assert_eq!(text("0.1.0", told(Some("unknown"))), "0.1.0");
        assert_eq!(text("0.1.0", told(Some(""))), "0.1.0");
        assert_eq!(text("0.1.0", told(None)), "0.1.0");
    }
}
