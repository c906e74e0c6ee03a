//! A key ring as text: `{"active": "<id>", "keys": {"<id>": "<base64>"}}`.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, error::Category};
use zeroize::Zeroizing;

use super::KeyRing;
use crate::{Key, KeyId, KeyRingError};

/// Longest base64 of a key, with the punctuation around it.
const ENTRY_LEN: usize = 50;

impl KeyRing {
    /// Reads a ring as [`to_json`](Self::to_json) writes it.
    ///
    /// # Errors
    ///
    /// [`KeyRingError::Json`] if `text` has another shape, [`KeyRingError::EmptyId`] and
    /// [`KeyRingError::Key`] if an entry is unusable, and the errors of [`new`](Self::new).
    pub fn from_json(text: &str) -> Result<Self, KeyRingError> {
        let ring: RingText = serde_json::from_str(text).map_err(|error| json_error(&error))?;
        let keys = ring.keys.0.iter().map(|(id, key)| {
            let id = parse_id(id)?;
            match Key::from_base64(key) {
                Ok(key) => Ok((id, key)),
                Err(reason) => Err(KeyRingError::Key { id, reason }),
            }
        });
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        Self::new(parse_id(&ring.active)?, keys)
    }

    /// Writes the ring out, keys included, on one line. Wiped from memory when dropped.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<String> {
        let ids: usize = self.ids().map(|id| quoted(id).len()).sum();
        let room = 2 * ids + ENTRY_LEN * (self.keys.len() + 1);
        // Growing would leave the keys written so far in freed memory.
        let mut json = Zeroizing::new(String::with_capacity(room));
        json.push_str("{\"active\":");
        json.push_str(&quoted(&self.active));
        json.push_str(",\"keys\":");
        for (index, (id, key)) in self.keys.iter().enumerate() {
            json.push(if index == 0 { '{' } else { ',' });
            json.push_str(&quoted(id));
            json.push_str(":\"");
            key.write_base64(&mut json);
            json.push('"');
        }
        json.push_str("}}");
        json
    }
}

fn quoted(id: &KeyId) -> String {
    Value::from(id.as_str()).to_string()
}

fn parse_id(id: &str) -> Result<KeyId, KeyRingError> {
    id.parse().map_err(|_| KeyRingError::EmptyId)
}

/// Keeps the place of the mistake only: the parser's own message quotes the text.
fn json_error(error: &serde_json::Error) -> KeyRingError {
    KeyRingError::Json {
        problem: match error.classify() {
            Category::Data => "JSON of another shape",
            Category::Eof => "JSON that breaks off",
            Category::Syntax | Category::Io => "malformed JSON",
        },
        line: error.line(),
        column: error.column(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RingText {
    active: String,
    keys: KeyTexts,
}

/// Entries in order of appearance; a map would hide that an id comes twice.
struct KeyTexts(Vec<(String, Zeroizing<String>)>);

impl<'de> Deserialize<'de> for KeyTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KeyTextsVisitor)
    }
}

struct KeyTextsVisitor;

impl<'de> Visitor<'de> for KeyTextsVisitor {
    type Value = KeyTexts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys in base64 by id")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KeyTexts, A::Error> {
        let mut keys = Vec::new();
        while let Some((id, key)) = map.next_entry::<String, String>()? {
            keys.push((id, Zeroizing::new(key)));
        }
        Ok(KeyTexts(keys))
    }
}

#[cfg(test)]
mod tests {
    use crate::{KeyError, KeyRing, KeyRingError};

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODw==";

    #[test]
    fn a_ring_survives_being_written_and_read() {
        let text = format!(r#"{{"active":"b\"","keys":{{"a":"{KEY}","b\"":"{KEY}"}}}}"#);

        let ring = KeyRing::from_json(&text).unwrap();

        assert_eq!(*ring.to_json(), text);
        assert_eq!(ring.active().as_str(), "b\"");
    }

    #[test]
    fn the_room_for_writing_is_never_outgrown() {
        let longest = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let text = format!(r#"{{"active":"a","keys":{{"a":"{longest}"}}}}"#);

        let written = KeyRing::from_json(&text).unwrap().to_json();

        assert!(written.capacity() >= written.len() && written.capacity() < 150);
        assert_eq!(*written, text);
    }

    #[test]
    fn a_bad_key_is_named_but_not_quoted() {
        let text = r#"{"active": "a", "keys": {"a": "hunter2"}}"#;

        let error = KeyRing::from_json(text).unwrap_err();

        assert!(
            matches!(&error, KeyRingError::Key { id, reason: KeyError::Base64 } if id.as_str() == "a")
        );
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn an_id_that_comes_twice_is_refused() {
        let text = format!(r#"{{"active": "a", "keys": {{"a": "{KEY}", "a": "{KEY}"}}}}"#);

        let error = KeyRing::from_json(&text).unwrap_err();

        assert!(matches!(error, KeyRingError::Duplicate { .. }));
    }

    #[test]
    fn text_of_another_shape_is_refused_without_quoting_it() {
        let empty_id = format!(r#"{{"active": "", "keys": {{"": "{KEY}"}}}}"#);
        assert_eq!(
            KeyRing::from_json(&empty_id).unwrap_err(),
            KeyRingError::EmptyId
        );

        for text in [
            "",
            KEY,
            r#"{"active": "a", "keys": "hunter2"}"#,
            r#"{"active": "a", "keys": {"a": 1}}"#,
            r#"{"active": "a", "keys": {}, "hunter2": 1}"#,
        ] {
            let error = KeyRing::from_json(text).unwrap_err();
            assert!(
                matches!(error, KeyRingError::Json { .. }),
                "{text}: {error}"
            );
            assert!(!error.to_string().contains("hunter2"));
            assert!(!error.to_string().contains(KEY));
        }
    }
}
