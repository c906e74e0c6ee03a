//! The secret that holds the keys, as the settings name it.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sealane_codec::{
    azure::Cause,
    key_vault::VaultSecret,
    rotation::{LAST_SECOND, Plan, Policy, Stage, Version, plan},
};
use sealane_service::{
    encryption, exit,
    settings::{KeySource, KeyVault, Settings},
};

use crate::cli::CliError;

/// A secret, and how processes with these settings use its versions.
pub(super) struct Vault {
    pub(super) secret: VaultSecret,
    settings: KeyVault,
}

impl Vault {
    /// Opens the vault of `settings`; `None` if keys come from elsewhere. Sends nothing.
    pub(super) fn of(settings: &Settings) -> Result<Option<Self>, CliError> {
        let encryption = &settings.encryption;
        let (Some(KeySource::KeyVault(vault)), Some(azure)) =
            (&encryption.source, &encryption.azure)
        else {
            return Ok(None);
        };
        let azure = encryption::azure(azure)?;
        let secret = VaultSecret::new(&azure, &vault.url, &vault.secret);
        let secret = secret.map_err(encryption::EncryptionError::from)?;
        Ok(Some(Self {
            secret,
            settings: vault.clone(),
        }))
    }

    /// What a process that lists the versions now does with each. Nothing, if there is no secret.
    pub(super) async fn plan(&self) -> Result<Plan, CliError> {
        let versions = match self.secret.versions().await {
            // Some vaults answer so for a secret that has no versions yet, others with none.
            Err(error) if error.cause() == Cause::NotFound => Vec::new(),
            versions => versions.map_err(encryption::EncryptionError::from)?,
        };
        Ok(plan(&versions, SystemTime::now(), self.policy()))
    }

    /// Ids of the versions that a rotation at `now` is from or to.
    pub(super) fn in_rotation(&self, plan: &Plan, now: SystemTime) -> BTreeSet<String> {
        in_rotation(plan, self.policy(), self.refresh(), now)
    }

    pub(super) fn policy(&self) -> Policy {
        Policy {
            activation_delay: self.settings.activation_delay,
        }
    }

    /// Longest time between two looks of one process at the vault.
    pub(super) fn refresh(&self) -> Duration {
        self.settings.refresh
    }
}

/// Ids of versions that some process encrypts under or will, besides the active one: those that wait
/// for their time, and all that were active within the last refresh or may have been.
fn in_rotation(
    plan: &Plan,
    policy: Policy,
    refresh: Duration,
    now: SystemTime,
) -> BTreeSet<String> {
    let since = now.checked_sub(refresh).unwrap_or(UNIX_EPOCH);
    let enabled = || plan.stages.iter().filter(|(version, _)| version.enabled);
    let (mut ids, mut restless) = (BTreeSet::new(), false);
    for (version, stage) in enabled() {
        let changed = has_changed(version, policy, since, now);
        restless |= changed;
        if changed || matches!(stage, Stage::Pending { .. }) {
            ids.insert(&version.id);
        } else if version.due(policy) <= now && version.expires.is_none_or(|at| at > now) {
            // It could be active all the time, so no process went further back.
            ids.insert(&version.id);
            restless = false;
            break;
        }
    }
    if restless {
        ids.extend(enabled().map(|(version, _)| &version.id));
    }
    ids.retain(|id| plan.active().is_none_or(|active| active.id != **id));
    ids.into_iter().map(ToString::to_string).collect()
}

/// Whether a process that looked after `since` may have seen `version` otherwise than one that looks
/// `now`: it was changed meanwhile, became due or expired.
fn has_changed(version: &Version, policy: Policy, since: SystemTime, now: SystemTime) -> bool {
    let passed = |at: SystemTime| since < at && at <= now;
    version.updated > since || passed(version.due(policy)) || version.expires.is_some_and(passed)
}

/// The stage in one word.
pub(super) fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Active { .. } => "active",
        Stage::DecryptOnly => "decrypts",
        Stage::Pending { .. } => "pending",
        Stage::Retained { .. } => "retained",
        Stage::Dropped => "disabled",
    }
}

/// A moment as RFC 3339 in whole seconds, rounded up: nothing has happened before it is named.
/// What is beyond the calendar shows as its end.
pub(super) fn moment(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let up = since.saturating_add(Duration::from_millis(999));
    let within = up.min(LAST_SECOND);
    humantime::format_rfc3339_seconds(UNIX_EPOCH + within).to_string()
}

