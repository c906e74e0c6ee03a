//! The address of a key in Key Vault that wraps data keys.

use std::{fmt, str::FromStr};

use url::Url;

use crate::metadata::excerpt;

/// Scheme under which temporal-proxy, and so every payload, names a key in Key Vault.
const SCHEME: &str = "azurekeyvault";

/// The one algorithm in use. temporal-proxy lets a URI name another; we refuse those.
const ALGORITHM: &str = "algorithm=RSA-OAEP-256";

/// Longest name and version that Key Vault gives to anything.
const MAX_NAME: usize = 127;

/// A key in Key Vault, or one version of it.
///
/// Two are equal if they mean the same key and version, however they are written: `https` and
/// `azurekeyvault` are the same scheme here, and Key Vault does not distinguish the case of names.
#[derive(Clone)]
pub struct KeyUri {
    text: String,
    vault: Url,
    name: String,
    version: Option<String>,
}

/// Why something is not the address of a key in Key Vault.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{given} is no key in Key Vault: {problem}, expected \
     https://VAULT.vault.azure.net/keys/NAME or https://VAULT.vault.azure.net/keys/NAME/VERSION"
)]
#[non_exhaustive]
pub struct KeyUriError {
    /// What was given, quoted.
    pub given: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl KeyUri {
    /// The URI as payloads name it, `azurekeyvault://VAULT/keys/NAME[/VERSION]`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The vault the key is in.
    #[must_use]
    pub fn vault(&self) -> &Url {
        &self.vault
    }

    /// The key's name, in lower case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version, if the URI pins one.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Whether both name versions of one key.
    pub(super) fn same_key(&self, other: &Self) -> bool {
        self.vault == other.vault && self.name == other.name
    }

    fn parse(given: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = given.split_once("://").ok_or("it has no scheme")?;
        if ![SCHEME, "https"].contains(&scheme) {
            return Err("its scheme is another");
        }
        let url = Url::parse(&format!("https://{rest}")).map_err(|_| "it is no URL")?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err("it has more parts than such an address");
        }
        if url.query().is_some_and(|query| query != ALGORITHM) {
            return Err("its query asks for something else than algorithm=RSA-OAEP-256");
        }
        let (name, version) = key_of(&url)?;
        Ok(Self {
            text: format!("{SCHEME}://{rest}"),
            vault: url.join("/").map_err(|_| "it is no URL")?,
            name,
            version,
        })
    }
}

/// Name and version in the path of `url`. They become parts of a request's path, and payloads
/// can choose them, so nothing passes that has a meaning there.
fn key_of(url: &Url) -> Result<(String, Option<String>), &'static str> {
    let segments: Vec<_> = url.path_segments().into_iter().flatten().collect();
    let (name, version) = match segments[..] {
        ["keys", name] => (name, None),
        ["keys", name, version] => (name, Some(version)),
        _ => return Err("its path is not /keys/NAME or /keys/NAME/VERSION"),
    };
    if !is_plain(name, "-") {
        return Err("its key name has other characters than letters, digits and dashes");
    }
    if version.is_some_and(|version| !is_plain(version, "")) {
        return Err("its version has other characters than letters and digits");
    }
    let version = version.map(str::to_ascii_lowercase);
    Ok((name.to_ascii_lowercase(), version))
}

fn is_plain(part: &str, others: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    (1..=MAX_NAME).contains(&part.len()) && part.chars().all(plain)
}

impl FromStr for KeyUri {
    type Err = KeyUriError;

    fn from_str(given: &str) -> Result<Self, KeyUriError> {
        Self::parse(given).map_err(|problem| KeyUriError {
            given: excerpt(given.as_bytes()),
            problem,
        })
    }
}

impl PartialEq for KeyUri {
    fn eq(&self, other: &Self) -> bool {
        self.same_key(other) && self.version == other.version
    }
}

impl Eq for KeyUri {}

impl fmt::Display for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyUri").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::KeyUri;

    fn uri(given: &str) -> KeyUri {
        given.parse().unwrap()
    }

    #[test]
    fn either_scheme_names_the_same_key() {
        let https = uri("https://Unit.vault.azure.net/keys/Payload-KEK/0a1b");
        let proxy = uri("azurekeyvault://unit.vault.azure.net/keys/payload-kek/0A1B");

        assert_eq!(https, proxy);
        assert_eq!(https.vault().as_str(), "https://unit.vault.azure.net/");
        assert_eq!(
            (https.name(), https.version()),
            ("payload-kek", Some("0a1b"))
        );
        assert_ne!(https, uri("https://unit.vault.azure.net/keys/payload-kek"));
        assert_ne!(
            https,
            uri("https://other.vault.azure.net/keys/payload-kek/0a1b")
        );
    }

    #[test]
    fn payloads_name_the_key_as_temporal_proxy_is_told_it() {
        for (given, named) in [
            (
                "https://unit.vault.azure.net/keys/kek/0a1b",
                "azurekeyvault://unit.vault.azure.net/keys/kek/0a1b",
            ),
            (
                "azurekeyvault://unit.vault.azure.net/keys/kek?algorithm=RSA-OAEP-256",
                "azurekeyvault://unit.vault.azure.net/keys/kek?algorithm=RSA-OAEP-256",
            ),
        ] {
            assert_eq!(uri(given).as_str(), named);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_in_one_line_that_says_why() {
        for (given, problem) in [
            ("", "no scheme"),
            ("unit.vault.azure.net/keys/kek", "no scheme"),
            ("http://unit.vault.azure.net/keys/kek", "scheme is another"),
            ("awskms://arn", "scheme is another"),
            ("https://", "no URL"),
            ("https://unit.vault.azure.net", "path"),
            ("https://unit.vault.azure.net/secrets/kek", "path"),
            ("https://unit.vault.azure.net/keys/kek/0a1b/more", "path"),
            ("https://unit.vault.azure.net/keys/", "key name"),
            ("https://unit.vault.azure.net/keys/a%2fb", "key name"),
            ("https://unit.vault.azure.net/keys/kek/", "version"),
            ("https://unit.vault.azure.net/keys/kek/..%2f", "version"),
            ("https://me:pw@unit.vault.azure.net/keys/kek", "parts"),
            ("https://unit.vault.azure.net/keys/kek#a", "parts"),
            (
                "azurekeyvault://unit.vault.azure.net/keys/kek?algorithm=RSA1_5",
                "algorithm",
            ),
        ] {
            let error = given.parse::<KeyUri>().unwrap_err().to_string();

            assert!(error.contains(problem), "{given}: {error}");
            assert!(
                error.starts_with(&format!("{given:?} is no key")),
                "{error}"
            );
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
