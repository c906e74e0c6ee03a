//! What the server sends, made readable.

use futures_util::future::BoxFuture;
use sealane_codec::{DecodeError, EncryptionCodec, OpenError, is_encrypted, is_stored};
use serde_json::Value;
use temporalio_common::{
    data_converters::PayloadConversionError,
    payload_visitor::{AsyncPayloadVisitor, PayloadField, PayloadFieldData, PayloadVisitable},
    protos::temporal::api::{
        common::v1::{Payload, Payloads},
        failure::v1::Failure,
    },
};

use crate::{
    failure::{self, Report},
    payload,
};

/// Why a payload stays unreadable. Names keys and lengths, never contents.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// The codec could not decode it.
    #[error("{0}{remedy}", remedy = remedy(.0))]
    Codec(DecodeError),

    /// It is encrypted, and this process was told to have no keys.
    #[error(
        "payload is encrypted, which SEALANE_ENCRYPTION=off cannot read; \
         set SEALANE_ENCRYPTION=required and SEALANE_KEY_FILE or KEYVAULT_URL"
    )]
    NoCodec,
}

impl Unreadable {
    /// Whether it may be readable in a while although nobody does anything: its blob cannot be fetched just now.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self, Self::Codec(DecodeError::Fetch(error)) if error.is_transient())
    }
}

fn remedy(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::Open(OpenError::UnknownKey { .. } | OpenError::Rejected { .. }) => {
            "; set SEALANE_KEY_FILE or KEYVAULT_URL to keys that include it"
        }
        _ => "",
    }
}

/// Decodes payloads, wherever in an answer they are.
#[derive(Clone)]
pub struct Decoder {
    codec: Option<EncryptionCodec>,
}

impl Decoder {
    /// Makes a decoder; without a codec it lets plain payloads through and refuses encrypted ones.
    pub fn new(codec: Option<EncryptionCodec>) -> Self {
        Self { codec }
    }

    /// Decodes one payload, which is fetched first if it is stored elsewhere. If its key is not here, the
    /// key source gets a second to find it.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], as its variants say.
    pub async fn payload(&self, payload: Payload) -> Result<Payload, Unreadable> {
        match &self.codec {
            Some(codec) => {
                let payload = codec.fetch(payload).await.map_err(Unreadable::Codec)?;
                codec.find_keys(std::slice::from_ref(&payload)).await;
                codec.decode_payload(payload).map_err(Unreadable::Codec)
            }
            None if is_sealed(&payload) => Err(Unreadable::NoCodec),
            None => Ok(payload),
        }
    }

    /// Returns what one payload holds, as JSON.
    ///
    /// # Errors
    ///
    /// As for [`payload`](Self::payload).
    pub async fn value(&self, payload: Payload) -> Result<Value, Unreadable> {
        Ok(payload::to_json(&self.payload(payload).await?))
    }

    /// Returns a result as JSON: `null` for none, an array for several.
    ///
    /// # Errors
    ///
    /// As for [`payload`](Self::payload).
    pub async fn result(&self, payloads: Option<Payloads>) -> Result<Value, Unreadable> {
        let mut values = Vec::new();
        for payload in payloads.unwrap_or_default().payloads {
            values.push(self.value(payload).await?);
        }
        Ok(match values.len() {
            0 | 1 => values.pop().unwrap_or_default(),
            _ => Value::Array(values),
        })
    }

    /// Decodes every payload in `message` that can be decoded, in place.
    ///
    /// Search attributes are never encrypted, and headers only by some peers: both are left as they
    /// are unless they are encrypted.
    ///
    /// # Errors
    ///
    /// What was wrong with the first payload that could not be decoded; it is left as it was.
    pub async fn open(&self, message: &mut impl PayloadVisitable) -> Result<(), Unreadable> {
        let mut visitor = Opening {
            decoder: self,
            unreadable: None,
        };
        // The visitor itself never fails, so that one bad payload does not hide the others.
        let _ = message.visit_payloads_mut(&mut visitor).await;
        visitor.unreadable.map_or(Ok(()), Err)
    }

    /// Decodes a failure with its causes.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open).
    pub async fn failure(&self, mut failure: Failure) -> Result<Report, Unreadable> {
        self.open(&mut failure).await?;
        Ok(Report::of(&failure))
    }

    /// Decodes a failure as far as possible. In place of a text that cannot be read stands why.
    pub async fn failure_or_reason(&self, mut failure: Failure) -> Report {
        if let Err(reason) = self.open(&mut failure).await {
            failure::explain(&mut failure, &reason);
        }
        Report::of(&failure)
    }
}

/// Whether `payload` says of itself that it, or what it refers to, is encrypted.
fn is_sealed(payload: &Payload) -> bool {
    is_encrypted(payload) || is_stored(payload)
}

/// Decodes in place, and remembers the first payload that could not be.
struct Opening<'a> {
    decoder: &'a Decoder,
    unreadable: Option<Unreadable>,
}

impl AsyncPayloadVisitor for Opening<'_> {
    fn visit<'a>(
        &'a mut self,
        field: PayloadField<'a>,
    ) -> BoxFuture<'a, Result<(), PayloadConversionError>> {
        let payloads = match field.data {
            PayloadFieldData::Single(payload) => std::slice::from_mut(payload),
            PayloadFieldData::Repeated(payloads) => payloads.as_mut_slice(),
            PayloadFieldData::Payloads(payloads) => payloads.payloads.as_mut_slice(),
        };
        Box::pin(async move {
            for payload in payloads {
                if is_sealed(payload) || !is_plain_by_design(field.path) {
                    self.open(payload).await;
                }
            }
            Ok(())
        })
    }
}

