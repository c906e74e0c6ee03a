//! Payload encryption for Temporal: byte formats, key ring, key sources and the SDK's `PayloadCodec`.
//!
//! A [`KeyRing`] seals payloads under its active key and opens them under any key it holds; a
//! [`SharedKeyRing`] is the live handle through which a key source replaces the ring while
//! workers run; an [`EncryptionCodec`] puts both behind the interface the SDK calls.
//!
//! # Format
//!
//! A sealed payload carries two metadata entries, both readable by the server:
//!
//! | entry | value |
//! | --- | --- |
//! | `encoding` | `binary/encrypted` |
//! | `encryption-key-id` | id of the key, UTF-8 |
//!
//! Its data is `nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes)`: AES-GCM over the serialised
//! `temporal.api.common.v1.Payload`, without additional data, the AES variant chosen by the
//! length of the key (16, 24 or 32 bytes). Temporal's encryption samples for the other SDKs use
//! the same layout, so their workers and ours can serve one namespace.
//!
//! ```
//! use sealane_codec::{CodecOptions, EncryptionCodec, Key, KeyRing, SharedKeyRing, is_encrypted};
//! use temporalio_common::protos::temporal::api::common::v1::Payload;
//!
//! let ring = KeyRing::new("2026-11".parse()?, [("2026-11".parse()?, Key::generate()?)])?;
//! let codec = EncryptionCodec::new(SharedKeyRing::new(ring), CodecOptions::default());
//!
//! let sealed = codec.encode_payload(Payload::from(b"greetings"))?;
//! assert!(is_encrypted(&sealed));
//! assert_eq!(codec.decode_payload(sealed)?.data, b"greetings");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Bounds
//!
//! Nonces are random, so one key should seal fewer than 2^32 payloads (NIST SP 800-38D, section
//! 8.3). At 100 payloads a second that is 16 months; rotate earlier.

#![forbid(unsafe_code)]

pub mod azure;
mod cipher;
mod codec;
pub mod envelope;
pub mod file_source;
mod key;
mod key_id;
mod key_ring;
pub mod key_vault;
pub mod large_payloads;
mod legacy;
mod metadata;
mod refresh;
pub mod rotation;
mod seal_limit;
mod sealed;
mod shared;
mod zlib;

use temporalio_common::data_converters::{
    DataConverter, DefaultFailureConverter, PayloadConverter,
};

pub use codec::{
    CodecOptions, Compression, DecodeError, DecodePolicy, EncodeError, EncryptionCodec,
};
pub use key::{EntropyError, Key, KeyError};
pub use key_id::{EmptyKeyId, KeyId};
pub use key_ring::{KeyRing, KeyRingError, OpenError, SealError};
pub use large_payloads::{is_external_reference, is_stored};
pub use metadata::{KEY_ID, WRAPPED_KEY, is_encrypted, is_legacy};
pub use refresh::RefreshRequests;
pub use seal_limit::{Exhausted, NONCE_BUDGET, SealLimit};
pub use shared::SharedKeyRing;
pub use zlib::{InflateError, InflateRoom, MAX_INFLATED};

/// Returns the SDK's default conversions with `codec` behind them.
///
/// Failure messages and stack traces move into a payload first, because only payloads pass
/// through a codec: with the SDK's defaults they would reach the server as they are.
#[must_use]
pub fn data_converter(codec: EncryptionCodec) -> DataConverter {
    let failures = DefaultFailureConverter::new(true);
    DataConverter::new(PayloadConverter::default(), failures, codec)
}
