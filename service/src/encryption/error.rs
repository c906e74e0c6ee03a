//! Why there is no usable key.

use sealane_codec::{
    azure::AzureError,
    envelope::{KeyUriError, StartError},
    file_source::FileSourceError,
    key_vault::LoadError,
};

use crate::exit::{self, ExitStatus};

/// Why there is no usable key, so that nothing may start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptionError {
    /// The key file is missing, unreadable or holds no usable key ring.
    #[error("SEALANE_KEY_FILE cannot be used: {0}; {remedy}", remedy = .0.remedy())]
    KeyFile(#[from] FileSourceError),

    /// No key source is configured although encryption is required.
    #[error(
        "no key is configured; set SEALANE_KEY_FILE (create one with `sealane keys generate`), KEYVAULT_URL or, to send plaintext, SEALANE_ENCRYPTION=off"
    )]
    NoKey,

    /// The legacy key id is not an id.
    #[error("SEALANE_LEGACY_KEY_ID is {id:?}, expected the id of a key in the key ring")]
    LegacyKey {
        /// The id as configured.
        id: String,
    },

    /// The extra certificate authority cannot be read.
    #[error("KEYVAULT_CA_FILE is {path:?}: {reason}, expected a readable PEM file")]
    CaFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A wrapping key is not named as one.
    #[error("KEYVAULT_KEY_URI: {0}")]
    KeyUri(#[from] KeyUriError),

    /// This process cannot be anybody towards Azure.
    #[error(transparent)]
    Azure(#[from] AzureError),

    /// The keys of the secret could not be loaded.
    #[error(transparent)]
    KeyVault(#[from] LoadError),

    /// No data key could be had.
    #[error(transparent)]
    DataKey(#[from] StartError),
}

impl ExitStatus for EncryptionError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Azure(error) => of_azure(error),
            Self::DataKey(StartError::Azure(error)) => of_azure(error),
            Self::DataKey(StartError::Entropy(_)) => exit::INTERNAL,
            Self::KeyVault(error) if error.is_refusal() => exit::REFUSED,
            Self::KeyVault(error) if error.is_unreachable() => exit::UNAVAILABLE,
            _ => exit::SETTINGS,
        }
    }
}

fn of_azure(error: &AzureError) -> u8 {
    if error.is_refusal() {
        exit::REFUSED
    } else if error.is_unreachable() {
        exit::UNAVAILABLE
    } else {
        exit::SETTINGS
    }
}

#[cfg(test)]
mod tests {
    use crate::exit::{self, ExitStatus};
    use sealane_codec::envelope::StartError;

    use super::EncryptionError;

    #[test]
    fn a_wrapping_key_that_is_none_is_for_the_settings_to_put_right() {
        let uri = "azurekeyvault://unit.vault.azure.net/keys/kek".to_owned();

        let error = EncryptionError::from(StartError::Unequal { uri });

        assert_eq!(error.exit_code(), exit::SETTINGS);
    }
}