impl Opening<'_> {
    async fn open(&mut self, payload: &mut Payload) {
        match self.decoder.payload(payload.clone()).await {
            Ok(decoded) => *payload = decoded,
            Err(error) => {
                self.unreadable.get_or_insert(error);
            }
        }
    }
}

pub(crate) fn is_plain_by_design(path: &str) -> bool {
    path.ends_with("Header.fields") || path.contains("SearchAttributes.indexed_fields")
}

#[cfg(test)]
mod tests {
    use sealane_codec::{CodecOptions, Key, KeyId, KeyRing, SharedKeyRing};
    use serde_json::json;
    use temporalio_common::protos::temporal::api::{
        common::v1::{Memo, SearchAttributes},
        workflow::v1::WorkflowExecutionInfo,
    };

    use super::*;

    fn codec(id: &str) -> EncryptionCodec {
        let id: KeyId = id.parse().unwrap();
        let ring = KeyRing::new(id.clone(), [(id, Key::generate().unwrap())]).unwrap();
        EncryptionCodec::new(SharedKeyRing::new(ring), CodecOptions::default())
    }

    fn sealed(codec: &EncryptionCodec, value: &Value) -> Payload {
        codec.encode_payload(payload::from_json(value)).unwrap()
    }

    #[tokio::test]
    async fn a_result_is_decrypted() {
        let codec = codec("a");
        let payloads = Payloads {
            payloads: vec![sealed(&codec, &json!({"total": 3}))],
        };

        let value = Decoder::new(Some(codec))
            .result(Some(payloads))
            .await
            .unwrap();

        assert_eq!(value, json!({"total": 3}));
    }

    #[tokio::test]
    async fn no_result_is_null_and_several_are_an_array() {
        let decoder = Decoder::new(Some(codec("a")));
        let two = Payloads {
            payloads: vec![payload::from_json(&json!(1)), payload::from_json(&json!(2))],
        };

        assert_eq!(decoder.result(None).await.unwrap(), Value::Null);
        assert_eq!(decoder.result(Some(two)).await.unwrap(), json!([1, 2]));
    }

    #[tokio::test]
    async fn an_unknown_key_is_named_with_the_setting_that_brings_it() {
        let foreign = sealed(&codec("theirs"), &json!("canary"));

        let error = Decoder::new(Some(codec("ours")))
            .value(foreign)
            .await
            .unwrap_err()
            .to_string();

        assert!(error.contains("\"theirs\""), "{error}");
        assert!(error.contains("SEALANE_KEY_FILE"), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }

    #[tokio::test]
    async fn without_a_codec_an_encrypted_payload_is_no_value() {
        let foreign = sealed(&codec("theirs"), &json!(1));

        let error = Decoder::new(None).value(foreign).await.unwrap_err();

        assert_eq!(error, Unreadable::NoCodec);
    }

    #[tokio::test]
    async fn a_failure_that_cannot_be_read_says_why_at_every_level() {
        let attributes = json!({"message": "canary", "stack_trace": ""});
        let sealed = Failure {
            message: "Encoded failure".to_owned(),
            encoded_attributes: Some(sealed(&codec("theirs"), &attributes)),
            ..Failure::default()
        };
        let failure = Failure {
            message: "activity failed".to_owned(),
            cause: Some(Box::new(sealed)),
            ..Failure::default()
        };

        let report = Decoder::new(Some(codec("ours")))
            .failure_or_reason(failure)
            .await;

        assert_eq!(
            report.to_string(),
            "activity failed: its text cannot be read here: payload is encrypted under key \
             \"theirs\", the key ring holds \"ours\"; set SEALANE_KEY_FILE or KEYVAULT_URL to keys \
             that include it"
        );
    }

    #[tokio::test]
    async fn one_unreadable_payload_does_not_hide_the_others() {
        let ours = codec("ours");
        let fields = [
            ("good", sealed(&ours, &json!(1))),
            ("bad", sealed(&codec("theirs"), &json!(2))),
        ];
        let mut info = WorkflowExecutionInfo {
            memo: Some(Memo {
                fields: fields.map(|(name, it)| (name.to_owned(), it)).into(),
            }),
            ..WorkflowExecutionInfo::default()
        };

        let error = Decoder::new(Some(ours)).open(&mut info).await.unwrap_err();

        let memo = info.memo.unwrap_or_default().fields;
        assert_eq!(payload::to_json(&memo["good"]), json!(1));
        assert!(is_encrypted(&memo["bad"]));
        assert!(error.to_string().contains("theirs"));
    }

    #[tokio::test]
    async fn plain_search_attributes_pass_a_strict_codec() {
        let ring = KeyRing::new(
            "a".parse().unwrap(),
            [("a".parse().unwrap(), Key::generate().unwrap())],
        );
        let strict = CodecOptions {
            decode: sealane_codec::DecodePolicy::Strict,
            ..CodecOptions::default()
        };
        let codec = EncryptionCodec::new(SharedKeyRing::new(ring.unwrap()), strict);
        let attribute = ("Region".to_owned(), payload::from_json(&json!("eu")));
        let mut info = WorkflowExecutionInfo {
            search_attributes: Some(SearchAttributes {
                indexed_fields: [attribute].into(),
            }),
            ..WorkflowExecutionInfo::default()
        };

        assert_eq!(Decoder::new(Some(codec)).open(&mut info).await, Ok(()));
    }
}
