//! The secret that holds the keys, as the settings name it.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sealane_codec::{
    azure::Cause,
    key_vault::VaultSecret,
    rotation::{Plan, Policy, Stage, Version, plan},
};
use sealane_service::{
    exit,
    settings::{KeySource, KeyVault, Settings},
};

use crate::{cli::CliError, encryption};

/// 9999-12-31T23:59:59Z, the end of what RFC 3339 can write.
const LAST_SECOND: u64 = 253_402_300_799;

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

/// Ids of versions that some process encrypts under, or will: those that wait for their time, and
/// the one before the active one until every process has looked since it took over.
fn in_rotation(
    plan: &Plan,
    policy: Policy,
    refresh: Duration,
    now: SystemTime,
) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut stages = plan.stages.iter();
    for (version, stage) in stages.by_ref() {
        match stage {
            Stage::Pending { .. } => ids.insert(version.id.to_string()),
            Stage::Active { .. } if now < everywhere(version, policy, refresh) => break,
            Stage::Active { .. } => return ids,
            _ => continue,
        };
    }
    let former = stages.find(|(_, stage)| *stage == Stage::DecryptOnly);
    ids.extend(former.map(|(version, _)| version.id.to_string()));
    ids
}

/// When every process encrypts under `version`, which has not been early.
fn everywhere(version: &Version, policy: Policy, refresh: Duration) -> SystemTime {
    let start = version
        .not_before
        .map_or(version.created, |at| at.max(version.created));
    start
        .checked_add(policy.activation_delay + refresh)
        .unwrap_or(start)
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
    let within = up.min(Duration::from_secs(LAST_SECOND));
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
    use std::time::{Duration, UNIX_EPOCH};

    use sealane_codec::rotation::{Policy, Version, plan};

    use super::{in_rotation, moment};

    const REFRESH: Duration = Duration::from_secs(10);
    const POLICY: Policy = Policy {
        activation_delay: Duration::from_secs(100),
    };

    fn version(name: &str, created: u64) -> Version {
        let created = UNIX_EPOCH + Duration::from_secs(created);
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
