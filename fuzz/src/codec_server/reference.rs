//! Payloads in proto3 JSON, read a second time and as plainly as possible: whole, and without limits.

use std::collections::BTreeMap;

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

/// Data above this may unpack to more than is allowed, or may not be packed once more.
const LARGE: usize = 10_000;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// One payload.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct One {
    metadata: BTreeMap<String, Vec<u8>>,
    pub(super) data: Vec<u8>,
    external: Vec<i64>,
}

/// Returns the payloads of `json`, if it is a list of them.
pub(super) fn payloads(json: &[u8]) -> Option<Vec<One>> {
    let json: Value = serde_json::from_slice(json).ok()?;
    match &json.as_object()?.get("payloads") {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::Array(all)) => all.iter().map(One::read).collect(),
        Some(_) => None,
    }
}

impl One {
    fn read(json: &Value) -> Option<Self> {
        let json = json.as_object()?;
        let mut metadata = BTreeMap::new();
        if let Some(entries) = json.get("metadata").filter(|it| !it.is_null()) {
            for (name, value) in entries.as_object()? {
                metadata.insert(name.clone(), binary(value)?);
            }
        }
        let external = json
            .get("externalPayloads")
            .or(json.get("external_payloads"));
        let external = match external.filter(|it| !it.is_null()) {
            Some(list) => list.as_array()?.iter().map(size).collect::<Option<_>>()?,
            None => Vec::new(),
        };
        Some(Self {
            metadata,
            data: json.get("data").map_or(Some(Vec::new()), binary)?,
            external,
        })
    }

    pub(super) fn encoding(&self) -> &[u8] {
        self.metadata.get("encoding").map_or(&[], Vec::as_slice)
    }

    /// Whether decoding may change it.
    pub(super) fn is_coded(&self) -> bool {
        let coded: [&[u8]; 3] = [b"binary/encrypted", b"encrypted/aesgcm", b"binary/zlib"];
        coded.contains(&self.encoding())
    }

    /// Whether its metadata, which may be quoted, holds `word`.
    pub(super) fn names(&self, word: &str) -> bool {
        let entries = self.metadata.iter();
        let texts =
            entries.map(|(name, value)| format!("{name} {}", String::from_utf8_lossy(value)));
        { texts }.any(|text| text.contains(word))
    }

    pub(super) fn is_large(&self) -> bool {
        let metadata: usize = self
            .metadata
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        metadata + self.data.len() > LARGE
    }
}

fn binary(value: &Value) -> Option<Vec<u8>> {
    if value.is_null() {
        return Some(Vec::new());
    }
    let text = value.as_str()?;
    let is_safe = text.contains(['-', '_']);
    let alphabet = if is_safe { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, LENIENT).decode(text).ok()
}

fn size(details: &Value) -> Option<i64> {
    let details = details.as_object()?;
    match details.get("sizeBytes").or(details.get("size_bytes")) {
        None | Some(Value::Null) => Some(0),
        Some(Value::String(text)) => text.parse().ok(),
        Some(number) => number.as_i64(),
    }
}
