//! The fields of a record in the order of its type, which a map of `serde_json` would sort.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

/// Names and values of one record, in order.
pub(super) struct Fields(pub(super) Vec<(String, Value)>);

impl Fields {
    /// Takes `record` apart.
    ///
    /// # Errors
    ///
    /// If `record` does not serialise to a JSON object.
    pub(super) fn of(record: &impl Serialize) -> Result<Self, std::io::Error> {
        let text = serde_json::to_string(record)?;
        Ok(serde_json::from_str(&text)?)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let field = self.0.iter().find(|(key, _)| key == name);
        field.map(|(_, value)| value)
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}
