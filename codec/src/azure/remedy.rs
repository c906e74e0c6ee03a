//! Each cause in words: a label for metrics, what happened, what helps.

use std::fmt;

use super::{Cause, Role, aadsts};

pub(super) fn label(cause: Cause) -> &'static str {
    match cause {
        Cause::Identity => "identity",
        Cause::Certificates => "certificates",
        Cause::Address => "address",
        Cause::TokenFile => "token_file",
        Cause::Exchange { .. } => "token_exchange",
        Cause::ManagedIdentity => "managed_identity",
        Cause::DeveloperTools => "developer_tools",
        Cause::Unauthorized => "unauthorized",
        Cause::Challenge => "challenge",
        Cause::ForbiddenByRbac => "forbidden_by_rbac",
        Cause::ForbiddenByFirewall => "forbidden_by_firewall",
        Cause::SecretDisabled => "secret_disabled",
        Cause::KeyDisabled => "key_disabled",
        Cause::Forbidden => "forbidden",
        Cause::NotFound => "not_found",
        Cause::Conflict => "conflict",
        Cause::Rejected { .. } => "rejected",
        Cause::Throttled => "throttled",
        Cause::Unavailable { .. } => "unavailable",
        Cause::UnknownHost => "unknown_host",
        Cause::Unreachable => "unreachable",
        Cause::Tls => "tls",
        Cause::Timeout => "timeout",
        Cause::Malformed => "malformed",
        Cause::Other => "other",
    }
}

/// Writes what happened.
pub(super) fn what(cause: Cause, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = match cause {
        Cause::Identity => "it is not usable",
        Cause::Certificates => "they are not usable",
        Cause::Address => "there can be none",
        Cause::TokenFile => "there is no service account token",
        Cause::Exchange { aadsts: Some(code) } => {
            return write!(f, "Entra refused the identity with AADSTS{code}");
        }
        Cause::Exchange { aadsts: None } => "Entra refused the identity",
        Cause::ManagedIdentity => "the machine gives none",
        Cause::DeveloperTools => "nobody is signed in",
        Cause::Unauthorized => "the token was not accepted (401)",
        Cause::Challenge => "what answers there is not the Key Vault of that name",
        Cause::ForbiddenByRbac => "the identity has no role for it (ForbiddenByRbac)",
        Cause::ForbiddenByFirewall => "its firewall refused it (ForbiddenByFirewall)",
        Cause::SecretDisabled => "this version of the secret is disabled (SecretDisabled)",
        Cause::KeyDisabled => "this version of the key is disabled (KeyDisabled)",
        Cause::Forbidden => "it is forbidden (403)",
        Cause::NotFound => "it does not exist (404)",
        Cause::Conflict => "a deleted one of that name is in the way (409)",
        Cause::Rejected { status } => return write!(f, "the request was rejected ({status})"),
        Cause::Throttled => "too many requests (429)",
        Cause::Unavailable { status } => return write!(f, "the service is failing ({status})"),
        Cause::UnknownHost => "there is no host of that name",
        Cause::Unreachable => "no connection, or one that broke",
        Cause::Tls => "the certificate is not trusted",
        Cause::Timeout => "no answer in time",
        Cause::Malformed => "the answer makes no sense",
        Cause::Other => "the Azure SDK gave up",
    };
    f.write_str(text)
}

