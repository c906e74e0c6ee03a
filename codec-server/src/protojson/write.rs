//! The answer: one buffer, written front to back.

use std::io;

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
    ///
    /// # Errors
    ///
    /// [`Full`], as soon as the limit is reached. What was written of `payload` by then stays.
    pub(crate) fn push(&mut self, payload: &Payload) -> Result<(), Full> {
        if self.json.len() > OPEN.len() {
            self.text(b",")?;
        }
        self.text(br#"{"metadata":{"#)?;
        for (number, (name, value)) in payload.metadata.iter().enumerate() {
            if number > 0 {
                self.text(b",")?;
            }
            to_writer(Escaped(self), name).map_err(|_| Full)?;
            self.text(b":")?;
            self.binary(value)?;
        }
        self.text(br#"},"data":"#)?;
        self.binary(&payload.data)?;
        self.external(payload)?;
        self.text(b"}")
    }

    /// Returns the whole text.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.json.extend_from_slice(CLOSE);
        self.json
    }

    /// Looked at before anything is written, so that no part overshoots by its whole length.
    fn has_room(&self, len: usize) -> Result<(), Full> {
        match self.json.len() + len + CLOSE.len() <= self.limit {
            true => Ok(()),
            false => Err(Full),
        }
    }

    fn text(&mut self, text: &[u8]) -> Result<(), Full> {
        self.has_room(text.len())?;
        self.json.extend_from_slice(text);
        Ok(())
    }

    fn binary(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let len = binary::encoded_len(bytes) + 2;
        self.has_room(len)?;
        self.json.reserve(len + FRAME);
        self.json.push(b'"');
        binary::encode(bytes, &mut self.json);
        self.json.push(b'"');
        Ok(())
    }

    /// 64-bit numbers are texts in proto3 JSON, and lists that are empty are left out.
    fn external(&mut self, payload: &Payload) -> Result<(), Full> {
        for (number, details) in payload.external_payloads.iter().enumerate() {
            let before: &[u8] = if number == 0 {
                br#","externalPayloads":["#
            } else {
                b","
            };
            self.text(before)?;
            let size = format!(r#"{{"sizeBytes":"{}"}}"#, details.size_bytes);
            self.text(size.as_bytes())?;
        }
        match payload.external_payloads.is_empty() {
            true => Ok(()),
            false => self.text(b"]"),
        }
    }
}

/// Takes a text piece by piece, which can be six times as long in JSON as it was.
struct Escaped<'a>(&'a mut Answer);

impl io::Write for Escaped<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let written = self.0.text(piece);
        written.map_err(|Full| io::ErrorKind::StorageFull)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
