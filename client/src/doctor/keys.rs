//! Whether there are keys to encrypt and decrypt with.

use std::path::Path;

use sealane_codec::{
    KeyId, file_source,
    rotation::{Plan, Stage, Version},
};
use sealane_service::exit;

use super::{
    Finding, remedy,
    subject::Subject,
    visit::{GET, Visit},
};

const CHECK: &str = "keys";

/// Judges the keys, wherever they come from.
pub(super) fn check(subject: &Subject, visit: &Visit) -> Finding {
    if subject.is_off() {
        let detail = "SEALANE_ENCRYPTION=off: every payload reaches the server in plaintext";
        return Finding::warn(CHECK, detail, remedy::NO_ENCRYPTION);
    }
    if subject.has_two_sources() {
        return Finding::needs(CHECK, "settings");
    }
    if let Some(path) = subject.value("SEALANE_KEY_FILE") {
        return of_file(subject, Path::new(path));
    }
    match &visit.plan {
        Some(plan) if visit.get.allows() => of_vault(subject, visit, plan),
        _ if subject.parts.key_vault.is_some() => Finding::needs(CHECK, GET),
        _ if subject.parts.envelope.is_some() => {
            Finding::skipped(CHECK, "KEYVAULT_KEY_URI alone holds keys, see data-keys")
        }
        _ => Finding::needs(CHECK, "settings"),
    }
}

fn of_file(subject: &Subject, path: &Path) -> Finding {
    let ring = match file_source::load(path) {
        Ok(ring) => ring,
        Err(error) => {
            let detail = format!("SEALANE_KEY_FILE cannot be used: {error}");
            return Finding::fail(CHECK, exit::SETTINGS, detail, error.remedy());
        }
    };
    if let Some(missing) = without_legacy_key(subject, ring.ids()) {
        return missing;
    }
    let detail = uses(subject, ring.active(), ring.ids().count());
    Finding::pass(CHECK, detail)
}

fn of_vault(subject: &Subject, visit: &Visit, plan: &Plan) -> Finding {
    let bad = |version: &Version| {
        visit
            .bad
            .iter()
            .find(|(bad, _)| bad.version == version.version)
    };
    let Some(active) = plan.active() else {
        let detail = format!("all {} versions are disabled", plan.stages.len());
        return Finding::fail(CHECK, exit::SETTINGS, detail, remedy::ALL_DISABLED);
    };
    if let Some((_, bad)) = bad(active) {
        return Finding::fail(CHECK, exit::SETTINGS, bad.to_string(), remedy::BAD_VALUE);
    }
    let held = plan
        .held()
        .filter(|version| version.enabled && bad(version).is_none());
    let held: Vec<&KeyId> = held.map(|version| &version.id).collect();
    if let Some(missing) = without_legacy_key(subject, held.iter().copied()) {
        return missing;
    }
    let mut detail = uses(subject, &active.id, held.len());
    if !subject.has_data_keys() {
        detail.extend(plan.stages.iter().filter_map(next));
    }
    if let Some((_, bad)) = visit.bad.first() {
        return Finding::warn(CHECK, format!("{detail}; {bad}"), remedy::BAD_VALUE);
    }
    let has_expired =
        |(_, stage): &(Version, Stage)| matches!(stage, Stage::Active { expired: true, .. });
    if plan.stages.iter().any(has_expired) && !subject.has_data_keys() {
        let detail = format!("{detail}; the one that encrypts has expired");
        return Finding::warn(CHECK, detail, remedy::HAS_EXPIRED);
    }
    Finding::pass(CHECK, detail)
}

/// What encrypts, and how many keys decrypt.
fn uses(subject: &Subject, active: &KeyId, count: usize) -> String {
    if subject.has_data_keys() {
        format!("data keys encrypt, {count} others decrypt")
    } else {
        format!("{active} encrypts, {count} decrypt")
    }
}

/// What will encrypt, and when.
fn next((version, stage): &(Version, Stage)) -> Option<String> {
    let Stage::Pending { activates } = stage else {
        return None;
    };
    let at = humantime::format_rfc3339_seconds(*activates);
    Some(format!("; {} encrypts from {at}", version.id))
}

fn without_legacy_key<'a>(
    subject: &Subject,
    mut ids: impl Iterator<Item = &'a KeyId>,
) -> Option<Finding> {
    let wanted = subject.value("SEALANE_LEGACY_KEY_ID")?;
    if ids.any(|id| id.as_str() == wanted) {
        return None;
    }
    let detail = format!("SEALANE_LEGACY_KEY_ID is {wanted:?}, which is none of the keys");
    let remedy = "set it to the id of the key that old payloads were encrypted under";
    Some(Finding::fail(CHECK, exit::SETTINGS, detail, remedy))
}
