//! The answer: one buffer, written front to back.

use serde_json::to_writer;
use temporalio_common::protos::temporal::api::common::v1::Payload;

use super::binary;

const OPEN: &[u8] = br#"{"payloads":["#;
const CLOSE: &[u8] = b"]}";

/// What a payload costs beside its data, roughly: two metadata entries and the names around them.
const FRAME: usize = 160;

/// `Payloads` as JSON, while it grows.
pub(crate) struct Answer {
    json: Vec<u8>,
    limit: usize,
}

/// The answer would be larger than the limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Full;

impl Answer {
    /// Returns an answer of at most `limit` bytes, about `expected` of them.
    pub(crate) fn new(expected: usize, limit: usize) -> Self {
        let mut json = Vec::with_capacity(expected.min(limit));
        json.extend_from_slice(OPEN);
        Self { json, limit }
    }

    /// Appends `payload`. `metadata` and `data` are there even if they are empty: the Web UI takes
    /// nothing for a payload that lacks one of them.
    pub(crate) fn push(&mut self, payload: &Payload) -> Result<(), Full> {
        let data = payload.data.len().div_ceil(3) * 4;
        // Before it is written, so that one payload cannot overshoot by its whole length.
        if self.json.len() + data > self.limit {
            return Err(Full);
        }
        if self.json.len() > OPEN.len() {
            self.json.push(b',');
        }
        self.json.reserve(data + FRAME);
        self.write(payload);
        if self.json.len() + CLOSE.len() > self.limit {
            return Err(Full);
        }
        Ok(())
    }

    /// Returns the whole text.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.json.extend_from_slice(CLOSE);
        self.json
    }

    fn write(&mut self, payload: &Payload) {
        self.json.extend_from_slice(br#"{"metadata":{"#);
        for (number, (name, value)) in payload.metadata.iter().enumerate() {
            if number > 0 {
                self.json.push(b',');
            }
            to_writer(&mut self.json, name).expect("a text can be written to memory");
            self.json.push(b':');
            self.binary(value);
        }
        self.json.extend_from_slice(br#"},"data":"#);
        self.binary(&payload.data);
        self.external(payload);
        self.json.push(b'}');
    }

    fn binary(&mut self, bytes: &[u8]) {
        self.json.push(b'"');
        binary::encode(bytes, &mut self.json);
        self.json.push(b'"');
    }

    /// 64-bit numbers are texts in proto3 JSON, and lists that are empty are left out.
    fn external(&mut self, payload: &Payload) {
        for (number, details) in payload.external_payloads.iter().enumerate() {
            let before: &[u8] = if number == 0 {
                br#","externalPayloads":["#
            } else {
                b","
            };
            self.json.extend_from_slice(before);
            let size = format!(r#"{{"sizeBytes":"{}"}}"#, details.size_bytes);
            self.json.extend_from_slice(size.as_bytes());
        }
        if !payload.external_payloads.is_empty() {
            self.json.push(b']');
        }
    }
}
