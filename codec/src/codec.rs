//! The codec the SDK calls for every payload that leaves or enters the process.

mod error;
mod options;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future::{BoxFuture, FutureExt, join_all, ready};
use temporalio_common::{
    data_converters::{PayloadCodec, PayloadConversionError, SerializationContextData},
    protos::temporal::api::common::v1::Payload,
};

pub use error::{DecodeError, EncodeError};
pub use options::{CodecOptions, Compression, DecodePolicy};

use crate::{
    OpenError, SharedKeyRing, legacy,
    metadata::{ENCRYPTED, KEY_ID, LEGACY, WRAPPED_KEY, ZLIB, encoding, excerpt},
    zlib,
};

/// Encrypts every payload on its way out and decrypts on the way in.
///
/// Keys are resident, so there is nothing to wait for and the SDK's poll loops are not held up by
/// I/O. The one exception is a payload whose key is not here: decoding through [`PayloadCodec`]
/// gives the key source about a second to find it. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct EncryptionCodec {
    ring: SharedKeyRing,
    options: Arc<CodecOptions>,
    unknown: Arc<AtomicU64>,
}

impl EncryptionCodec {
    /// Makes a codec that uses whatever `ring` holds at the time of each call.
    #[must_use]
    pub fn new(ring: SharedKeyRing, options: CodecOptions) -> Self {
        Self {
            ring,
            options: Arc::new(options),
            unknown: Arc::default(),
        }
    }

    /// The keys the codec works with.
    #[must_use]
    pub fn ring(&self) -> &SharedKeyRing {
        &self.ring
    }

    /// The choices the codec was made with.
    #[must_use]
    pub fn options(&self) -> &CodecOptions {
        &self.options
    }

    /// How many payloads this codec and its clones met whose key nobody could find.
    #[must_use]
    pub fn unknown_keys(&self) -> u64 {
        self.unknown.load(Ordering::Relaxed)
    }

    /// Encrypts one payload under the active key, compressed first if so configured.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Seal`] and [`EncodeError::NotWrapped`]; the payload must not be sent then.
    pub fn encode_payload(&self, payload: Payload) -> Result<Payload, EncodeError> {
        let payload = if encoding(&payload) == ZLIB.as_bytes() {
            // Decoding unwraps one layer of zlib, so one that belongs to the caller needs another.
            zlib::wrap(&payload).ok_or(EncodeError::NotWrapped)?
        } else if self.options.compression == Compression::Zlib {
            zlib::compress(payload)
        } else {
            payload
        };
        let ring = self.ring.current();
        Ok(ring.seal_within(&self.options.seal_limit, &payload)?)
    }

    /// Decrypts one payload with the keys that are here, without waiting for others.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    pub fn decode_payload(&self, payload: Payload) -> Result<Payload, DecodeError> {
        let found = encoding(&payload);
        if found == ENCRYPTED.as_bytes() {
            unwrapped(self.open(payload)?)
        } else if found == LEGACY.as_bytes() {
            self.decode_legacy(payload)
        } else if self.options.decode == DecodePolicy::Strict {
            let encoding = excerpt(found);
            Err(DecodeError::NotEncrypted { encoding })
        } else {
            unwrapped(payload)
        }
    }

    /// Has the key source look for the keys that `payloads` name and that are not here.
    ///
    /// Takes about a second at most, however many there are. What was found is used from then on.
    pub async fn find_keys(&self, payloads: &[Payload]) {
        let missing: BTreeSet<_> = payloads.iter().filter_map(|p| self.missing(p)).collect();
        join_all(missing.into_iter().map(|id| self.ring.find(id))).await;
    }

    /// Id of the key that `payload` names, if that key is not here.
    fn missing<'a>(&self, payload: &'a Payload) -> Option<&'a str> {
        if encoding(payload) != ENCRYPTED.as_bytes() || payload.metadata.contains_key(WRAPPED_KEY) {
            return None;
        }
        let id = str::from_utf8(payload.metadata.get(KEY_ID)?).ok()?;
        self.ring.current().key(id).is_none().then_some(id)
    }

    fn open(&self, payload: Payload) -> Result<Payload, OpenError> {
        let opened = self.ring.current().open_in_place(payload);
        if let Err(OpenError::UnknownKey { .. }) = opened {
            self.unknown.fetch_add(1, Ordering::Relaxed);
        }
        opened
    }

    fn decode_legacy(&self, payload: Payload) -> Result<Payload, DecodeError> {
        let id = self.options.legacy_key_id.as_ref();
        let id = id.ok_or(DecodeError::LegacyKeyUnset)?;
        let ring = self.ring.current();
        let Some((id, key)) = ring.key(id.as_str()) else {
            return Err(DecodeError::LegacyKeyUnknown { id: id.clone() });
        };
        let len = payload.data.len();
        legacy::open(key, payload).map_err(|_| DecodeError::LegacyRejected {
            id: id.clone(),
            len,
        })
    }

    fn decode_all(&self, payloads: Vec<Payload>) -> Result<Vec<Payload>, PayloadConversionError> {
        let decoded = payloads.into_iter().map(|p| self.decode_payload(p));
        decoded.collect::<Result<_, _>>().map_err(conversion_error)
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
        let encoded = payloads.into_iter().map(|p| self.encode_payload(p));
        ready(encoded.collect::<Result<_, _>>().map_err(conversion_error)).boxed()
    }

    fn decode(
        &self,
        _context: &SerializationContextData,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        if payloads.iter().all(|p| self.missing(p).is_none()) {
            return ready(self.decode_all(payloads)).boxed();
        }
        let codec = self.clone();
        async move {
            codec.find_keys(&payloads).await;
            codec.decode_all(payloads)
        }
        .boxed()
    }
}

fn conversion_error(
    error: impl std::error::Error + Send + Sync + 'static,
) -> PayloadConversionError {
    PayloadConversionError::EncodingError(Box::new(error))
}
