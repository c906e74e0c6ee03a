//! `bytes` in proto3 JSON: base64 of either alphabet, with or without padding, is read; the standard
//! one with padding is written.

use std::sync::LazyLock;

use base64::{
    DecodeError, Engine,
    engine::{DecodePaddingMode, GeneralPurposeConfig, Simd},
};

/// As lenient as Go's protojson, whose clients are served: it ignores bits behind the last byte as well.
const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

static STANDARD: LazyLock<Simd> = LazyLock::new(|| Simd::standard(CONFIG));
static URL_SAFE: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(CONFIG));

/// Returns the bytes that `text` stands for.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>, DecodeError> {
    STANDARD.decode(text).or_else(|error| match error {
        // Only one alphabet per value, as everywhere else.
        DecodeError::InvalidByte(_, b'-' | b'_') => URL_SAFE.decode(text),
        other => Err(other),
    })
}

/// Fewest bytes that `len` characters can stand for.
pub(super) fn at_least(len: usize) -> usize {
    (len / 4 * 3).saturating_sub(2)
}

/// How many characters stand for `bytes`.
pub(super) fn encoded_len(bytes: &[u8]) -> usize {
    bytes.len().div_ceil(3) * 4
}

/// Appends `bytes` to `text`.
pub(super) fn encode(bytes: &[u8], text: &mut Vec<u8>) {
    let start = text.len();
    text.resize(start + encoded_len(bytes), 0);
    let written = STANDARD.encode_slice(bytes, &mut text[start..]);
    written.expect("padded base64 is 4 characters for each 3 bytes begun");
}
