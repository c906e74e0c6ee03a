//! Details of what is stored elsewhere. The payload refers to it; nobody here fetches it.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, SeqAccess, Visitor},
};
use temporalio_common::protos::temporal::api::common::v1::payload::ExternalPayloadDetails;

use super::room::Room;

/// A list of them, or `null` for none.
pub(super) struct External<'a>(pub(super) &'a mut Room);

impl<'de> DeserializeSeed<'de> for External<'_> {
    type Value = Vec<ExternalPayloadDetails>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for External<'_> {
    type Value = Vec<ExternalPayloadDetails>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("details of external payloads")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(details) = list.next_element::<Details>()? {
            self.0.count(all.len())?;
            let size_bytes = details.size_bytes.0;
            all.push(ExternalPayloadDetails { size_bytes });
        }
        Ok(all)
    }
}

#[derive(Deserialize)]
struct Details {
    #[serde(default, rename = "sizeBytes", alias = "size_bytes")]
    size_bytes: Int64,
}

/// A 64-bit number: a text, because not every JSON parser keeps so many digits, or a number, or `null`.
#[derive(Default)]
struct Int64(i64);

impl<'de> Deserialize<'de> for Int64 {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(Written)
    }
}

/// Reads what is there as it comes, because an untagged enum would keep all of it to try its variants on.
struct Written;

impl Visitor<'_> for Written {
    type Value = Int64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a 64-bit number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Int64, E> {
        Ok(Int64(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Int64, E> {
        i64::try_from(number).map(Int64).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Int64, E> {
        text.parse().map(Int64).map_err(E::custom)
    }

    fn visit_unit<E: Error>(self) -> Result<Int64, E> {
        Ok(Int64(0))
    }
}
