//! Disabled versions that somebody may still be sealing under.

use std::time::SystemTime;

use super::{Policy, Stage, Version, later};

/// What to do with `disabled`, one of `versions`.
///
/// A process seals under it until its next refresh if it was active when that process refreshed
/// last, at most a delay before it was disabled. So it is dropped at once only if it cannot have
/// been active in that time, judged by versions of which that time is known.
pub(super) fn stage(
    disabled: &Version,
    versions: &[Version],
    now: SystemTime,
    policy: Policy,
) -> Stage {
    let until = later(
        disabled.updated.max(relieved(versions)),
        policy.activation_delay,
    );
    match until > now && !was_idle(disabled, versions, policy) {
        true => Stage::Retained { until },
        false => Stage::Dropped,
    }
}

/// Since when some version has been enabled without a gap.
///
/// While all versions were disabled, running processes left their rings as they were.
fn relieved(versions: &[Version]) -> SystemTime {
    let enabled = versions.iter().filter(|version| version.enabled);
    let since = enabled.map(|version| version.created.max(version.updated));
    since.min().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Whether no process sealed under `disabled` in the delay before it was disabled.
fn was_idle(disabled: &Version, versions: &[Version], policy: Policy) -> bool {
    let end = disabled.updated;
    // What clocks may differ by: a process may see times pass that much before the vault does.
    let margin = later(end, policy.activation_delay / 2);
    // Its other times may have been changed as it was disabled; only this one is certain.
    let never_due = later(disabled.created, policy.activation_delay) > margin;
    versions
        .iter()
        .filter(|other| other.enabled)
        // An update later than that may have enabled it, or changed its times.
        .filter(|other| later(other.updated, policy.activation_delay) <= end)
        .filter(|other| later(other.due(policy), policy.activation_delay) <= end)
        .any(|other| {
            never_due || other.seniority() > disabled.seniority() && !other.has_expired(margin)
        })
}
