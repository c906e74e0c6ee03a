//! The settings piece by piece, for whoever has to say what is wrong with them.

use std::{ffi::OsString, path::Path};

use super::{
    encryption::{self, Encryption},
    key_vault::{self, Azure, Envelope, KeyVault},
    large_payloads::{self, LargePayloads},
    temporal::{self, Temporal},
    values::{Noted, Values},
};

/// The pieces that can be used, whatever is wrong with others. What is wrong is
/// [`Settings::load`](super::Settings::load)'s to say, and nothing but a diagnosis should go on
/// with less than all of them.
#[derive(Clone, Debug)]
pub struct Parts {
    /// How to reach the Temporal service. Its `deployment` is always `None`.
    pub temporal: Option<Temporal>,
    /// Whether and how payloads are encrypted, with the next four in it.
    pub encryption: Option<Encryption>,
    /// The secret that holds the keys, if one is configured.
    pub key_vault: Option<KeyVault>,
    /// What wraps data keys, if anything does.
    pub envelope: Option<Envelope>,
    /// Where large payloads are kept, if anywhere.
    pub large_payloads: Option<LargePayloads>,
    /// As whom to ask Azure, whether or not anything else needs it.
    pub azure: Option<Azure>,
}

impl Parts {
    /// Reads what can be used. Takes what [`Settings::load`](super::Settings::load) takes.
    pub fn read(config: Option<&Path>, env: impl Fn(&str) -> Option<OsString>) -> Self {
        let values = &mut Values::collect(config, &env);
        Self {
            temporal: temporal::connection(values).ok(),
            encryption: encryption::read(values).ok(),
            key_vault: usable(key_vault::key_vault(values)),
            envelope: usable(key_vault::envelope(values)),
            large_payloads: usable(large_payloads::read(values, true)),
            azure: usable(key_vault::azure(values, true)),
        }
    }
}

fn usable<T>(piece: Result<Option<T>, Noted>) -> Option<T> {
    piece.ok().flatten()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::Parts;

    fn parts(variables: &[(&str, &str)]) -> Parts {
        Parts::read(None, |name| {
            let mut variables = variables.iter();
            let found = variables.find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn temporal_can_be_reached_without_knowing_which_version_this_is() {
        let parts = parts(&[("TEMPORAL_WORKER_BUILD_ID", "1")]);

        assert_eq!(parts.temporal.unwrap().address, "localhost:7233");
    }

    #[test]
    fn what_is_wrong_with_one_piece_leaves_the_others_usable() {
        let parts = parts(&[
            ("TEMPORAL_ADDRESS", "nowhere"),
            ("KEYVAULT_URL", "https://unit.vault.azure.net"),
            ("KEYVAULT_SECRET_NAME", "payload-key"),
            ("SEALANE_AZURE_CREDENTIAL", "managed"),
            ("SEALANE_KEY_MODE", "both"),
        ]);

        assert!(parts.temporal.is_none());
        assert_eq!(parts.encryption, None);
        assert_eq!(parts.key_vault.unwrap().secret, "payload-key");
        assert_eq!(parts.envelope, None);
        assert!(parts.azure.is_some());
    }
}
