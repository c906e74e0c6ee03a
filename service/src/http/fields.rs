//! The names of the fields of a type: what may be repeated to a caller, because it is ours.

use serde::{
    de::{DeserializeOwned, Deserializer, Error as _, Visitor},
    forward_to_deserialize_any,
};

type Names = &'static [&'static str];

/// Returns the names that a struct is read from; none for any other type.
pub(super) fn of<T: DeserializeOwned>() -> Names {
    let mut names: Names = &[];
    // It always fails, after it has seen the names.
    let _ = T::deserialize(Reader(&mut names));
    names
}

/// Reads nothing, and keeps what it is asked for.
struct Reader<'a>(&'a mut Names);

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = serde::de::value::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: Names,
        _: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        Err(Self::Error::custom("seen"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(Self::Error::custom("not a struct"))
    }

    // `Option<T>` and newtypes have the names of what is in them.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::of;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Card {
        #[expect(dead_code, reason = "only its name is read")]
        card_number: u64,
    }

    #[test]
    fn names_are_those_that_callers_write() {
        assert_eq!(of::<Card>(), ["cardNumber"]);
        assert_eq!(of::<Option<Card>>(), ["cardNumber"]);
        assert!(of::<String>().is_empty());
        assert!(of::<Vec<Card>>().is_empty());
    }
}
