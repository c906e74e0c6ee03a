//! Reading: a serde visitor that hands over each payload as soon as it is complete.

mod external;

use std::{collections::HashMap, fmt, ops::ControlFlow};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::error::Category;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use self::external::External;
use super::binary;

/// Why a body was not read to its end. Quotes nothing of it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Unread {
    /// It is no text.
    #[error("the body is not UTF-8")]
    NotText,
    /// It is no JSON.
    #[error("the body is not JSON: {problem} at line {line} column {column}")]
    NotJson {
        /// Kind of mistake.
        problem: &'static str,
        /// Line of the mistake, from 1.
        line: usize,
        /// Column of the mistake, from 1.
        column: usize,
    },
    /// It is JSON of something else.
    #[error(
        "the body is not a temporal.api.common.v1.Payloads in proto3 JSON: \
         unexpected value at line {line} column {column}"
    )]
    NotPayloads {
        /// Line of the mistake, from 1.
        line: usize,
        /// Column of the mistake, from 1.
        column: usize,
    },
    /// One payload is too large.
    #[error("payload {index} is larger than {limit} bytes")]
    TooLarge {
        /// Its place, from 0.
        index: usize,
        /// The limit.
        limit: usize,
    },
    /// Whoever took the payloads wants no more.
    #[error("stopped")]
    Stopped,
}

/// Hands each payload of `json` to `take`, in order, until that breaks off.
///
/// `limit` holds for the metadata and data of one payload together.
///
/// # Errors
///
/// As the variants of [`Unread`] say. Some payloads may have been taken by then.
pub(crate) fn each_payload(
    json: &[u8],
    limit: usize,
    take: &mut dyn FnMut(Payload) -> ControlFlow<()>,
) -> Result<(), Unread> {
    let mut reader = Reader {
        limit,
        index: 0,
        ended: None,
        take,
    };
    // Checked for all of it, because the parser would not look at what it skips.
    let text = str::from_utf8(json).map_err(|_| Unread::NotText)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Document(&mut reader).deserialize(&mut json);
    let read = read.and_then(|()| json.end());
    read.map_err(|error| reader.ended.unwrap_or_else(|| unread(&error)))
}

/// Keeps the place and drops the message, which may quote what stands there.
fn unread(error: &serde_json::Error) -> Unread {
    let (line, column) = (error.line(), error.column());
    let problem = match error.classify() {
        Category::Data => return Unread::NotPayloads { line, column },
        Category::Eof => "unexpected end",
        Category::Syntax | Category::Io => "syntax error",
    };
    Unread::NotJson {
        problem,
        line,
        column,
    }
}

struct Reader<'a> {
    limit: usize,
    index: usize,
    /// Set before an error that serde has no words for.
    ended: Option<Unread>,
    take: &'a mut dyn FnMut(Payload) -> ControlFlow<()>,
}

impl Reader<'_> {
    fn hand_over<E: Error>(&mut self, payload: Payload) -> Result<(), E> {
        self.index += 1;
        if (self.take)(payload).is_break() {
            self.ended = Some(Unread::Stopped);
            return Err(E::custom("stopped"));
        }
        Ok(())
    }

    fn too_large(&mut self) {
        self.ended = Some(Unread::TooLarge {
            index: self.index,
            limit: self.limit,
        });
    }
}

/// The whole text: an object with a list of payloads.
struct Document<'a, 'b>(&'a mut Reader<'b>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("payloads")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = false;
        while let Some(name) = map.next_key()? {
            match name {
                Field::Payloads => {
                    once(&mut seen)?;
                    map.next_value_seed(List(self.0))?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// The names of all fields there are; no two messages use one for different things.
enum Field {
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
fn once<E: Error>(seen: &mut bool) -> Result<(), E> {
    if std::mem::replace(seen, true) {
        return Err(E::custom("repeated field"));
    }
    Ok(())
}

/// The list of payloads, or `null` for none.
struct List<'a, 'b>(&'a mut Reader<'b>);

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of payloads")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(payload) = list.next_element_seed(One(self.0))? {
            self.0.hand_over(payload)?;
        }
        Ok(())
    }
}

/// One payload.
struct One<'a, 'b>(&'a mut Reader<'b>);

impl<'de> DeserializeSeed<'de> for One<'_, '_> {
    type Value = Payload;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Payload, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for One<'_, '_> {
    type Value = Payload;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a payload")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Payload, A::Error> {
        let mut payload = Payload::default();
        let mut room = Room::of(self.0.limit);
        let (mut metadata, mut data, mut external) = (false, false, false);
        let read: Result<(), A::Error> = (|| {
            while let Some(name) = map.next_key()? {
                match name {
                    Field::Metadata => {
                        once(&mut metadata)?;
                        payload.metadata = map.next_value_seed(Metadata(&mut room))?;
                    }
                    Field::Data => {
                        once(&mut data)?;
                        payload.data = map.next_value_seed(Binary(&mut room))?;
                    }
                    Field::ExternalPayloads => {
                        once(&mut external)?;
                        payload.external_payloads = External::of(map.next_value()?);
                    }
                    _ => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(())
        })();
        if room.exceeded {
            self.0.too_large();
        }
        read.map(|()| payload)
    }
}

/// How much more one payload may hold.
struct Room {
    left: usize,
    exceeded: bool,
}

impl Room {
    fn of(limit: usize) -> Self {
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
struct Metadata<'a>(&'a mut Room);

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
struct Binary<'a>(&'a mut Room);

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
