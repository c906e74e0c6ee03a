//! Whether the vault can be reached at all, which needs no identity.

use sealane_service::exit;
use url::Url;

use super::{
    Finding,
    network::{self, Answer, Asked, Layer, Unreached},
    remedy,
    subject::Subject,
};

pub(super) const REACHABLE: &str = "vault-reachable";

/// What every vault answers to, with 401, for somebody without a token.
const ANYTHING: &str = "secrets?api-version=2025-07-01&maxresults=1";

/// Asks the vault for something without a token, and returns its answer too, if it was asked.
pub(super) async fn reach(subject: &Subject) -> (Finding, Option<Asked>) {
    if let Some(why) = subject.without_azure() {
        return (Finding::skipped(REACHABLE, why), None);
    }
    let Some(vault) = subject.vault() else {
        let why = "neither KEYVAULT_URL nor KEYVAULT_KEY_URI names a vault";
        return (Finding::skipped(REACHABLE, why), None);
    };
    let root = match subject.root() {
        Ok(root) => root,
        Err(why) => return (Finding::skipped(REACHABLE, why), None),
    };
    let Ok(url) = vault.join(ANYTHING) else {
        return (Finding::needs(REACHABLE, "settings"), None);
    };
    let asked = network::ask(root.as_deref(), &url).await;
    let finding = match &asked {
        Ok(answer) => reached(subject, network::place(&vault), answer),
        Err(unreached) => not_reached(&vault, unreached),
    };
    (finding, Some(asked))
}

fn reached(subject: &Subject, host: &str, answer: &Answer) -> Finding {
    let Some(challenge) = answer.challenge.as_deref().filter(|_| answer.status == 401) else {
        let detail = format!(
            "DNS, TCP and TLS work, but {host} answers {} where a vault asks for a token",
            answer.status
        );
        return Finding::warn(REACHABLE, detail, remedy::NO_VAULT);
    };
    let detail = format!("{host} answers: DNS, TCP and TLS work");
    let ours = subject.value("AZURE_TENANT_ID");
    match (tenant(challenge), ours) {
        (Some(theirs), Some(ours)) if !theirs.eq_ignore_ascii_case(ours) && is_id(ours) => {
            let detail =
                format!("{detail}; it belongs to tenant {theirs}, AZURE_TENANT_ID is {ours}");
            Finding::warn(REACHABLE, detail, remedy::OTHER_TENANT)
        }
        _ => Finding::pass(REACHABLE, detail),
    }
}

/// The tenant in `Bearer authorization="https://login.microsoftonline.com/<tenant>", …`.
fn tenant(challenge: &str) -> Option<&str> {
    let (_, rest) = challenge.split_once("authorization=\"")?;
    let (authority, _) = rest.split_once('"')?;
    authority
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .filter(|last| is_id(last))
}

/// Whether a tenant is named by its id. It may also be named by a domain.
fn is_id(tenant: &str) -> bool {
    uuid::Uuid::try_parse(tenant).is_ok()
}

fn not_reached(vault: &Url, unreached: &Unreached) -> Finding {
    let code = match unreached.layer {
        Layer::Certificates | Layer::Tls => exit::SETTINGS,
        Layer::Dns if unreached.is_unknown_host() => exit::SETTINGS,
        _ => exit::UNAVAILABLE,
    };
    let remedy = remedy::vault_network(unreached.layer, vault);
    let story = unreached.story(network::place(vault));
    Finding::fail(REACHABLE, code, story, remedy)
}

#[cfg(test)]
mod tests {
    use super::tenant;

    #[test]
    fn the_tenant_of_a_vault_is_in_its_challenge() {
        let id = "3c9a6d0e-0000-4000-8000-5ea1a4e00001";
        let challenge = format!(
            r#"Bearer authorization="https://login.microsoftonline.com/{id}", resource="https://vault.azure.net""#
        );

        assert_eq!(tenant(&challenge), Some(id));
        for other in [
            "",
            "Bearer",
            r#"Bearer authorization="https://a/b""#,
            r#"authorization="#,
        ] {
            assert_eq!(tenant(other), None);
        }
    }
}
