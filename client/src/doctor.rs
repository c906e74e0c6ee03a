//! Finds out what keeps a worker from its keys and its server, from inside the pod.
//!
//! Each check stands for itself: one that fails skips those that cannot be made without it and no
//! others. Nothing is written, neither to a vault nor to Temporal (but a blob of 14 bytes to the
//! container of large payloads), and no finding holds a token, a key or an API key. docs/doctor.md lists the checks.

mod api_key;
mod claims;
mod clock;
mod container;
mod data_keys;
mod exchange;
mod finding;
mod keys;
mod network;
mod pollers;
mod remedy;
mod settings;
mod subject;
mod temporal;
mod token_file;
mod vault;
mod visit;

use std::{ffi::OsString, path::Path, time::Duration};

use sealane_service::settings::Secret;
use tokio::{sync::oneshot, time::timeout};

pub use self::finding::{Finding, Status, exit_code};

use self::{
    clock::Reading,
    network::{Asked, Layer},
    subject::Subject,
};

/// Longest wait of one check. A second more than a connection may take, so that one that does not
/// come about is called by its name.
const LIMIT: Duration = Duration::from_secs(6);

/// Makes all checks on what `config` and `env` say, and returns a finding for each, in the order
/// in which a start depends on them.
///
/// Takes what [`Settings::load`](sealane_service::settings::Settings::load) takes. No check
/// waits longer than 6 seconds for an answer, and one that gets none skips those after it.
pub async fn examine(
    config: Option<&Path>,
    env: impl Fn(&str) -> Option<OsString>,
) -> Vec<Finding> {
    let mut findings = settings::check(config, &env);
    let subject = Subject::new(config, &env);
    let (give, given) = oneshot::channel();
    let api_key = async { given.await.ok().flatten() };
    let (azure, temporal) = tokio::join!(
        Box::pin(azure(&subject, give)),
        Box::pin(temporal::examine(&subject, api_key))
    );
    findings.extend(azure.findings);
    findings.extend(temporal.findings);
    let readings: Vec<Reading> = azure
        .readings
        .into_iter()
        .chain(temporal.readings)
        .collect();
    findings.push(clock::check(&readings, subject.room()));
    let mut secrets = subject.secrets();
    secrets.extend(azure.secret);
    for finding in &mut findings {
        finding.hide(&secrets);
    }
    findings
}

/// What one half of the checks came to.
#[derive(Default)]
struct Examined {
    findings: Vec<Finding>,
    /// What others say the time is.
    readings: Vec<Reading>,
    /// What must not be in any finding.
    secret: Option<String>,
}

/// From the pod's identity to usable keys, and to the API key, which is given away as soon as it is
/// there.
async fn azure(subject: &Subject, give: oneshot::Sender<Option<Secret>>) -> Examined {
    let mut examined = Examined::default();
    let (token_file, claims) = token_file::check(subject);
    let (mut exchange, entra, (mut reachable, vault)) = tokio::join!(
        Box::pin(exchange::check(subject, &token_file, claims.as_ref())),
        exchange::reach(subject),
        vault::reach(subject)
    );
    let asked = [entra, vault];
    if asked
        .iter()
        .all(|it| it.as_ref().is_some_and(is_unresolved))
    {
        // Two names are hardly both misspelt.
        for finding in [&mut exchange, &mut reachable] {
            finding.begin_with(remedy::NO_DNS);
        }
    }
    let api_key = async {
        let (finding, key) = api_key::check(subject, &exchange, &reachable).await;
        let key = key.map(|key| Secret::new(key.expose()));
        // Nobody waits for it where the server cannot be reached.
        give.send(key.clone()).ok();
        (finding, key)
    };
    let (visit, data_keys, container, (api_key, key)) = tokio::join!(
        Box::pin(visit::visit(subject, &exchange, &reachable)),
        Box::pin(data_keys::check(subject, &exchange)),
        Box::pin(container::check(subject, &exchange)),
        Box::pin(api_key)
    );
    examined.secret = key.map(|key| key.expose().to_owned());
    let keys = keys::check(subject, &visit);
    examined.findings.extend([token_file, exchange, reachable]);
    examined
        .findings
        .extend([visit.list, visit.get, keys, data_keys, container, api_key]);
    examined
        .readings
        .extend(asked.into_iter().flatten().filter_map(reading));
    examined
}

fn is_unresolved(asked: &Asked) -> bool {
    matches!(asked, Err(unreached) if unreached.layer == Layer::Dns)
}

fn reading(asked: Asked) -> Option<Reading> {
    asked.ok()?.reading
}

/// Waits for `answer`, but not longer than a check may take.
async fn within<T>(answer: impl Future<Output = T>) -> Option<T> {
    timeout(LIMIT, answer).await.ok()
}
