//! Entra's error codes that a worker meets, and what to do about them.
//!
//! [Microsoft's list](https://learn.microsoft.com/entra/identity-platform/reference-error-codes)
//! warns that codes change, so an unknown one is shown with Entra's own words.

/// Whether `code`, the number behind `AADSTS`, says that no federated credential of the identity
/// matches the token. Entra also says so for some seconds after one was created.
#[must_use]
pub fn is_no_match(code: u32) -> bool {
    // 70021 in general, 700211 for the issuer, 700212 for the audience, 700213 for the subject,
    // and a further digit for finer reasons.
    (0..4).any(|digits| code / 10u32.pow(digits) == 70_021)
}

/// Whether Entra may well accept the same request a minute later.
pub(super) fn is_transient(code: u32) -> bool {
    // 90033: a transient error of the directory.
    is_no_match(code) || code == 90_033
}

/// What to do about `code`.
pub(super) fn remedy(code: Option<u32>) -> &'static str {
    match code {
        Some(700_211) => {
            "set the issuer of the identity's federated credential to the cluster's OIDC issuer \
             (az aks show --query oidcIssuerProfile.issuerUrl)"
        }
        Some(700_212) => {
            "the federated credential and the token must both have the audience \
             api://AzureADTokenExchange"
        }
        Some(700_213) => {
            "set the subject of the identity's federated credential to \
             system:serviceaccount:<namespace>:<service account> of this pod"
        }
        Some(code) if is_no_match(code) => {
            "compare issuer, subject and audience of the identity's federated credential with the \
             token's; a new one takes some seconds to work"
        }
        Some(700_024) => {
            "the service account token has expired, or a clock is wrong: check that the kubelet \
             rewrites AZURE_FEDERATED_TOKEN_FILE"
        }
        Some(700_027) => {
            "Entra cannot verify the token's signature: check that the cluster's OIDC issuer is \
             reachable and that its keys are current"
        }
        Some(700_016) => {
            "AZURE_CLIENT_ID must be the client id (not the object id) of an identity in the tenant \
             AZURE_TENANT_ID"
        }
        Some(90_002) => "AZURE_TENANT_ID must be the id of the tenant that holds the identity",
        Some(500_011) => "this tenant has no Key Vault service: check AZURE_TENANT_ID",
        _ => "check AZURE_TENANT_ID, AZURE_CLIENT_ID and the identity's federated credential",
    }
}

/// Entra's description without the code before it and the ids behind it.
pub(super) fn essence(description: &str) -> &str {
    let end = description.find("Trace ID:").unwrap_or(description.len());
    let essence = &description[..end];
    match essence.split_once(": ") {
        Some((code, rest)) if code.starts_with("AADSTS") => rest,
        _ => essence,
    }
}

#[cfg(test)]
mod tests {
    use super::{essence, is_no_match, is_transient};

    #[test]
    fn codes_of_one_family_are_told_from_their_neighbours() {
        for code in [70_021, 700_211, 700_212, 700_213, 7_002_131] {
            assert!(is_no_match(code) && is_transient(code), "{code}");
        }
        for code in [70_022, 700_024, 700_221, 7_000_215, 7002, 0] {
            assert!(!is_no_match(code), "{code}");
        }
    }

    #[test]
    fn the_essence_is_what_stands_between_the_code_and_the_ids() {
        let text = "AADSTS700213: no match: a\r\nTrace ID: 1\r\nCorrelation ID: 2";

        assert_eq!(essence(text).trim(), "no match: a");
        assert_eq!(essence("sorry: busy"), "sorry: busy");
    }
}
