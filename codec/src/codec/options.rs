//! What a codec may be told beside its keys.

use crate::{KeyId, SealLimit};

/// Choices of an [`EncryptionCodec`](crate::EncryptionCodec).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CodecOptions {
    /// Compression before encryption, from `SEALANE_COMPRESSION`. Off by default.
    pub compression: Compression,

    /// What to do with payloads that are not encrypted, from `SEALANE_DECODE`.
    pub decode: DecodePolicy,

    /// Key that reads payloads of encoding `encrypted/aesgcm`, which name none, from
    /// `SEALANE_LEGACY_KEY_ID`. Without it they are an error.
    pub legacy_key_id: Option<KeyId>,

    /// How many payloads one key may seal.
    pub seal_limit: SealLimit,
}

/// Whether payloads are compressed before they are encrypted.
///
/// Decoding reads both, whatever is chosen here. The encryption samples of the SDKs other than
/// Go's do not unpack, so leave it off where their workers share the namespace. Lengths of
/// compressed ciphertext tell more about the plaintext than lengths of plain ciphertext do.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Compression {
    /// Encrypt payloads as they are.
    #[default]
    Off,
    /// Wrap payloads as `binary/zlib` where that makes them smaller.
    Zlib,
}

/// What decoding does with payloads that are not encrypted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DecodePolicy {
    /// Take them as they are: inputs typed into the Web UI, history from before encryption.
    #[default]
    Permissive,
    /// Refuse them, so that nobody without a key can feed values to a workflow.
    Strict,
}
