//! Details of what is stored elsewhere. The payload refers to it; nobody here fetches it.

use serde::{Deserialize, Deserializer, de};
use temporalio_common::protos::temporal::api::common::v1::payload::ExternalPayloadDetails;

#[derive(Deserialize)]
pub(super) struct External {
    #[serde(default, rename = "sizeBytes", alias = "size_bytes")]
    size_bytes: Int64,
}

impl External {
    /// `null` is an empty list.
    pub(super) fn of(list: Option<Vec<Self>>) -> Vec<ExternalPayloadDetails> {
        let list = list.unwrap_or_default().into_iter();
        list.map(|details| ExternalPayloadDetails {
            size_bytes: details.size_bytes.0,
        })
        .collect()
    }
}

/// A 64-bit number: a text, because not every JSON parser keeps so many digits, or a number, or `null`.
#[derive(Default)]
struct Int64(i64);

impl<'de> Deserialize<'de> for Int64 {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(i64),
            Text(String),
            Null(()),
        }
        match Written::deserialize(json)? {
            Written::Number(number) => Ok(Self(number)),
            Written::Text(text) => text.parse().map(Self).map_err(de::Error::custom),
            Written::Null(()) => Ok(Self(0)),
        }
    }
}
