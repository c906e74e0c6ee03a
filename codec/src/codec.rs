//! The codec the SDK calls for every payload that leaves or enters the process.

mod error;
mod options;
mod sdk;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future::{join, join_all};
use temporalio_common::protos::temporal::api::common::v1::Payload;

pub use error::{DecodeError, EncodeError};
pub use options::{CodecOptions, Compression, DecodePolicy};

use crate::{
    InflateRoom, KeyRing, OpenError, SharedKeyRing,
    envelope::Envelope,
    is_stored,
    large_payloads::{FetchError, LargePayloads},
    legacy,
    metadata::{ENCRYPTED, KEY_ID, LEGACY, ZLIB, encoding, excerpt},
    zlib,
};

/// Encrypts every payload on its way out and decrypts on the way in.
///
/// Keys are resident, so there is nothing to wait for and the SDK's poll loops are not held up by
/// I/O. There are two exceptions: a payload whose key is not here, because decoding through
/// [`PayloadCodec`](temporalio_common::data_converters::PayloadCodec) gives the key source about a second to find it, and with
/// [`with_large_payloads`](Self::with_large_payloads) one that is in blob storage, or on its way
/// there. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct EncryptionCodec {
    ring: Option<SharedKeyRing>,
    envelope: Option<Envelope>,
    large: Option<LargePayloads>,
    options: Arc<CodecOptions>,
    unknown: Arc<AtomicU64>,
}

impl EncryptionCodec {
    /// Makes a codec that uses whatever `ring` holds at the time of each call.
    #[must_use]
    pub fn new(ring: SharedKeyRing, options: CodecOptions) -> Self {
        Self::with(Some(ring), None, options)
    }

    /// Makes a codec that reads, and if `envelope` encodes also writes, payloads that bring their
    /// own wrapped data key. Payloads of the ring's keys are read as well, if there is one.
    #[must_use]
    pub fn with_envelope(
        envelope: Envelope,
        ring: Option<SharedKeyRing>,
        options: CodecOptions,
    ) -> Self {
        Self::with(ring, Some(envelope), options)
    }

    fn with(
        ring: Option<SharedKeyRing>,
        envelope: Option<Envelope>,
        options: CodecOptions,
    ) -> Self {
        Self {
            ring,
            envelope,
            large: None,
            options: Arc::new(options),
            unknown: Arc::default(),
        }
    }

    /// Keeps what is too large for Temporal in `large`, and reads what is there.
    #[must_use]
    pub fn with_large_payloads(self, large: LargePayloads) -> Self {
        let large = Some(large);
        Self { large, ..self }
    }

    /// Where large payloads are kept, if anywhere.
    #[must_use]
    pub fn large_payloads(&self) -> Option<&LargePayloads> {
        self.large.as_ref()
    }

    /// The key ring, unless there are data keys only.
    #[must_use]
    pub fn ring(&self) -> Option<&SharedKeyRing> {
        self.ring.as_ref()
    }

    /// What reads and writes payloads that bring their own data key, if anything does.
    #[must_use]
    pub fn envelope(&self) -> Option<&Envelope> {
        self.envelope.as_ref()
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

    /// Encrypts one payload and, if it is too large to be sent, stores it: what is returned then is
    /// a reference.
    ///
    /// # Errors
    ///
    /// Also [`EncodeError::Store`]; the payload must not be sent then.
    pub async fn encode_and_store(&self, payload: Payload) -> Result<Payload, EncodeError> {
        let sealed = self.encode_payload(payload)?;
        match &self.large {
            Some(large) => Ok(large.store(sealed).await?),
            None => Ok(sealed),
        }
    }

    /// Fetches the encrypted payload behind `payload`, if that is a reference to a stored one, and
    /// else returns it as it is. Nothing is decrypted.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Fetch`].
    pub async fn fetch(&self, payload: Payload) -> Result<Payload, DecodeError> {
        match &self.large {
            Some(large) if is_stored(&payload) => Ok(large.fetch(&payload).await?),
            _ => Ok(payload),
        }
    }

    /// Encrypts one payload under the active key, compressed first if so configured. However large
    /// it is, it stays where it is.
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
        self.seal(&payload)
    }

