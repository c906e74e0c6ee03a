//! What is counted against the limit of a payload: metadata and data.

use std::{collections::HashMap, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, Visitor},
};

use super::{super::binary, field::once};

/// How much more one payload may hold.
pub(super) struct Room {
    left: usize,
    pub(super) exceeded: bool,
}

impl Room {
    pub(super) fn of(limit: usize) -> Self {
        Self {
            left: limit,
            exceeded: false,
        }
    }

    fn take<E: Error>(&mut self, len: usize) -> Result<(), E> {
        match self.left.checked_sub(len) {
            Some(left) => self.left = left,
            None => {
                self.exceeded = true;
                return Err(E::custom("too large"));
            }
        }
        Ok(())
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
