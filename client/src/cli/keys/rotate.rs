//! `sealane keys rotate`.

use std::time::{Duration, SystemTime};

use clap::Args;
use sealane_codec::{
    Key, KeyId,
    azure::AzureError,
    rotation::{Plan, Version},
};
use sealane_service::{
    encryption::EncryptionError,
    exit::{self, ExitStatus},
};
use serde::Serialize;

use super::vault::{self, Vault, moment};
use crate::cli::{CliError, Globals, output, session};

/// A key that waits for longer protects nothing, and is more likely a slip: `30M` are months.
const LATEST: Duration = Duration::from_hours(30 * 24);

/// Short enough for a tag of a secret; every payload carries the id.
const LONGEST_ID: usize = 128;

/// Adds a version with a new random AES-256 key to the secret. The key goes to the vault over TLS
/// and nowhere else. Every process decrypts under it within `SEALANE_KEY_REFRESH`, and encrypts
/// under it once `SEALANE_KEY_ACTIVATION_DELAY` has passed; older keys go on decrypting.
#[derive(Debug, Args)]
pub(in crate::cli) struct Rotate {
    /// Time until it encrypts, as in 30m; at least, and by default, `SEALANE_KEY_ACTIVATION_DELAY`,
    /// at most 30d
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    activate_in: Option<Duration>,
    /// Id of the key in payloads, in plaintext there. Default: `SECRET/VERSION`
    #[arg(long, value_name = "ID")]
    key_id: Option<String>,
}

/// Vaults note in whole seconds when a version was created, and the newest one takes over: of two of the
/// same second nobody could say which that is.
const TICK: Duration = Duration::from_secs(1);

/// How far the newest version is waited for if its time is ahead of this machine's clock.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What happens when.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rotation {
    key_id: String,
    version: String,
    /// From then on every process reads what is encrypted under it.
    decrypts_everywhere: String,
    /// From then on processes begin to encrypt under it.
    encrypts_from: String,
    /// From then on every process does.
    encrypts_everywhere: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
    /// From then on nobody can be encrypting under the replaced one, so it may be disabled if
    /// nothing needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_replaced_from: Option<String>,
    next: String,
}

impl Rotate {
    pub(super) async fn run(self, globals: &Globals) -> Result<(), CliError> {
        let settings = session::settings(globals.config.as_deref())?;
        let vault = Vault::of(&settings)?.ok_or_else(|| vault::needed("rotate"))?;
        let not_before = self.not_before(&vault, SystemTime::now())?;
        let id = self.key_id()?;
        let plan = vault.plan().await?;
        let former = former(&vault, &plan, id.as_ref())?;
        tokio::time::sleep(until_newest(&plan, SystemTime::now())).await;
        let key = Key::generate();
        let key = key.map_err(|error| CliError::new(exit::INTERNAL, error.to_string()))?;
        let created = vault.secret.create(&key, id.as_ref(), not_before).await;
        let created = created.map_err(not_created)?;
        output::one(globals.output, &timetable(&vault, &created, former))
    }

    fn key_id(&self) -> Result<Option<KeyId>, CliError> {
        let Some(id) = &self.key_id else {
            return Ok(None);
        };
        let parsed = id.parse().ok().filter(|_| is_plain(id));
        let parsed = parsed.ok_or_else(|| {
            CliError::usage(format!(
                "--key-id is {id:?}, expected 1 to {LONGEST_ID} ASCII characters without spaces"
            ))
        });
        parsed.map(Some)
    }

