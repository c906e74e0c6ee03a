//! The operations that the fake knows, and the roles that allow them.

/// An operation of Entra, of the vault, or of the proxy before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// A tunnel that the proxy refused; those it opened are not recorded.
    Connect,
    /// Entra: exchange of an assertion for a token.
    Token,
    /// Entra: what clients ask before their first exchange, if they ask.
    Discovery,
    /// The value of a version, or of the latest.
    GetSecret,
    /// The versions of one secret, without values.
    ListVersions,
    /// The secrets of the vault, without values.
    ListSecrets,
    /// A new version.
    SetSecret,
    /// Attributes and tags of a version.
    UpdateSecret,
    /// The public half of a key.
    GetKey,
    /// The versions of one key.
    ListKeyVersions,
    /// A new version of a key.
    CreateKey,
    /// Wrap under a key.
    Wrap,
    /// Unwrap with a key.
    Unwrap,
    /// Encrypt under a key.
    Encrypt,
    /// Decrypt with a key.
    Decrypt,
    /// Anything else.
    Unknown,
}

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The token endpoint.
    Entra,
    /// The vault.
    Vault,
}

/// A role of Azure that the worker's identity may have in the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Key Vault Secrets User: get and list.
    SecretsUser,
    /// Key Vault Secrets Officer: everything with secrets.
    SecretsOfficer,
    /// Key Vault Crypto Service Encryption User: read, wrap and unwrap.
    CryptoServiceEncryptionUser,
    /// Key Vault Crypto User: everything with keys but to make them.
    CryptoUser,
    /// Key Vault Crypto Officer: everything with keys.
    CryptoOfficer,
}

impl Endpoint {
    /// What `method` does at the path of these `segments`.
    pub(super) fn of(side: Side, method: &str, segments: &[&str]) -> Self {
        match side {
            Side::Entra => Self::of_entra(method, segments),
            Side::Vault => Self::of_vault(method, segments),
        }
    }

    fn of_entra(method: &str, segments: &[&str]) -> Self {
        match (method, segments) {
            ("POST", [_, "oauth2", "v2.0", "token"]) => Self::Token,
            ("GET", [_, "v2.0", ".well-known", "openid-configuration"])
            | ("GET", ["common", "discovery", "instance"]) => Self::Discovery,
            _ => Self::Unknown,
        }
    }

    fn of_vault(method: &str, segments: &[&str]) -> Self {
        match (method, segments) {
            ("GET", ["secrets"]) => Self::ListSecrets,
            ("GET", ["secrets", _, "versions"]) => Self::ListVersions,
            ("GET", ["secrets", _] | ["secrets", _, _]) => Self::GetSecret,
            ("PUT", ["secrets", _]) => Self::SetSecret,
            ("PATCH", ["secrets", _] | ["secrets", _, _]) => Self::UpdateSecret,
            ("GET", ["keys", _, "versions"]) => Self::ListKeyVersions,
            ("GET", ["keys", _] | ["keys", _, _]) => Self::GetKey,
            ("POST", ["keys", _, "create"]) => Self::CreateKey,
            ("POST", ["keys", _, operation] | ["keys", _, _, operation]) => {
                Self::of_key_operation(operation)
            }
            _ => Self::Unknown,
        }
    }

    fn of_key_operation(operation: &str) -> Self {
        match operation {
            "wrapkey" => Self::Wrap,
            "unwrapkey" => Self::Unwrap,
            "encrypt" => Self::Encrypt,
            "decrypt" => Self::Decrypt,
            _ => Self::Unknown,
        }
    }

    pub(super) fn is_vault(self) -> bool {
        !matches!(self, Self::Connect | Self::Token | Self::Discovery)
    }

    /// The action of Azure's roles that allows it.
    pub(super) fn action(self) -> &'static str {
        match self {
            Self::GetSecret => "secrets/getSecret/action",
            Self::ListVersions | Self::ListSecrets => "secrets/readMetadata/action",
            Self::SetSecret => "secrets/setSecret/action",
            Self::UpdateSecret => "secrets/update/action",
            Self::GetKey | Self::ListKeyVersions => "keys/read",
            Self::CreateKey => "keys/create/action",
            Self::Wrap => "keys/wrap/action",
            Self::Unwrap => "keys/unwrap/action",
            Self::Encrypt => "keys/encrypt/action",
            Self::Decrypt => "keys/decrypt/action",
            Self::Connect | Self::Token | Self::Discovery | Self::Unknown => "none",
        }
    }

    /// The word of Key Vault's messages.
    pub(super) fn operation(self) -> &'static str {
        match self {
            Self::Wrap => "wrapKey",
            Self::Unwrap => "unwrapKey",
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            _ => "get",
        }
    }

    pub(super) fn is_of_keys(self) -> bool {
        self.action().starts_with("keys/")
    }
}

impl Side {
    /// Who answers to `host`; none if nobody does.
    pub(super) fn of(host: &str) -> Option<Self> {
        match host {
            super::VAULT_HOST => Some(Self::Vault),
            super::AUTHORITY_HOST | super::TEST_AUTHORITY_HOST => Some(Self::Entra),
            _ => None,
        }
    }
}

impl Role {
    pub(super) fn allows(self, endpoint: Endpoint) -> bool {
        use Endpoint::{
            GetKey, GetSecret, ListKeyVersions, ListSecrets, ListVersions, Unwrap, Wrap,
        };
        match self {
            Self::SecretsUser => matches!(endpoint, GetSecret | ListVersions | ListSecrets),
            Self::SecretsOfficer => endpoint.action().starts_with("secrets/"),
            Self::CryptoServiceEncryptionUser => {
                matches!(endpoint, GetKey | ListKeyVersions | Wrap | Unwrap)
            }
            Self::CryptoUser => endpoint.is_of_keys() && endpoint != Endpoint::CreateKey,
            Self::CryptoOfficer => endpoint.is_of_keys(),
        }
    }
}