/// The error of a command that makes sense for a vault only.
pub(super) fn needed(command: &str) -> CliError {
    CliError::new(
        exit::SETTINGS,
        format!(
            "KEYVAULT_URL is not set, expected the vault that `sealane keys {command}` works on; the keys of a SEALANE_KEY_FILE are changed by changing the file"
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use sealane_codec::rotation::{Policy, Version, plan};

    use super::{in_rotation, moment};

    const REFRESH: Duration = Duration::from_secs(10);
    const POLICY: Policy = Policy {
        activation_delay: Duration::from_secs(100),
    };

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    fn version(name: &str, created: u64) -> Version {
        let created = at(created);
        Version {
            version: name.to_owned(),
            id: name.parse().unwrap(),
            created,
            updated: created,
            not_before: None,
            expires: None,
            enabled: true,
        }
    }

    #[test]
    fn a_rotation_lasts_until_every_process_has_moved_on() {
        let versions = [version("a", 0), version("b", 500), version("c", 1000)];
        let at = |seconds| {
            let now = UNIX_EPOCH + Duration::from_secs(seconds);
            let ids = in_rotation(&plan(&versions, now, POLICY), POLICY, REFRESH, now);
            ids.into_iter().collect::<Vec<_>>()
        };

        assert_eq!(at(999), ["c"], "listed early by a clock that is behind");
        assert_eq!(at(1050), ["c"], "c waits, b has long been active");
        assert_eq!(
            at(1105),
            ["b"],
            "c is active here, others may not have looked yet"
        );
        assert_eq!(at(1111), Vec::<String>::new());
    }

    /// Ids in rotation at a second, of these versions.
    fn rotating(versions: &[Version], second: u64) -> Vec<String> {
        let now = at(second);
        let ids = in_rotation(&plan(versions, now, POLICY), POLICY, REFRESH, now);
        ids.into_iter().collect()
    }

    #[test]
    fn a_rotation_that_was_taken_back_lasts_until_every_process_has_gone_back() {
        let mut versions = [version("a", 0), version("b", 500), version("c", 1000)];
        versions[2].updated = at(2000);
        versions[2].expires = Some(at(50));

        assert_eq!(rotating(&versions, 2005), ["c"], "b is active here");
        assert_eq!(rotating(&versions, 2010), Vec::<String>::new());
    }

    #[test]
    fn a_version_that_expires_is_in_use_until_every_process_has_noticed() {
        let mut versions = [version("a", 0), version("b", 500)];
        versions[1].expires = Some(at(2000));

        assert_eq!(rotating(&versions, 1999), Vec::<String>::new());
        assert_eq!(rotating(&versions, 2005), ["b"]);
        assert_eq!(rotating(&versions, 2010), Vec::<String>::new());
    }

    #[test]
    fn two_rotations_within_one_refresh_leave_three_versions_in_use() {
        let versions = [
            version("a", 0),
            version("b", 500),
            version("c", 1000),
            version("d", 1004),
        ];

        assert_eq!(rotating(&versions, 1106), ["b", "c"], "d is active here");
        assert_eq!(rotating(&versions, 1112), ["c"]);
    }

    #[test]
    fn a_substitute_is_in_use_until_every_process_has_found_something_better() {
        let mut versions = [version("a", 0), version("b", 500)];
        versions[0].expires = Some(at(50));
        versions[1].updated = at(2000);

        assert_eq!(rotating(&versions, 2005), ["a"], "b was disabled until now");
        assert_eq!(rotating(&versions, 2010), Vec::<String>::new());
    }

    #[test]
    fn moments_are_never_early() {
        let at = |millis| moment(UNIX_EPOCH + Duration::from_millis(millis));

        assert_eq!(at(5000), "1970-01-01T00:00:05Z");
        assert_eq!(at(5001), "1970-01-01T00:00:06Z");
    }

    #[test]
    fn moments_beyond_all_calendars_are_shown_as_their_end() {
        let beyond = UNIX_EPOCH + Duration::from_secs(1 << 40);

        assert_eq!(moment(beyond), "9999-12-31T23:59:59Z");
    }
}