    /// The moment from which the delay counts, if that is not at once.
    fn not_before(&self, vault: &Vault, now: SystemTime) -> Result<Option<SystemTime>, CliError> {
        let delay = vault.policy().activation_delay;
        let Some(wanted) = self.activate_in else {
            return Ok(None);
        };
        let Some(later) = wanted.checked_sub(delay) else {
            let (wanted, delay) = (
                humantime::format_duration(wanted),
                humantime::format_duration(delay),
            );
            return Err(CliError::usage(format!(
                "--activate-in is {wanted}, expected at least {delay}, the SEALANE_KEY_ACTIVATION_DELAY in which all processes learn of the key"
            )));
        };
        let latest = LATEST.max(delay);
        if wanted > latest {
            return Err(CliError::usage(format!(
                "--activate-in is {}, expected at most {}; m are minutes, M months",
                humantime::format_duration(wanted),
                humantime::format_duration(latest)
            )));
        }
        let at = now.checked_add(later).ok_or_else(|| {
            CliError::usage("--activate-in is beyond all calendars, expected for instance 30m")
        })?;
        Ok((!later.is_zero()).then_some(at))
    }
}

/// Nothing in the id gets lost or looks like something else in logs, metrics and shells.
fn is_plain(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A request whose answer is lost may have been followed.
fn not_created(error: AzureError) -> CliError {
    let perhaps = error.is_unreachable();
    let error = EncryptionError::from(error);
    let hint = if perhaps {
        "; the version may be there all the same, see `sealane keys list` before you try again"
    } else {
        ""
    };
    CliError::new(error.exit_code(), format!("{error}{hint}"))
}

/// The version that encrypts until now; `None` if there is no version yet.
fn former(vault: &Vault, plan: &Plan, id: Option<&KeyId>) -> Result<Option<Version>, CliError> {
    refuse_taken(plan, id)?;
    let active = plan.active().cloned();
    if active.is_none() && !plan.stages.is_empty() {
        return Err(all_disabled(vault));
    }
    Ok(active)
}

/// How long to wait at `now` until a version that is made is newer than all others.
fn until_newest(plan: &Plan, now: SystemTime) -> Duration {
    let newest = plan.stages.iter().map(|(version, _)| version.created).max();
    let free = newest.and_then(|newest| newest.checked_add(TICK));
    let wait = free.and_then(|free| free.duration_since(now).ok());
    wait.unwrap_or_default().min(LONGEST_WAIT)
}

/// Running processes still encrypt under the one they have. What starts with nothing but a new
/// version could not read that, and they could not read the new version yet.
fn all_disabled(vault: &Vault) -> CliError {
    let text = format!(
        "all versions of {} are disabled; enable the one that was active last, then rotate",
        vault.secret
    );
    CliError::new(exit::SETTINGS, text)
}

/// Payloads name their key by id, so an id must never mean two keys.
fn refuse_taken(plan: &Plan, id: Option<&KeyId>) -> Result<(), CliError> {
    let taken = plan
        .stages
        .iter()
        .any(|(version, _)| Some(&version.id) == id);
    match id {
        Some(id) if taken => Err(CliError::usage(format!(
            "--key-id is {:?}, expected an id that no version of the secret has",
            id.as_str()
        ))),
        _ => Ok(()),
    }
}

fn timetable(vault: &Vault, created: &Version, former: Option<Version>) -> Rotation {
    let (refresh, delay) = (vault.refresh(), vault.policy().activation_delay);
    let encrypts = match former {
        Some(_) => created.due(vault.policy()),
        // Nothing else could encrypt, so it does at once.
        None => created.created,
    };
    let next = match &former {
        Some(former) => format!(
            "after encryptsEverywhere run `sealane keys reencrypt-schedules` and `sealane keys audit`; once it says that {} can be disabled, and disableReplacedFrom has passed, disable version {}",
            former.id, former.version
        ),
        None => "start the processes that use it".to_owned(),
    };
    Rotation {
        key_id: created.id.to_string(),
        version: created.version.clone(),
        decrypts_everywhere: moment(later(created.created, refresh)),
        encrypts_from: moment(encrypts),
        encrypts_everywhere: moment(later(encrypts, refresh)),
        disable_replaced_from: former.as_ref().map(|_| moment(later(encrypts, delay))),
        replaces: former.map(|version| version.id.to_string()),
        next,
    }
}

fn later(at: SystemTime, by: Duration) -> SystemTime {
    at.checked_add(by).unwrap_or(at)
}
