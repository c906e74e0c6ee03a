//! Why a call to Azure failed.

use std::{fmt, time::Duration};

use super::{aadsts, classify, remedy};

/// Why a call to Azure failed, in one line that names what was tried, what stood in the way and
/// what helps. Holds no token and nothing of a secret.
#[derive(Clone, Debug)]
pub struct AzureError {
    pub(super) doing: String,
    pub(super) role: Role,
    pub(super) cause: Cause,
    pub(super) said: Option<String>,
    pub(super) token_from: Option<String>,
}

/// What stood in the way. [`AzureError`] puts it into words, with the remedy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Cause {
    /// The settings describe no identity that could be used.
    Identity,
    /// The root certificates cannot be used.
    Certificates,
    /// The settings name nothing that a vault could have.
    Address,
    /// The service account token cannot be read.
    TokenFile,
    /// Entra refuses to exchange the token.
    Exchange {
        /// The number behind `AADSTS`, if Entra gave one.
        aadsts: Option<u32>,
    },
    /// The machine has no such managed identity, or its endpoint is out of reach.
    ManagedIdentity,
    /// Neither `az` nor `azd` gives a token.
    DeveloperTools,
    /// The service does not accept the token.
    Unauthorized,
    /// The address belongs to something else than a Key Vault.
    Challenge,
    /// The identity has no role that permits this.
    ForbiddenByRbac,
    /// The vault's firewall does not let this address in.
    ForbiddenByFirewall,
    /// This version of the secret is disabled.
    SecretDisabled,
    /// This version of the key is disabled.
    KeyDisabled,
    /// Refused for another reason.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// A deleted thing of that name is in the way.
    Conflict,
    /// The service takes the request for a bad one.
    Rejected {
        /// HTTP status.
        status: u16,
    },
    /// Too many requests.
    Throttled,
    /// The service has a problem of its own.
    Unavailable {
        /// HTTP status.
        status: u16,
    },
    /// No such host.
    UnknownHost,
    /// No connection, or a broken one.
    Unreachable,
    /// The other side's certificate is not trusted.
    Tls,
    /// No answer in time.
    Timeout,
    /// The answer is not what the API promises.
    Malformed,
    /// Something the SDK does not explain.
    Other,
}

/// What a call is for: how to say it, and which role permits it.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    doing: String,
    role: Role,
}

/// The least role that permits an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// None is needed.
    None,
    /// Reading secrets.
    SecretsUser,
    /// Writing secrets.
    SecretsOfficer,
    /// Wrapping and unwrapping with keys.
    CryptoUser,
    /// Reading blobs.
    BlobReader,
    /// Reading and writing blobs.
    BlobContributor,
}

impl Role {
    /// Whether it is one of a storage account, and not of a vault.
    pub(crate) fn is_of_storage(self) -> bool {
        matches!(self, Self::BlobReader | Self::BlobContributor)
    }
}

impl Operation {
    /// `doing` completes "cannot …".
    pub(crate) fn new(doing: String, role: Role) -> Self {
        Self { doing, role }
    }
}

impl AzureError {
    pub(crate) fn new(operation: &Operation, error: &azure_core::Error) -> Self {
        let found = classify::classify(error);
        Self {
            doing: operation.doing.clone(),
            role: operation.role,
            cause: found.cause,
            said: found.said,
            token_from: found.token_from,
        }
    }

    /// An error that did not come from the SDK.
    pub(crate) fn of(operation: &Operation, cause: Cause, said: String) -> Self {
        Self {
            doing: operation.doing.clone(),
            role: operation.role,
            cause,
            said: Some(said),
            token_from: None,
        }
    }

    pub(crate) fn timed_out(operation: &Operation, limit: Duration) -> Self {
        Self::of(operation, Cause::Timeout, format!("waited {limit:?}"))
    }

    /// What stood in the way.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// The cause as a label of a metric.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        remedy::label(self.cause)
    }

    /// What was tried and what stood in the way, without what helps.
    #[must_use]
    pub fn story(&self) -> String {
        fmt::from_fn(|f| self.tell(f)).to_string()
    }

    /// What helps; empty where only time does.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        remedy::remedy(self.cause, self.role)
    }

    fn tell(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: ", self.doing)?;
        if let Some(place) = &self.token_from {
            write!(f, "no token from {place}: ")?;
        }
        remedy::what(self.cause, f)?;
        match &self.said {
            Some(said) => write!(f, " ({said})"),
            None => Ok(()),
        }
    }

    /// Whether the same call may succeed a minute later, although nobody does anything.
    ///
    /// That includes refusals which Azure gives for a while after a role was assigned or a
    /// federated credential was created.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self.cause {
            Cause::Exchange { aadsts } => aadsts.is_some_and(aadsts::is_transient),
            Cause::ForbiddenByRbac
            | Cause::ForbiddenByFirewall
            | Cause::Throttled
            | Cause::Unavailable { .. }
            | Cause::Unreachable
            | Cause::Timeout
            | Cause::Malformed => true,
            _ => false,
        }
    }

    /// Whether Azure knows what is asked for, and does not let this identity have it.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self.cause,
            Cause::Exchange { .. }
                | Cause::ManagedIdentity
                | Cause::DeveloperTools
                | Cause::Unauthorized
                | Cause::ForbiddenByRbac
                | Cause::ForbiddenByFirewall
                | Cause::Forbidden
        )
    }

    /// Whether nobody gave a usable answer.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self.cause,
            Cause::Throttled
                | Cause::Unavailable { .. }
                | Cause::Unreachable
                | Cause::Timeout
                | Cause::Malformed
        )
    }
}

impl fmt::Display for AzureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tell(f)?;
        match self.remedy() {
            "" => Ok(()),
            remedy => write!(f, "; {remedy}"),
        }
    }
}

impl std::error::Error for AzureError {}
