//! Finds out what keeps a worker from its keys and its server, from inside the pod.
//!
//! Each check stands for itself: one that fails skips those that cannot be made without it and no
//! others. Nothing is written, neither to a vault nor to Temporal, and no finding holds a token,
//! a key or an API key. docs/doctor.md lists the checks.

mod claims;
mod clock;
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

use tokio::time::timeout;

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
    let (azure, temporal) = tokio::join!(
        Box::pin(azure(&subject)),
        Box::pin(temporal::examine(&subject))
    );
    findings.extend(azure.findings);
    findings.extend(temporal.findings);
    let readings: Vec<Reading> = azure
        .readings
        .into_iter()
        .chain(temporal.readings)
        .collect();
    findings.push(clock::check(&readings, subject.room()));
    let secrets = subject.secrets();
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
}

/// From the pod's identity to usable keys.
async fn azure(subject: &Subject) -> Examined {
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
    let (visit, data_keys) = tokio::join!(
        Box::pin(visit::visit(subject, &exchange, &reachable)),
        Box::pin(data_keys::check(subject, &exchange))
    );
    let keys = keys::check(subject, &visit);
    examined.findings.extend([token_file, exchange, reachable]);
    examined
        .findings
        .extend([visit.list, visit.get, keys, data_keys]);
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
