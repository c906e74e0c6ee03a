//! Payloads in the JSON of Temporal's protobuf messages, in which bytes are base64.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use sealane_codec::{is_encrypted, is_legacy, is_stored};
use serde_json::{Map, Value, json};
use temporalio_common::protos::temporal::api::common::v1::Payload;

/// Readers of protobuf JSON have to accept both alphabets, with and without padding.
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// An encrypted payload, and where it stands.
pub(super) struct Sealed<'a> {
    pub(super) place: &'a mut Value,
    pub(super) payload: Payload,
}

/// An object that is an encrypted payload by its encoding, and is malformed beyond that.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("has a malformed payload at {place}: {part} is not base64")]
pub(super) struct Malformed {
    place: String,
    part: String,
}

/// Returns the encrypted payloads in `document`, in their order.
///
/// # Errors
///
/// The first that cannot be one.
pub(super) fn sealed(document: &mut Value) -> Result<Vec<Sealed<'_>>, Malformed> {
    let mut found = Vec::new();
    collect(document, "", &mut found)?;
    Ok(found)
}

fn collect<'a>(
    value: &'a mut Value,
    place: &str,
    found: &mut Vec<Sealed<'a>>,
) -> Result<(), Malformed> {
    if let Some(payload) = payload(value, place)? {
        found.push(Sealed {
            place: value,
            payload,
        });
        return Ok(());
    }
    match value {
        Value::Array(items) => {
            for (number, item) in items.iter_mut().enumerate() {
                collect(item, &format!("{place}/{number}"), found)?;
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                collect(field, &format!("{place}/{name}"), found)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Reads `value` as a payload, if it says of itself that it, or what it refers to, is encrypted.
fn payload(value: &Value, place: &str) -> Result<Option<Payload>, Malformed> {
    let Some(metadata) = value.get("metadata").and_then(Value::as_object) else {
        return Ok(None);
    };
    let encoding = metadata.get("encoding").and_then(bytes);
    let payload = Payload {
        metadata: encoding
            .map(|it| ("encoding".to_owned(), it))
            .into_iter()
            .collect(),
        ..Payload::default()
    };
    let read = || whole(value, metadata, place);
    if is_encrypted(&payload) || is_legacy(&payload) {
        return read().map(Some);
    }
    // What has this entry may be a reference, and if it is malformed it is none.
    let may_refer = metadata.contains_key("messageType");
    Ok(may_refer.then(read).and_then(Result::ok).filter(is_stored))
}

fn whole(value: &Value, metadata: &Map<String, Value>, place: &str) -> Result<Payload, Malformed> {
    let mut payload = Payload::default();
    let malformed = |part: &str| Malformed {
        place: if place.is_empty() { "/" } else { place }.to_owned(),
        part: format!("{part:?}"),
    };
    for (name, entry) in metadata {
        let entry = bytes(entry).ok_or_else(|| malformed(name))?;
        payload.metadata.insert(name.clone(), entry);
    }
    // Absent means empty.
    if let Some(data) = value.get("data") {
        payload.data = bytes(data).ok_or_else(|| malformed("data"))?;
    }
    Ok(payload)
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    let text = value.as_str()?;
    STANDARD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .ok()
}

/// Returns `payload` in protobuf JSON.
pub(super) fn to_json(payload: &Payload) -> Value {
    let metadata = payload.metadata.iter();
    let metadata: Map<String, Value> = metadata
        .map(|(name, entry)| (name.clone(), json!(BASE64_STANDARD.encode(entry))))
        .collect();
    json!({
        "metadata": metadata,
        "data": BASE64_STANDARD.encode(&payload.data),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `binary/encrypted` in base64.
    const ENCRYPTED: &str = "YmluYXJ5L2VuY3J5cHRlZA==";

    fn found(mut document: Value) -> Vec<Payload> {
        let sealed = sealed(&mut document).unwrap().into_iter();
        sealed.map(|it| it.payload).collect()
    }

    #[test]
    fn encrypted_payloads_are_found_at_any_depth_and_others_are_not() {
        let payload = json!({"metadata": {"encoding": ENCRYPTED, "encryption-key-id": "YQ=="}, "data": "AQ=="});
        let plain = json!({"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="});
        let document = json!({"events": [{"a": {"payloads": [payload, plain]}}, [payload], 7]});

        let found = found(document);

        assert_eq!(found.len(), 2);
        assert_eq!(found[0].metadata["encryption-key-id"], b"a");
        assert_eq!(found[0].data, [1]);
    }

    #[test]
    fn a_document_may_be_a_payload_itself() {
        assert_eq!(found(json!({"metadata": {"encoding": ENCRYPTED}})).len(), 1);
    }

    #[test]
    fn both_alphabets_are_read_with_and_without_padding() {
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            assert_eq!(bytes(&json!(text)), Some(vec![0xfb, 0xff]), "{text}");
        }
    }

    #[test]
    fn a_malformed_payload_is_named_by_its_place_and_not_quoted() {
        let payload = json!({"metadata": {"encoding": ENCRYPTED}, "data": "?secret?"});
        let mut document = json!({"events": [payload]});

        let error = sealed(&mut document).err().unwrap().to_string();

        assert_eq!(
            error,
            "has a malformed payload at /events/0: \"data\" is not base64"
        );
    }

    #[test]
    fn a_payload_is_written_as_it_is_read() {
        let payload = Payload {
            metadata: [("encoding".to_owned(), ENCRYPTED.into())].into(),
            data: vec![0, 255],
            ..Payload::default()
        };

        let json = to_json(&payload);

        assert_eq!(json["data"], "AP8=");
        assert_eq!(bytes(&json["metadata"]["encoding"]), Some(ENCRYPTED.into()));
    }
}
