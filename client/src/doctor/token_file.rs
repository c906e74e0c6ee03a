//! The service account token that the workload identity webhook mounts.

use std::{
    fs::File,
    io::{self, Read},
    time::SystemTime,
};

use sealane_service::exit;

use super::{Finding, claims::Claims, remedy, subject::Subject};

pub(super) const CHECK: &str = "token-file";

/// Longest token that is read, in bytes. Those of Kubernetes have about a thousand.
const MAX_LEN: u64 = 64 * 1024;

/// Audiences that Entra's clouds want: the public one, those of the US government and of China
/// ([Microsoft](https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations)).
const AUDIENCES: [&str; 3] = [
    "api://AzureADTokenExchange",
    "api://AzureADTokenExchangeUSGov",
    "api://AzureADTokenExchangeChina",
];

/// Looks at the token, and returns what it says of itself if it can be read.
pub(super) fn check(subject: &Subject) -> (Finding, Option<Claims>) {
    if let Some(why) = subject.without_token_file() {
        return (Finding::skipped(CHECK, why), None);
    }
    let Some(path) = subject.value("AZURE_FEDERATED_TOKEN_FILE") else {
        let detail = "AZURE_FEDERATED_TOKEN_FILE is not set: the workload identity webhook has not changed this pod";
        return (failed(subject, detail.to_owned()), None);
    };
    let claims = match read(path) {
        Ok(token) => Claims::read(&token),
        Err(error) => {
            let detail = format!("AZURE_FEDERATED_TOKEN_FILE {path} cannot be read: {error}");
            return (failed(subject, detail), None);
        }
    };
    match claims {
        Some(claims) => (judge(&claims, SystemTime::now()), Some(claims)),
        None => {
            let detail = format!("AZURE_FEDERATED_TOKEN_FILE {path} holds no JSON web token");
            (failed(subject, detail), None)
        }
    }
}

fn failed(subject: &Subject, detail: String) -> Finding {
    Finding::fail(CHECK, exit::SETTINGS, detail, remedy::injection(subject))
}

fn read(path: &str) -> io::Result<String> {
    let mut token = String::new();
    File::open(path)?.take(MAX_LEN).read_to_string(&mut token)?;
    Ok(token)
}

/// The claims decide nothing here, as Entra will: but they show why it decides as it does.
fn judge(claims: &Claims, now: SystemTime) -> Finding {
    let Claims {
        issuer,
        subject,
        audience,
        ..
    } = claims;
    let seen =
        |when: &str| format!("issuer {issuer}, subject {subject}, audience {audience}, {when}");
    let Some(expires) = claims.expires() else {
        return Finding::warn(CHECK, seen("without an expiry"), remedy::NO_EXPIRY);
    };
    let at = humantime::format_rfc3339_seconds(expires);
    if expires <= now {
        let detail = seen(&format!("expired at {at}"));
        return Finding::fail(CHECK, exit::REFUSED, detail, remedy::EXPIRED);
    }
    let detail = seen(&format!("expires at {at}"));
    if !audience.any(|one| AUDIENCES.contains(&one)) {
        return Finding::warn(CHECK, detail, remedy::AUDIENCE);
    }
    Finding::pass(CHECK, detail)
}
