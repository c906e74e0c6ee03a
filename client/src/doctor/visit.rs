//! Whether the vault lists the versions of the secret and gives their values.

use std::time::SystemTime;

use futures_util::{StreamExt, stream};
use sealane_codec::{
    azure::AzureError,
    key_vault::{BadValue, VaultKeyError, VaultSecret},
    rotation::{Plan, Policy, Version, plan},
};
use sealane_service::{exit, settings::KeyVault};

use super::{Finding, Status, exchange, network, remedy, subject::Subject, within};

const LIST: &str = "vault-list";
pub(super) const GET: &str = "vault-get";

/// Values fetched at once.
const AT_ONCE: usize = 8;

/// What was seen in the vault.
pub(super) struct Visit {
    pub(super) list: Finding,
    pub(super) get: Finding,
    /// What a process would do with the versions, if they could be listed.
    pub(super) plan: Option<Plan>,
    /// The values that were given and are no keys, by version.
    pub(super) bad: Vec<(Version, BadValue)>,
}

/// Lists the versions, and gets the values of those that a process would hold.
pub(super) async fn visit(subject: &Subject, exchange: &Finding, reachable: &Finding) -> Visit {
    let vault = match secret(subject) {
        Ok(vault) => vault,
        Err(why) => return Visit::without(Finding::skipped(LIST, why)),
    };
    for needed in [reachable, exchange] {
        if !needed.allows() {
            return Visit::without(Finding::needs(LIST, needed.check));
        }
    }
    match list(subject, vault).await {
        Ok((secret, versions)) => {
            let policy = Policy {
                activation_delay: vault.activation_delay,
            };
            let plan = plan(&versions, SystemTime::now(), policy);
            let detail = format!("versions of {secret}: {}", versions.len());
            let mut visit = Visit::without(Finding::pass(LIST, detail));
            visit.get = visit.get(subject, vault, &secret, &plan).await;
            visit.plan = Some(plan);
            visit
        }
        Err(failed) => Visit::without(failed),
    }
}

/// Returns which secret to look at, or why at none.
fn secret(subject: &Subject) -> Result<&KeyVault, &'static str> {
    match (subject.without_keys(), &subject.parts.key_vault) {
        (Some(why), _) => Err(why),
        (None, Some(vault)) => Ok(vault),
        (None, None) if subject.value("KEYVAULT_URL").is_some() => {
            Err("cannot be checked before settings passes")
        }
        (None, None) => Err("no secret is configured"),
    }
}

/// Returns the versions, of which there is at least one, or a finding that says why not.
async fn list(subject: &Subject, vault: &KeyVault) -> Result<(VaultSecret, Vec<Version>), Finding> {
    let azure = subject.azure().map_err(|why| Finding::skipped(LIST, why))?;
    let refused = |error| refused(subject, vault, LIST, None, error);
    let secret = VaultSecret::new(&azure, &vault.url, &vault.secret).map_err(refused)?;
    let versions = within(secret.versions()).await;
    let versions = versions
        .ok_or_else(|| network::silent(LIST))?
        .map_err(refused)?;
    if versions.is_empty() {
        let detail = format!("{secret} does not exist: the list of its versions is empty");
        let remedy = remedy::no_secret(&vault.url);
        return Err(Finding::fail(LIST, exit::SETTINGS, detail, remedy));
    }
    Ok((secret, versions))
}

impl Visit {
    /// A visit that ended with `list`.
    fn without(list: Finding) -> Self {
        let get = match list.status {
            Status::Skipped => Finding::skipped(GET, list.detail.clone()),
            _ => Finding::needs(GET, LIST),
        };
        Self {
            list,
            get,
            plan: None,
            bad: Vec::new(),
        }
    }

    /// Gets the values of `plan` until one is refused.
    async fn get(
        &mut self,
        subject: &Subject,
        vault: &KeyVault,
        secret: &VaultSecret,
        plan: &Plan,
    ) -> Finding {
        let wanted = wanted(plan);
        let many = wanted.len();
        let requests = wanted.into_iter().map(|version| async move {
            let given = secret.key(&version).await;
            (version, given.map(drop))
        });
        let mut answers = stream::iter(requests).buffered(AT_ONCE);
        let refusal = async {
            while let Some((version, given)) = answers.next().await {
                match given {
                    Err(VaultKeyError::Azure(error)) => return Some((version, error)),
                    Err(VaultKeyError::Value(bad)) => self.bad.push((version, bad)),
                    _ => {}
                }
            }
            None
        };
        match within(refusal).await {
            Some(None) => Finding::pass(GET, format!("values given: {many}")),
            Some(Some((version, error))) => refused(subject, vault, GET, Some(&version), error),
            None => network::silent(GET),
        }
    }
}

/// The versions that a process would get, the one that encrypts first. Where there are none,
/// because all are disabled, the newest, to have that said by the vault.
fn wanted(plan: &Plan) -> Vec<Version> {
    let active = plan.active();
    let others = plan
        .held()
        .filter(|version| version.enabled && Some(*version) != active);
    let mut wanted: Vec<Version> = active.into_iter().chain(others).cloned().collect();
    if wanted.is_empty() {
        wanted.extend(plan.stages.first().map(|(newest, _)| newest.clone()));
    }
    wanted
}

fn refused(
    subject: &Subject,
    vault: &KeyVault,
    check: &'static str,
    version: Option<&Version>,
    error: AzureError,
) -> Finding {
    let version = version.map(|version| version.version.as_str());
    let remedy = remedy::vault(subject, vault, version, &error);
    let story = error.story();
    Finding::fail(check, exchange::code(error), story, remedy)
}
