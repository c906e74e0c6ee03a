//! What it takes to read payloads.

use std::{collections::BTreeMap, fmt};

use futures_util::future::{BoxFuture, ready};
use sealane_codec::{KEY_ID, WRAPPED_KEY, is_encrypted, is_legacy, is_stored};
use serde::{Deserialize, Serialize};
use temporalio_common::{
    data_converters::PayloadConversionError,
    payload_visitor::{AsyncPayloadVisitor, PayloadField, PayloadFieldData, PayloadVisitable},
    protos::temporal::api::common::v1::Payload,
};

use crate::decode::is_plain_by_design;

/// What it takes to read a payload.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
pub enum Need {
    /// The key of this id.
    Key(String),
    /// The Key Vault key of this URI, which wraps the data key that is in the payload.
    Envelope(String),
    /// The key that `SEALANE_LEGACY_KEY_ID` names: the payload does not.
    Legacy,
    /// The blob that the payload refers to, and what it takes to read that.
    Stored(Box<Need>),
    /// A key that the payload ought to name and does not.
    Unnamed,
    /// No key: it is not encrypted.
    Nothing,
    /// Unknown: the server holds it and does not show it.
    Hidden,
}

/// Numbers of payloads, by what it takes to read them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Needs(BTreeMap<Need, u64>);

impl Need {
    /// Reads what `payload` says of itself.
    pub fn of(payload: &Payload) -> Self {
        if is_legacy(payload) {
            return Self::Legacy;
        }
        if is_stored(payload) {
            return Self::Stored(Box::new(Self::named(payload)));
        }
        match is_encrypted(payload) {
            true => Self::named(payload),
            false => Self::Nothing,
        }
    }

    /// Reads which key `payload` names.
    fn named(payload: &Payload) -> Self {
        let Some(id) = payload.metadata.get(KEY_ID) else {
            return Self::Unnamed;
        };
        let id = String::from_utf8_lossy(id).into_owned();
        if payload.metadata.contains_key(WRAPPED_KEY) {
            Self::Envelope(id)
        } else {
            Self::Key(id)
        }
    }
}

/// The form in a checkpoint, where needs are the names of numbers.
impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key:{id}"),
            Self::Envelope(id) => write!(f, "envelope:{id}"),
            Self::Stored(need) => write!(f, "stored:{need}"),
            Self::Legacy => f.write_str("legacy"),
            Self::Unnamed => f.write_str("unnamed"),
            Self::Nothing => f.write_str("nothing"),
            Self::Hidden => f.write_str("hidden"),
        }
    }
}

impl From<Need> for String {
    fn from(need: Need) -> Self {
        need.to_string()
    }
}

impl From<String> for Need {
    /// What is none of ours counts as a key, so that no need is ever lost.
    fn from(text: String) -> Self {
        match (text.as_str(), text.split_once(':')) {
            ("legacy", _) => Self::Legacy,
            ("unnamed", _) => Self::Unnamed,
            ("nothing", _) => Self::Nothing,
            ("hidden", _) => Self::Hidden,
            (_, Some(("key", id))) => Self::Key(id.to_owned()),
            (_, Some(("stored", need))) => Self::Stored(Box::new(need.to_owned().into())),
            (_, Some(("envelope", id))) => Self::Envelope(id.to_owned()),
            _ => Self::Key(text),
        }
    }
}

impl Needs {
    /// Counts every payload in `message`, wherever it is.
    ///
    /// Search attributes and headers that are plain by design are not counted.
    pub async fn count(&mut self, message: &mut impl PayloadVisitable) {
        // The visitor has no way to fail.
        let _ = message.visit_payloads_mut(&mut Counting(self)).await;
    }

    /// Counts a payload of which nothing is known.
    pub fn hidden(&mut self) {
        *self.0.entry(Need::Hidden).or_default() += 1;
    }

    /// Adds what `other` has counted.
    pub fn add(&mut self, other: &Self) {
        for (need, payloads) in other.iter() {
            *self.0.entry(need.clone()).or_default() += payloads;
        }
    }

    /// Returns what is needed, with the number of payloads that need it.
    pub fn iter(&self) -> impl Iterator<Item = (&Need, u64)> {
        self.0.iter().map(|(need, payloads)| (need, *payloads))
    }
}

struct Counting<'a>(&'a mut Needs);

