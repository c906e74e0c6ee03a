//! One payload.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::{
    Reader,
    external::External,
    field::{Field, once},
    room::{Binary, Metadata, Room},
};

/// The next payload of a reader.
pub(super) struct One<'a, 'b>(pub(super) &'a mut Reader<'b>);

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

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Payload, A::Error> {
        let mut room = Room::of(self.0.limit);
        let payload = fields(map, &mut room);
        if let Some(bound) = room.exceeded {
            self.0.too_much(bound);
        }
        payload
    }
}

fn fields<'de, A: MapAccess<'de>>(mut map: A, room: &mut Room) -> Result<Payload, A::Error> {
    let mut payload = Payload::default();
    let (mut metadata, mut data, mut external) = (false, false, false);
    while let Some(name) = map.next_key()? {
        match name {
            Field::Metadata => {
                once(&mut metadata)?;
                payload.metadata = map.next_value_seed(Metadata(room))?;
            }
            Field::Data => {
                once(&mut data)?;
                payload.data = map.next_value_seed(Binary(room))?;
            }
            Field::ExternalPayloads => {
                once(&mut external)?;
                payload.external_payloads = map.next_value_seed(External(room))?;
            }
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
    }
    Ok(payload)
}
