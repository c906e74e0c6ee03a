//! Reading: a serde visitor that hands over each payload as soon as it is complete.

mod external;
mod field;
mod payload;
mod room;

use std::{fmt, ops::ControlFlow};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::error::Category;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use self::{
    field::{Field, once},
    payload::One,
    room::{Bound, MAX_ENTRIES},
};

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
    /// One payload has too many entries.
    #[error("payload {index} has more than {MAX_ENTRIES} entries in a list")]
    TooMany {
        /// Its place, from 0.
        index: usize,
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

    fn too_much(&mut self, bound: Bound) {
        let (index, limit) = (self.index, self.limit);
        self.ended = Some(match bound {
            Bound::Bytes => Unread::TooLarge { index, limit },
            Bound::Entries => Unread::TooMany { index },
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
