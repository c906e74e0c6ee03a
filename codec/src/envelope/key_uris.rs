//! The keys that wrap data keys here: one for new payloads, any number for old ones.

use std::str::FromStr;

use super::{KeyUri, KeyUriError};
use crate::metadata::excerpt;

/// The keys of `KEYVAULT_KEY_URI`, never empty: the first wraps, all unwrap.
///
/// No other key is ever asked for anything, whatever a payload says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyUris(Vec<KeyUri>);

/// Which versions may have wrapped a data key, of the one key that did.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Candidates {
    /// These, because the payload or the settings pin them.
    Pinned(Vec<String>),
    /// Any the vault knows.
    Any,
}

impl KeyUris {
    /// The key that wraps new data keys.
    #[must_use]
    pub fn wrapping(&self) -> &KeyUri {
        &self.0[0]
    }

    /// All keys, the wrapping one first.
    pub fn iter(&self) -> impl Iterator<Item = &KeyUri> {
        self.0.iter()
    }

    /// Which versions to try for a payload that names `named`; `None` if that key is not ours.
    ///
    /// A URI without version admits every version of its key. A payload without version, written
    /// before the settings were pinned, may be under any version they are pinned to.
    pub(super) fn candidates(&self, named: &KeyUri) -> Option<Candidates> {
        let ours: Vec<_> = self.iter().filter(|uri| uri.same_key(named)).collect();
        let every = ours.iter().any(|uri| uri.version().is_none());
        let pinned: Vec<_> = ours.iter().filter_map(|uri| uri.version()).collect();
        match named.version() {
            Some(version) if every || pinned.contains(&version) => {
                Some(Candidates::Pinned(vec![version.to_owned()]))
            }
            None if every => Some(Candidates::Any),
            None if !pinned.is_empty() => {
                let pinned = pinned.into_iter().map(str::to_owned);
                Some(Candidates::Pinned(pinned.collect()))
            }
            _ => None,
        }
    }

    /// All keys for an error message.
    pub(super) fn list(&self) -> String {
        let uris: Vec<_> = self.iter().map(KeyUri::as_str).collect();
        uris.join(",")
    }
}

impl From<KeyUri> for KeyUris {
    fn from(uri: KeyUri) -> Self {
        Self(vec![uri])
    }
}

/// Reads a list separated by commas, ignoring white space around each.
impl FromStr for KeyUris {
    type Err = KeyUriError;

    fn from_str(list: &str) -> Result<Self, KeyUriError> {
        let mut uris: Vec<KeyUri> = Vec::new();
        for given in list.split(',').map(str::trim) {
            let uri = given.parse()?;
            if uris.contains(&uri) {
                return Err(KeyUriError {
                    given: excerpt(given.as_bytes()),
                    problem: "it is in the list twice",
                });
            }
            uris.push(uri);
        }
        Ok(Self(uris))
    }
}

#[cfg(test)]
mod tests {
    use super::{Candidates, KeyUris};

    const KEK: &str = "https://unit.vault.azure.net/keys/kek";

    fn candidates(ours: &str, named: &str) -> Option<Candidates> {
        let ours: KeyUris = ours.replace("KEK", KEK).parse().unwrap();
        ours.candidates(&named.replace("KEK", KEK).parse().unwrap())
    }

    fn pinned(versions: &[&str]) -> Option<Candidates> {
        let versions = versions.iter().map(ToString::to_string);
        Some(Candidates::Pinned(versions.collect()))
    }

    #[test]
    fn a_payload_is_read_with_the_versions_it_and_the_settings_allow() {
        for (ours, named, expected) in [
            ("KEK", "KEK", Some(Candidates::Any)),
            ("KEK", "KEK/1", pinned(&["1"])),
            ("KEK/1", "KEK/1", pinned(&["1"])),
            ("KEK/1", "KEK/2", None),
            ("KEK/2,KEK/1", "KEK", pinned(&["2", "1"])),
            ("KEK/2,KEK", "KEK", Some(Candidates::Any)),
            ("KEK/2, KEK", "KEK/1", pinned(&["1"])),
            ("KEK", "https://evil.vault.azure.net/keys/kek", None),
            ("KEK", "https://unit.vault.azure.net/keys/other", None),
        ] {
            assert_eq!(candidates(ours, named), expected, "{ours} for {named}");
        }
    }

    #[test]
    fn lists_with_gaps_and_repetitions_are_refused() {
        for (list, problem) in [
            ("", "no scheme"),
            ("KEK,,KEK/1", "no scheme"),
            ("KEK,", "no scheme"),
            (
                "KEK/1,azurekeyvault://unit.vault.azure.net/keys/kek/1",
                "twice",
            ),
        ] {
            let error = list.replace("KEK", KEK).parse::<KeyUris>().unwrap_err();
            assert!(error.to_string().contains(problem), "{list}: {error}");
        }
    }
}
