//! Who this process is to Azure.

use std::path::PathBuf;

use url::Url;

/// Where the identity comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CredentialKind {
    /// The pod's service account, federated with an identity of Azure.
    Workload,
    /// The managed identity of the machine.
    Managed,
    /// Whoever is signed in with `az` or `azd`.
    Developer,
}

/// What the workload identity webhook of AKS injects into a pod.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WorkloadIdentity {
    /// Tenant of the identity, from `AZURE_TENANT_ID`.
    pub tenant_id: String,

    /// Client id of the identity, from `AZURE_CLIENT_ID`.
    pub client_id: String,

    /// The service account's token, from `AZURE_FEDERATED_TOKEN_FILE`. It is read anew for each
    /// exchange, because the kubelet rewrites it.
    pub token_file: PathBuf,

    /// Where tokens are exchanged, from `AZURE_AUTHORITY_HOST`. Must be https.
    pub authority_host: Url,
}

/// Who this process is to Azure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Identity {
    /// The pod's service account, federated with an identity of Azure.
    Workload(WorkloadIdentity),

    /// The managed identity of the machine.
    Managed {
        /// Client id of a user-assigned identity, `None` for the one the machine has itself.
        client_id: Option<String>,
    },

    /// Whoever is signed in with `az` or `azd`.
    Developer,
}

impl Identity {
    /// Where it comes from.
    #[must_use]
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::Workload(_) => CredentialKind::Workload,
            Self::Managed { .. } => CredentialKind::Managed,
            Self::Developer => CredentialKind::Developer,
        }
    }
}
