//! What is counted against the limits of a payload: the bytes of metadata and data, and the entries of lists.

use std::{collections::HashMap, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Visitor},
};

use super::{super::binary, field::once};

/// Longest list within a payload, of metadata or of what is stored elsewhere. A handful is usual. An entry of
/// a few characters takes a hundred bytes of memory.
pub(crate) const MAX_ENTRIES: usize = 64;

/// How much more one payload may hold.
pub(super) struct Room {
    left: usize,
    pub(super) exceeded: Option<Bound>,
}

/// What there may be too much of.
#[derive(Clone, Copy)]
pub(super) enum Bound {
    Bytes,
    Entries,
}

impl Room {
    pub(super) fn of(limit: usize) -> Self {
        Self {
            left: limit,
            exceeded: None,
        }
    }

    fn take<E: Error>(&mut self, len: usize) -> Result<(), E> {
        match self.left.checked_sub(len) {
            Some(left) => self.left = left,
            None => return Err(self.exceed(Bound::Bytes)),
        }
        Ok(())
    }

    /// Counts an entry after the first `entries`.
    pub(super) fn count<E: Error>(&mut self, entries: usize) -> Result<(), E> {
        match entries < MAX_ENTRIES {
            true => Ok(()),
            false => Err(self.exceed(Bound::Entries)),
        }
    }

    fn exceed<E: Error>(&mut self, bound: Bound) -> E {
        self.exceeded = Some(bound);
        E::custom("too much")
    }
}

/// Metadata: names with bytes, or `null` for none.
pub(super) struct Metadata<'a>(pub(super) &'a mut Room);

impl<'de> DeserializeSeed<'de> for Metadata<'_> {
    type Value = HashMap<String, Vec<u8>>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Metadata<'_> {
    type Value = HashMap<String, Vec<u8>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("metadata")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(HashMap::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut metadata = HashMap::new();
        while let Some(name) = map.next_key::<String>()? {
            self.0.count(metadata.len())?;
            self.0.take(name.len())?;
            let value = map.next_value_seed(Binary(self.0))?;
            once(&mut metadata.insert(name, value).is_some())?;
        }
        Ok(metadata)
    }
}

/// Bytes, or `null` for none.
pub(super) struct Binary<'a>(pub(super) &'a mut Room);

impl<'de> DeserializeSeed<'de> for Binary<'_> {
    type Value = Vec<u8>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Vec<u8>, D::Error> {
        json.deserialize_any(self)
    }
}

impl Visitor<'_> for Binary<'_> {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64")
    }

    fn visit_unit<E: Error>(self) -> Result<Vec<u8>, E> {
        Ok(Vec::new())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
        // What is certainly too large is not decoded first.
        if binary::at_least(text.len()) > self.0.left {
            return self.0.take(usize::MAX).map(|()| Vec::new());
        }
        let bytes = binary::decode(text.as_bytes());
        let bytes = bytes.map_err(|_| E::custom("not base64"))?;
        self.0.take(bytes.len())?;
        Ok(bytes)
    }
}
