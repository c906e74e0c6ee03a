//! JSON to payloads and back, for people and scripts that know no types.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::de::IgnoredAny;
use serde_json::{Value, json, value::RawValue};
use temporalio_common::protos::temporal::api::common::v1::Payload;

/// Metadata entry that names the encoding of a payload.
const ENCODING: &str = "encoding";

/// Returns a payload that holds `value` as JSON, as every Temporal SDK reads it.
pub fn from_json(value: &Value) -> Payload {
    json_plain(value.to_string())
}

/// Returns a payload that holds the JSON document `text`, digit for digit.
///
/// # Errors
///
/// Where and why `text` is not one JSON document.
pub fn from_json_text(text: &str) -> Result<Payload, serde_json::Error> {
    serde_json::from_str::<IgnoredAny>(text)?;
    Ok(json_plain(text.trim().to_owned()))
}

/// Returns a payload that holds a JSON value as it was sent to us, digit for digit.
///
/// # Errors
///
/// If no other SDK could read it: it nests deeper than 127 levels, or holds a number beyond those of
/// a `double`, or half a surrogate pair.
pub fn from_raw(value: &RawValue) -> Result<Payload, serde_json::Error> {
    serde_json::from_str::<Value>(value.get())?;
    Ok(json_plain(value.get().to_owned()))
}

/// Returns what a decoded payload holds.
///
/// JSON of any kind is returned as such, the empty value as `null`. What is neither, such as raw
/// bytes, is `{"encoding": …, "data": <base64>}`.
pub fn to_json(payload: &Payload) -> Value {
    let encoding = encoding(payload);
    let json = match encoding.as_ref() {
        "binary/null" => Some(Value::Null),
        name if name.starts_with("json/") => serde_json::from_slice(&payload.data).ok(),
        _ => None,
    };
    json.unwrap_or_else(
        || json!({ "encoding": encoding, "data": BASE64_STANDARD.encode(&payload.data) }),
    )
}

fn encoding(payload: &Payload) -> std::borrow::Cow<'_, str> {
    let name = payload.metadata.get(ENCODING).map(Vec::as_slice);
    String::from_utf8_lossy(name.unwrap_or_default())
}

fn json_plain(text: String) -> Payload {
    Payload {
        metadata: HashMap::from([(ENCODING.to_owned(), b"json/plain".to_vec())]),
        data: text.into_bytes(),
        ..Payload::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Payload, from_json, from_json_text, to_json};

    fn payload(encoding: &str, data: &[u8]) -> Payload {
        Payload {
            metadata: [("encoding".to_owned(), encoding.into())].into(),
            data: data.into(),
            ..Payload::default()
        }
    }

    #[test]
    fn json_survives_the_way_there_and_back() {
        let value = json!({"name": "Ada", "tags": [1, null]});

        assert_eq!(to_json(&from_json(&value)), value);
    }

    #[test]
    fn numbers_are_sent_as_they_were_written() {
        let sent = from_json_text(" 12345678901234567890123.10 \n").unwrap();

        assert_eq!(sent.data, b"12345678901234567890123.10");
    }

    #[test]
    fn two_documents_are_not_one() {
        assert!(from_json_text("1 2").is_err());
        assert!(from_json_text("").is_err());
    }

    #[test]
    fn the_empty_value_reads_as_null() {
        assert_eq!(to_json(&payload("binary/null", b"")), Value::Null);
    }

    #[test]
    fn bytes_read_as_base64_with_their_encoding() {
        let expected = json!({"encoding": "binary/plain", "data": "AAE="});

        assert_eq!(to_json(&payload("binary/plain", &[0, 1])), expected);
    }

    #[test]
    fn what_claims_to_be_json_but_is_not_reads_as_bytes() {
        let expected = json!({"encoding": "json/plain", "data": "ew=="});

        assert_eq!(to_json(&payload("json/plain", b"{")), expected);
    }
}
