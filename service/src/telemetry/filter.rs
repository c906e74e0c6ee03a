//! Which events are written.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// Target of the event that quotes what a panic said.
pub(super) const PANIC_TEXT: &str = "sealane::panic_text";

/// Whether `text` is a filter.
pub(crate) fn is_valid(text: &str) -> bool {
    parse(text).is_some()
}

/// Parses levels and `TARGET=LEVEL` directives, on top of our own.
pub(super) fn parse(text: &str) -> Option<EnvFilter> {
    let asked: Vec<_> = directives(text).collect();
    if asked.is_empty() || !asked.iter().all(|directive| is_explicit(directive)) {
        return None;
    }
    let all: Vec<_> = defaults(&asked).iter().copied().chain(asked).collect();
    EnvFilter::builder().parse(all.join(",")).ok()
}

/// Whether `text` names the target of quoted text itself. A general `debug` is not enough: it must
/// not be possible to log payloads by accident.
pub(super) fn names_quoted_text(text: &str) -> bool {
    directives(text)
        .filter_map(|directive| directive.split_once('='))
        .filter(|(target, _)| *target == PANIC_TEXT)
        .filter_map(|(_, level)| level.parse().ok())
        .any(|level: LevelFilter| level >= LevelFilter::DEBUG)
}

fn directives(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|directive| !directive.is_empty())
}

/// A bare word must be a level. The parser would take any other for a target, so that a misspelt
/// level would switch everything off.
fn is_explicit(directive: &str) -> bool {
    match directive.split_once('=') {
        Some((target, _)) => !target.is_empty() && !target.contains(char::is_whitespace),
        None => level(directive).is_some(),
    }
}

fn level(directive: &str) -> Option<LevelFilter> {
    directive
        .parse()
        .ok()
        .filter(|_| directive.chars().all(char::is_alphabetic))
}

/// Directives that apply unless the same target is named again.
fn defaults(asked: &[&str]) -> &'static [&'static str] {
    let general = asked.iter().rev().find_map(|directive| level(directive));
    match general {
        // The SDKs must not be louder than everything else.
        Some(level) if level <= LevelFilter::ERROR => &["sealane::panic_text=off"],
        _ => &[
            "info",
            "temporalio=warn",
            "azure_=warn",
            "typespec_=warn",
            "sealane::panic_text=off",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::{is_valid, names_quoted_text, parse};

    #[test]
    fn levels_and_targets_are_filters_and_misspelt_levels_are_not() {
        for text in [
            "info",
            "WARN",
            "off",
            "info,sealane_worker=debug",
            " info , h2=off ",
            "a[span]=trace",
        ] {
            assert!(is_valid(text), "{text}");
        }
        for text in [
            "inof",
            "loud",
            "3",
            "sealane_worker",
            "a=loud",
            "=info",
            ",",
            "a b=info",
        ] {
            assert!(!is_valid(text), "{text}");
        }
    }

    #[test]
    fn the_sdks_warn_unless_told_otherwise_or_everything_is_quieter() {
        let directives = |text| parse(text).unwrap().to_string();

        for sdk in ["temporalio=warn", "azure_=warn", "typespec_=warn"] {
            assert!(directives("debug").contains(sdk), "{sdk}");
        }
        assert!(directives("info,temporalio=debug").contains("temporalio=debug"));
        assert!(!directives("error").contains("temporalio"));
    }

    #[test]
    fn quoted_text_must_be_asked_for_by_name() {
        assert!(names_quoted_text("info,sealane::panic_text=debug"));
        assert!(!names_quoted_text("sealane::panic_text=info"));
        assert!(!names_quoted_text("trace"));
        assert!(
            parse("trace")
                .unwrap()
                .to_string()
                .contains("sealane::panic_text=off")
        );
    }
}