/// What helps, empty where only time does.
pub(super) fn remedy(cause: Cause, role: Role) -> &'static str {
    if let Some(remedy) = of_storage(cause, role) {
        return remedy;
    }
    match cause {
        Cause::Identity => {
            "check AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_AUTHORITY_HOST and \
             SEALANE_AZURE_CREDENTIAL"
        }
        Cause::Certificates => "KEYVAULT_CA_FILE must hold certificates in PEM",
        Cause::Address => {
            "KEYVAULT_URL looks like https://<vault>.vault.azure.net, KEYVAULT_SECRET_NAME like \
             payload-key"
        }
        Cause::TokenFile => {
            "give the pod the label azure.workload.identity/use: \"true\" and a service account \
             with the annotation azure.workload.identity/client-id, and start it anew"
        }
        Cause::Exchange { aadsts } => aadsts::remedy(aadsts),
        Cause::ManagedIdentity => {
            "assign the identity to the machine and check AZURE_CLIENT_ID; with a proxy, put \
             169.254.169.254 into NO_PROXY"
        }
        Cause::DeveloperTools => "sign in with az login or azd auth login",
        Cause::Unauthorized => {
            "AZURE_TENANT_ID must be the tenant of the vault, and no proxy may remove \
             WWW-Authenticate"
        }
        Cause::Challenge => "check KEYVAULT_URL, and for a proxy that changes answers",
        Cause::ForbiddenByRbac | Cause::Forbidden => permit(role),
        Cause::ForbiddenByFirewall => {
            "allow the cluster's subnet or outgoing address in the vault's firewall, or use a \
             private endpoint"
        }
        Cause::SecretDisabled | Cause::KeyDisabled => "enable it, or stop using it",
        Cause::NotFound => missing(role),
        Cause::Conflict => "recover it (az keyvault secret recover) or purge it",
        Cause::UnknownHost => "check the name in KEYVAULT_URL or AZURE_AUTHORITY_HOST",
        Cause::Unreachable => {
            "check the name of the host, network policies, private endpoints and HTTPS_PROXY"
        }
        Cause::Tls => "with a proxy that inspects TLS, KEYVAULT_CA_FILE must name its root",
        Cause::Rejected { .. } => "check KEYVAULT_URL and the names of secret and key",
        Cause::Throttled
        | Cause::Unavailable { .. }
        | Cause::Timeout
        | Cause::Malformed
        | Cause::Other => "",
    }
}

/// Ids of built-in roles are the same everywhere; names change with the language of the portal.
/// <https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security>
fn permit(role: Role) -> &'static str {
    match role {
        Role::SecretsUser => {
            "assign \"Key Vault Secrets User\" (4633458b-17de-408a-b874-0445c86b69e6) to the \
             identity at the secret, which takes some minutes to work"
        }
        Role::SecretsOfficer => {
            "assign \"Key Vault Secrets Officer\" (b86a8fe4-44ce-4948-aee5-eccb2c155cd7) to the \
             identity at the secret, which takes some minutes to work"
        }
        Role::CryptoUser => {
            "assign \"Key Vault Crypto Service Encryption User\" \
             (e147488a-f6f5-4113-8e2d-b22465e65bf6) to the identity at the key, which takes some \
             minutes to work"
        }
        Role::BlobReader => {
            "assign \"Storage Blob Data Reader\" (2a2b9908-6ea1-4ae2-8e65-a410df84e7d1) to the \
             identity at the container, which takes some minutes to work"
        }
        Role::BlobContributor => {
            "assign \"Storage Blob Data Contributor\" (ba92f5b4-2d11-453d-a403-e96b0029c9fe) to the \
             identity at the container, which takes some minutes to work"
        }
        Role::None => "assign a role to the identity",
    }
}

/// What helps with a storage account where it is something else than with a vault.
fn of_storage(cause: Cause, role: Role) -> Option<&'static str> {
    role.is_of_storage().then_some(())?;
    Some(match cause {
        Cause::Address | Cause::Rejected { .. } | Cause::Challenge => {
            "SEALANE_BLOB_CONTAINER_URL looks like \
             https://<account>.blob.core.windows.net/<container>"
        }
        Cause::Unauthorized => {
            "AZURE_TENANT_ID must be the tenant of the storage account, and the clock must be right"
        }
        Cause::ForbiddenByFirewall => {
            "allow the cluster's subnet in the storage account's firewall, or use a private endpoint"
        }
        Cause::NotFound => "create the container, or check SEALANE_BLOB_CONTAINER_URL",
        Cause::Conflict => "wait until the deletion of the container is over, or use another one",
        Cause::UnknownHost => {
            "check the name in SEALANE_BLOB_CONTAINER_URL or AZURE_AUTHORITY_HOST"
        }
        _ => return None,
    })
}

fn missing(role: Role) -> &'static str {
    match role {
        Role::CryptoUser => "check KEYVAULT_KEY_URI",
        _ => "check KEYVAULT_URL and KEYVAULT_SECRET_NAME",
    }
}

#[cfg(test)]
mod tests {
    const DOCUMENT: &str = include_str!("../../../docs/troubleshooting-keys.md");

    #[test]
    fn the_document_has_a_row_for_every_label() {
        let (_, labels) = include_str!("remedy.rs").split_once("fn label(").unwrap();
        let (labels, _) = labels.split_once("\n}").unwrap();
        let labels = labels.lines().filter_map(|line| line.split('"').nth(1));
        let labels: Vec<_> = labels.collect();

        assert!(labels.len() > 20, "the labels were not found: {labels:?}");
        for label in labels {
            assert!(DOCUMENT.contains(&format!("\n| `{label}` | `")), "{label}");
        }
    }
}
