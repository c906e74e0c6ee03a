//! The exchange of the pod's token for one of Entra.

use sealane_codec::azure::{AzureError, Cause};
use sealane_service::{encryption::EncryptionError, exit::ExitStatus, settings::AzureIdentity};
use url::Url;

use super::{
    Finding,
    claims::Claims,
    network::{self, Asked},
    remedy,
    subject::Subject,
    within,
};

pub(super) const CHECK: &str = "token-exchange";

/// What tokens are for where no vault is named.
const KEY_VAULT: &str = "vault.azure.net";

/// Gets a token for the vault, and throws it away.
pub(super) async fn check(
    subject: &Subject,
    token_file: &Finding,
    claims: Option<&Claims>,
) -> Finding {
    if let Some(why) = subject.without_azure() {
        return Finding::skipped(CHECK, why);
    }
    if claims.is_none() && subject.without_token_file().is_none() {
        return Finding::needs(CHECK, token_file.check);
    }
    let azure = match subject.azure() {
        Ok(azure) => azure,
        Err(why) => return Finding::skipped(CHECK, why),
    };
    let scope = scope(subject);
    match within(azure.token(&scope)).await {
        Some(Ok(())) => Finding::pass(CHECK, format!("Entra gives a token for {scope}")),
        Some(Err(error)) => refused(subject, claims, error),
        None => network::silent(CHECK),
    }
}

fn refused(subject: &Subject, claims: Option<&Claims>, error: AzureError) -> Finding {
    let remedy = match error.cause() {
        Cause::Exchange { aadsts } => remedy::exchange(subject, claims, aadsts, error.remedy()),
        Cause::TokenFile => remedy::injection(subject),
        Cause::DeveloperTools => remedy::SIGN_IN.to_owned(),
        Cause::UnknownHost => remedy::entra_dns(subject),
        // What the resolver says when it could not find out.
        Cause::Unreachable if error.story().contains("Temporary failure") => {
            remedy::entra_dns(subject)
        }
        _ => error.remedy().to_owned(),
    };
    let story = match error.cause() {
        // The SDK tells of each tool in paragraphs.
        Cause::DeveloperTools => "nobody is signed in with az or azd".to_owned(),
        _ => error.story(),
    };
    Finding::fail(CHECK, code(error), story, remedy)
}

/// The exit code a start would end with.
pub(super) fn code(error: AzureError) -> u8 {
    EncryptionError::from(error).exit_code()
}

/// Every cloud has its own name for vaults: `https://unit.vault.azure.net` wants a token for
/// `https://vault.azure.net`.
fn scope(subject: &Subject) -> String {
    let vault = subject.vault();
    let host = vault.as_ref().and_then(Url::host_str).unwrap_or_default();
    let cloud = host.split_once('.').map(|(_, rest)| rest);
    let resource = cloud
        .filter(|rest| rest.starts_with("vault."))
        .unwrap_or(KEY_VAULT);
    format!("https://{resource}/.default")
}

/// Asks Entra for something that everybody may know, if it is asked for tokens.
pub(super) async fn reach(subject: &Subject) -> Option<Asked> {
    let azure = subject.parts.azure.as_ref()?;
    let AzureIdentity::Workload {
        tenant_id,
        authority_host,
        ..
    } = &azure.identity
    else {
        return None;
    };
    if subject.without_azure().is_some() {
        return None;
    }
    let path = format!("{tenant_id}/v2.0/.well-known/openid-configuration");
    let url = authority_host.join(&path).ok()?;
    Some(network::ask(subject.root().ok()?.as_deref(), &url).await)
}
