//! Names of fields.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// The names of all fields there are; no two messages use one for different things.
pub(super) enum Field {
    Payloads,
    Metadata,
    Data,
    ExternalPayloads,
    Unknown,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Field;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Field, E> {
                Ok(match name {
                    "payloads" => Field::Payloads,
                    "metadata" => Field::Metadata,
                    "data" => Field::Data,
                    "externalPayloads" | "external_payloads" => Field::ExternalPayloads,
                    _ => Field::Unknown,
                })
            }
        }
        json.deserialize_identifier(Name)
    }
}

/// The same field twice leaves open which one is meant.
pub(super) fn once<E: Error>(seen: &mut bool) -> Result<(), E> {
    if std::mem::replace(seen, true) {
        return Err(E::custom("repeated field"));
    }
    Ok(())
}