    fn seal(&self, payload: &Payload) -> Result<Payload, EncodeError> {
        if let Some(envelope) = &self.envelope
            && let Some(sealed) = envelope.seal(payload)?
        {
            return Ok(sealed);
        }
        let ring = self.current().ok_or(EncodeError::NoKey)?;
        Ok(ring.seal_within(&self.options.seal_limit, payload)?)
    }

    /// The ring as it is now.
    fn current(&self) -> Option<Arc<KeyRing>> {
        self.ring.as_ref().map(SharedKeyRing::current)
    }

    /// Decrypts one payload with the keys that are here, without waiting for others.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    pub fn decode_payload(&self, payload: Payload) -> Result<Payload, DecodeError> {
        self.decode_payload_within(&mut InflateRoom::default(), payload)
    }

    /// Decrypts like [`decode_payload`](Self::decode_payload), and unpacks no more than `room` has
    /// left.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    pub fn decode_payload_within(
        &self,
        room: &mut InflateRoom,
        payload: Payload,
    ) -> Result<Payload, DecodeError> {
        let found = encoding(&payload);
        if found == ENCRYPTED.as_bytes() {
            unwrapped(self.open(payload)?, room)
        } else if found == LEGACY.as_bytes() {
            self.decode_legacy(payload)
        } else if is_stored(&payload) {
            Err(FetchError::Unconfigured.into())
        } else if self.options.decode == DecodePolicy::Strict {
            let encoding = excerpt(found);
            Err(DecodeError::NotEncrypted { encoding })
        } else {
            unwrapped(payload, room)
        }
    }

    /// Has the key source look for the keys that `payloads` name and that are not here.
    ///
    /// Takes about a second at most, however many there are. What was found is used from then on.
    pub async fn find_keys(&self, payloads: &[Payload]) {
        let missing: BTreeSet<_> = payloads.iter().filter_map(|p| self.missing(p)).collect();
        let in_ring = missing.into_iter().map(|id| self.find_in_ring(id));
        let enveloped = payloads.iter().filter(|p| Envelope::is_enveloped(p));
        let unwrapped = enveloped.map(|payload| self.find_data_key(payload));
        join(join_all(in_ring), join_all(unwrapped)).await;
    }

    async fn find_in_ring(&self, id: &str) {
        if let Some(ring) = &self.ring {
            ring.find(id).await;
        }
    }

    async fn find_data_key(&self, payload: &Payload) {
        if let Some(envelope) = &self.envelope {
            envelope.find(payload).await;
        }
    }

    /// Id of the key in the ring that `payload` names, if that key is not here.
    fn missing<'a>(&self, payload: &'a Payload) -> Option<&'a str> {
        if encoding(payload) != ENCRYPTED.as_bytes() || Envelope::is_enveloped(payload) {
            return None;
        }
        let id = str::from_utf8(payload.metadata.get(KEY_ID)?).ok()?;
        self.current()?.key(id).is_none().then_some(id)
    }

    fn open(&self, payload: Payload) -> Result<Payload, DecodeError> {
        match (&self.envelope, self.current()) {
            (Some(envelope), _) if Envelope::is_enveloped(&payload) => Ok(envelope.open(&payload)?),
            (_, Some(ring)) => Ok(self.open_with(&ring, payload)?),
            (_, None) => Err(DecodeError::NoRing),
        }
    }

    fn open_with(&self, ring: &KeyRing, payload: Payload) -> Result<Payload, OpenError> {
        let opened = ring.open_in_place(payload);
        if let Err(OpenError::UnknownKey { .. }) = opened {
            self.unknown.fetch_add(1, Ordering::Relaxed);
        }
        opened
    }

    fn decode_legacy(&self, payload: Payload) -> Result<Payload, DecodeError> {
        let id = self.options.legacy_key_id.as_ref();
        let id = id.ok_or(DecodeError::LegacyKeyUnset)?;
        let ring = self.current().ok_or(DecodeError::NoRing)?;
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
fn unwrapped(payload: Payload, room: &mut InflateRoom) -> Result<Payload, DecodeError> {
    if encoding(&payload) == ZLIB.as_bytes() {
        Ok(zlib::inflate(&payload, room)?)
    } else {
        Ok(payload)
    }
}
