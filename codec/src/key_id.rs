//! The public name of a key.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

/// Name of a key, never empty. It travels unencrypted in every payload sealed under that key.
///
/// Cloning is cheap: all clones share one string.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId(Arc<str>);

/// A key id must not be empty: nothing could tell such a key from a missing one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("key id is \"\", expected at least one character")]
#[non_exhaustive]
pub struct EmptyKeyId;

impl KeyId {
    /// The id as it stands in a payload's metadata.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for KeyId {
    type Error = EmptyKeyId;

    fn try_from(id: &str) -> Result<Self, EmptyKeyId> {
        match id {
            "" => Err(EmptyKeyId),
            id => Ok(Self(id.into())),
        }
    }
}

impl FromStr for KeyId {
    type Err = EmptyKeyId;

    fn from_str(id: &str) -> Result<Self, EmptyKeyId> {
        Self::try_from(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lets maps keyed by `KeyId` be searched with the text of an id.
impl Borrow<str> for KeyId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{EmptyKeyId, KeyId};

    #[test]
    fn an_empty_id_is_refused() {
        assert_eq!("".parse::<KeyId>(), Err(EmptyKeyId));
    }

    #[test]
    fn an_id_prints_as_it_was_given() {
        let id: KeyId = "payloads/2026-11".parse().unwrap();

        assert_eq!(id.to_string(), "payloads/2026-11");
        assert_eq!(id.as_str(), "payloads/2026-11");
    }
}