impl AsyncPayloadVisitor for Counting<'_> {
    fn visit<'a>(
        &'a mut self,
        field: PayloadField<'a>,
    ) -> BoxFuture<'a, Result<(), PayloadConversionError>> {
        let payloads = match field.data {
            PayloadFieldData::Single(payload) => std::slice::from_ref(payload),
            PayloadFieldData::Repeated(payloads) => payloads.as_slice(),
            PayloadFieldData::Payloads(payloads) => payloads.payloads.as_slice(),
        };
        for need in payloads.iter().map(Need::of) {
            if need != Need::Nothing || !is_plain_by_design(field.path) {
                *self.0.0.entry(need).or_default() += 1;
            }
        }
        Box::pin(ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use temporalio_common::protos::temporal::api::{
        common::v1::{Header, Memo, Payloads, SearchAttributes},
        failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
        history::v1::{
            HistoryEvent, WorkflowExecutionFailedEventAttributes,
            WorkflowExecutionStartedEventAttributes, history_event::Attributes,
        },
    };

    use super::{Need, Needs, Payload};

    fn payload(entries: &[(&str, &str)]) -> Payload {
        let entries = entries.iter();
        Payload {
            metadata: entries
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
            ..Payload::default()
        }
    }

    fn under(id: &str) -> Payload {
        payload(&[("encoding", "binary/encrypted"), ("encryption-key-id", id)])
    }

    fn plain() -> Payload {
        payload(&[("encoding", "json/plain")])
    }

    #[test]
    fn a_payload_says_what_it_takes_to_read_it() {
        let encrypted = ("encoding", "binary/encrypted");
        let id = ("encryption-key-id", "a");
        for (entries, expected) in [
            (vec![encrypted, id], Need::Key("a".to_owned())),
            (
                vec![encrypted, id, ("encryption-dek", "d")],
                Need::Envelope("a".to_owned()),
            ),
            (vec![("encoding", "encrypted/aesgcm")], Need::Legacy),
            (vec![encrypted], Need::Unnamed),
            (vec![("encoding", "json/plain"), id], Need::Nothing),
            (vec![], Need::Nothing),
        ] {
            assert_eq!(Need::of(&payload(&entries)), expected);
        }
    }

    #[test]
    fn a_need_survives_the_way_through_text() {
        for need in [
            Need::Key("envelope:a".to_owned()),
            Need::Key("legacy".to_owned()),
            Need::Envelope("azurekeyvault://v/keys/k".to_owned()),
            Need::Legacy,
            Need::Unnamed,
            Need::Nothing,
            Need::Hidden,
        ] {
            assert_eq!(Need::from(need.to_string()), need);
        }
    }

    #[tokio::test]
    async fn payloads_are_counted_wherever_they_are() {
        let inner = Failure {
            encoded_attributes: Some(under("deep")),
            ..Failure::default()
        };
        let details = ApplicationFailureInfo {
            details: Some(Payloads {
                payloads: vec![under("a"), under("b")],
            }),
            ..ApplicationFailureInfo::default()
        };
        let failed = WorkflowExecutionFailedEventAttributes {
            failure: Some(Failure {
                cause: Some(Box::new(inner)),
                failure_info: Some(FailureInfo::ApplicationFailureInfo(details)),
                ..Failure::default()
            }),
            ..WorkflowExecutionFailedEventAttributes::default()
        };
        let mut event = HistoryEvent {
            attributes: Some(Attributes::WorkflowExecutionFailedEventAttributes(failed)),
            ..HistoryEvent::default()
        };

        let mut needs = Needs::default();
        needs.count(&mut event).await;

        let expected = ["a", "b", "deep"].map(|id| (Need::Key(id.to_owned()), 1));
        assert_eq!(needs, Needs(expected.into()));
    }

    #[tokio::test]
    async fn only_headers_and_search_attributes_may_be_plain() {
        let fields = || [("name".to_owned(), plain())].into();
        let encrypted = ("trace".to_owned(), under("a"));
        let started = WorkflowExecutionStartedEventAttributes {
            memo: Some(Memo { fields: fields() }),
            search_attributes: Some(SearchAttributes {
                indexed_fields: fields(),
            }),
            header: Some(Header {
                fields: [encrypted, ("name".to_owned(), plain())].into(),
            }),
            ..WorkflowExecutionStartedEventAttributes::default()
        };
        let attributes = Attributes::WorkflowExecutionStartedEventAttributes(started);
        let mut event = HistoryEvent {
            attributes: Some(attributes),
            ..HistoryEvent::default()
        };

        let mut needs = Needs::default();
        needs.count(&mut event).await;

        let expected = [(Need::Key("a".to_owned()), 1), (Need::Nothing, 1)];
        assert_eq!(needs, Needs(expected.into()));
    }
}
