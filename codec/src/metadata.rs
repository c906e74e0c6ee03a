//! The names used in a payload's metadata, and how values found there may be quoted.

use temporalio_common::protos::temporal::api::common::v1::Payload;

/// Metadata entry that says what the data is.
pub(crate) const ENCODING: &str = "encoding";
/// Metadata entry that names the key of an encrypted payload.
pub const KEY_ID: &str = "encryption-key-id";
/// Metadata entry with which temporal-proxy ships a wrapped data key.
pub const WRAPPED_KEY: &str = "encryption-dek";

/// Encoding of a payload in Temporal's common encryption format.
pub(crate) const ENCRYPTED: &str = "binary/encrypted";
/// Encoding of a payload whose data is a zlib stream of another payload.
pub(crate) const ZLIB: &str = "binary/zlib";
/// Encoding the Python starter for AKS gives to its encrypted payloads.
pub(crate) const LEGACY: &str = "encrypted/aesgcm";
/// Encoding of a JSON document.
pub(crate) const JSON: &str = "json/plain";
/// Encoding of "no value".
pub(crate) const NULL: &str = "binary/null";

/// Longest part of a foreign metadata value that an error message repeats, in bytes.
const MAX_EXCERPT: usize = 80;

/// Whether `payload` says of itself that it is encrypted (`binary/encrypted`).
#[must_use]
pub fn is_encrypted(payload: &Payload) -> bool {
    encoding(payload) == ENCRYPTED.as_bytes()
}

/// Whether `payload` says of itself that the Python starter for AKS encrypted it
/// (`encrypted/aesgcm`).
#[must_use]
pub fn is_legacy(payload: &Payload) -> bool {
    encoding(payload) == LEGACY.as_bytes()
}

/// The payload's encoding, empty if it names none.
pub(crate) fn encoding(payload: &Payload) -> &[u8] {
    payload.metadata.get(ENCODING).map_or(&[], Vec::as_slice)
}

/// Quotes a value that came from outside: escaped, so that it cannot forge log lines, and cut
/// short, so that it cannot flood them.
pub(crate) fn excerpt(value: &[u8]) -> String {
    let shown = String::from_utf8_lossy(&value[..value.len().min(MAX_EXCERPT)]);
    let rest = if value.len() > MAX_EXCERPT { "…" } else { "" };
    format!("{shown:?}{rest}")
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn foreign_values_are_quoted_on_one_short_line() {
        assert_eq!(excerpt(b"a\nb\xff"), r#""a\nb�""#);
        assert!(excerpt(&[b'x'; 5000]).len() < 100);
    }
}
