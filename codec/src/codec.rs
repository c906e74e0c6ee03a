//! The codec the SDK calls for every payload that leaves or enters the process.

mod error;
mod options;

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, ready};
use temporalio_common::{
    data_converters::{PayloadCodec, PayloadConversionError, SerializationContextData},
    protos::temporal::api::common::v1::Payload,
};

pub use error::{DecodeError, EncodeError};
pub use options::{CodecOptions, Compression, DecodePolicy};

use crate::{
    KeyRing, SharedKeyRing, legacy,
    metadata::{ENCRYPTED, LEGACY, ZLIB, encoding, excerpt},
    zlib,
};

/// Encrypts every payload on its way out and decrypts on the way in.
///
/// All work is done within the call: keys are resident, so there is nothing to wait for, and the
/// SDK's poll loops are never held up by I/O. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct EncryptionCodec {
    ring: SharedKeyRing,
    options: Arc<CodecOptions>,
}

impl EncryptionCodec {
    /// Makes a codec that uses whatever `ring` holds at the time of each call.
    #[must_use]
    pub fn new(ring: SharedKeyRing, options: CodecOptions) -> Self {
        Self {
            ring,
            options: Arc::new(options),
        }
    }

    /// Encrypts one payload under the active key, compressed first if so configured.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Seal`] and [`EncodeError::NotWrapped`]; the payload must not be sent then.
    pub fn encode_payload(&self, payload: Payload) -> Result<Payload, EncodeError> {
        self.encode_with(&self.ring.current(), payload)
    }

    /// Decrypts one payload.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    pub fn decode_payload(&self, payload: Payload) -> Result<Payload, DecodeError> {
        self.decode_with(&self.ring.current(), payload)
    }

    fn encode_with(&self, ring: &KeyRing, payload: Payload) -> Result<Payload, EncodeError> {
        let payload = if encoding(&payload) == ZLIB.as_bytes() {
            // Decoding unwraps one layer of zlib, so one that belongs to the caller needs another.
            zlib::wrap(&payload).ok_or(EncodeError::NotWrapped)?
        } else if self.options.compression == Compression::Zlib {
            zlib::compress(payload)
        } else {
            payload
        };
        Ok(ring.seal(&payload)?)
    }

    fn decode_with(&self, ring: &KeyRing, payload: Payload) -> Result<Payload, DecodeError> {
        let found = encoding(&payload);
        if found == ENCRYPTED.as_bytes() {
            unwrapped(ring.open_in_place(payload)?)
        } else if found == LEGACY.as_bytes() {
            self.decode_legacy(ring, payload)
        } else if self.options.decode == DecodePolicy::Strict {
            let encoding = excerpt(found);
            Err(DecodeError::NotEncrypted { encoding })
        } else {
            unwrapped(payload)
        }
    }

    fn decode_legacy(&self, ring: &KeyRing, payload: Payload) -> Result<Payload, DecodeError> {
        let id = self.options.legacy_key_id.as_ref();
        let id = id.ok_or(DecodeError::LegacyKeyUnset)?;
        let Some((id, key)) = ring.key(id.as_str()) else {
            return Err(DecodeError::LegacyKeyUnknown { id: id.clone() });
        };
        let len = payload.data.len();
        legacy::open(key, payload).map_err(|_| DecodeError::LegacyRejected {
            id: id.clone(),
            len,
        })
    }
}

/// The payload inside, if `payload` is a compressed one.
fn unwrapped(payload: Payload) -> Result<Payload, DecodeError> {
    if encoding(&payload) == ZLIB.as_bytes() {
        Ok(zlib::inflate(&payload)?)
    } else {
        Ok(payload)
    }
}

impl PayloadCodec for EncryptionCodec {
    fn encode(
        &self,
        _context: &SerializationContextData,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        let ring = self.ring.current();
        let encoded = payloads.into_iter().map(|p| self.encode_with(&ring, p));
        ready(encoded.collect::<Result<_, _>>().map_err(conversion_error)).boxed()
    }

    fn decode(
        &self,
        _context: &SerializationContextData,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        let ring = self.ring.current();
        let decoded = payloads.into_iter().map(|p| self.decode_with(&ring, p));
        ready(decoded.collect::<Result<_, _>>().map_err(conversion_error)).boxed()
    }
}

fn conversion_error(
    error: impl std::error::Error + Send + Sync + 'static,
) -> PayloadConversionError {
    PayloadConversionError::EncodingError(Box::new(error))
}
