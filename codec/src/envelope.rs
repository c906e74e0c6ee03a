//! Payloads that bring their own data key, wrapped by a key that never leaves Key Vault.
//!
//! The layout is temporal-proxy's, so its payloads can be read here and ours there:
//!
//! | entry | value |
//! | --- | --- |
//! | `encoding` | `binary/encrypted` |
//! | `encryption-key-id` | the wrapping key, `azurekeyvault://VAULT.vault.azure.net/keys/NAME[/VERSION]`, as configured |
//! | `encryption-dek` | the data key of 32 bytes, wrapped with RSA-OAEP-256, in standard base64 |
//!
//! The data is that of any other payload: `nonce ‖ ciphertext ‖ tag`, AES-256-GCM over the
//! serialised payload, without additional data. The wrapping key is named as the settings name it,
//! because temporal-proxy compares the text; a payload that names no version is read with whatever
//! version of the key unwraps it.
//!
//! Key Vault is asked once for each data key, never for a payload. One that names a key outside
//! the settings is refused without asking anybody: otherwise whoever can write a payload could
//! send our credentials to a vault of his.

mod cache;
mod data_key;
mod error;
mod key_uri;
mod key_uris;
mod reference;
mod resident;
mod status;
mod unwrapper;
mod vault;
mod wrapping;

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use temporalio_common::protos::temporal::api::common::v1::Payload;

pub use error::{OpenError, SealError, StartError};
pub use key_uri::{KeyUri, KeyUriError};
pub use key_uris::KeyUris;
pub use status::{DataKeyStatus, Renewal, Status};

use self::{
    reference::Reference,
    resident::Resident,
    unwrapper::Unwrapper,
    vault::Vaults,
    wrapping::{KeyEncryption, Wrapping},
};
use crate::{NONCE_BUDGET, azure::Azure, sealed};

/// Choices of an [`Envelope`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EnvelopeOptions {
    /// Whether new payloads are encrypted under a wrapped data key, from `SEALANE_KEY_MODE`.
    pub encode: bool,
    /// Longest life of a data key, from `SEALANE_DATA_KEY_MAX_AGE`. At least a second.
    pub max_age: Duration,
    /// Most payloads under one data key, from `SEALANE_DATA_KEY_MAX_SEALS`.
    pub max_seals: u64,
}

/// Decodes only; data keys of an hour, as temporal-proxy's, for as many payloads as one key may
/// seal.
impl Default for EnvelopeOptions {
    fn default() -> Self {
        Self {
            encode: false,
            max_age: Duration::from_secs(60 * 60),
            max_seals: NONCE_BUDGET,
        }
    }
}

/// Seals and opens payloads under data keys that Key Vault wraps. Cloning is cheap.
#[derive(Clone)]
pub struct Envelope(Arc<Inner>);

struct Inner {
    wrapping: Arc<Wrapping>,
    unwrapper: Unwrapper,
    /// Nobody, if the envelope only decodes.
    resident: Option<Resident>,
}

impl Envelope {
    /// Makes an envelope that uses `uris` and no other keys. If it encodes, it has its first data
    /// key wrapped, and unwrapped again; if it only decodes, it asks for nothing yet.
    ///
    /// # Errors
    ///
    /// [`StartError::Azure`] if Key Vault refuses or does not answer, which may pass
    /// ([`is_transient`](crate::azure::AzureError::is_transient)); [`StartError::Unequal`] and [`StartError::Entropy`] if
    /// there is no usable data key.
    pub async fn new(
        azure: &Azure,
        uris: KeyUris,
        options: EnvelopeOptions,
    ) -> Result<Self, StartError> {
        let vaults = Vaults::new(azure, &uris)?;
        Self::with_vault(Box::new(vaults), uris, options).await
    }

    async fn with_vault(
        vault: Box<dyn KeyEncryption>,
        uris: KeyUris,
        options: EnvelopeOptions,
    ) -> Result<Self, StartError> {
        let wrapping = Arc::new(Wrapping::new(vault, uris));
        let unwrapper = Unwrapper::new(Arc::clone(&wrapping));
        let resident = match options.encode {
            true => Some(Resident::new(Arc::clone(&wrapping), unwrapper.clone(), &options).await?),
            false => None,
        };
        Ok(Self(Arc::new(Inner {
            wrapping,
            unwrapper,
            resident,
        })))
    }

    /// The keys that wrap and unwrap.
    #[must_use]
    pub fn uris(&self) -> &KeyUris {
        self.0.wrapping.uris()
    }

    /// Whether `payload` brings a wrapped data key, ours or not.
    #[must_use]
    pub fn is_enveloped(payload: &Payload) -> bool {
        Reference::of(payload).is_some()
    }

    /// Encrypts the whole of `payload`, metadata included; `None` if the envelope only decodes.
    ///
    /// Waits for nothing: the data key is here.
    ///
    /// # Errors
    ///
    /// [`SealError::Exhausted`] if the data key is used up and Key Vault has wrapped no other one;
    /// [`SealError::Payload`] as for any key. The payload must not be sent then.
    pub fn seal(&self, payload: &Payload) -> Result<Option<Payload>, SealError> {
        let resident = self.0.resident.as_ref();
        resident.map(|resident| resident.seal(payload)).transpose()
    }

    /// Decrypts `payload`, if its data key is here.
    ///
    /// # Errors
    ///
    /// [`OpenError::Pending`] if it is not: [`find`](Self::find) it and try again.
    /// [`OpenError::Refused`] for a while after Key Vault has not unwrapped it. Every other one
    /// stays an error with these settings.
    pub fn open(&self, payload: &Payload) -> Result<Payload, OpenError> {
        let reference = Reference::of(payload).ok_or(OpenError::NotAnEnvelope)?;
        let key = self.0.unwrapper.get(&reference)?;
        let id = reference.key_id().ok_or(OpenError::NotAnEnvelope)?;
        Ok(sealed::open(&key, &id, payload.data.clone())?)
    }

    /// Has the data key of `payload` unwrapped unless it is here. Takes about a second at most,
    /// and the request goes on after that.
    pub async fn find(&self, payload: &Payload) {
        if let Some(reference) = Reference::of(payload) {
            self.0.unwrapper.find(&reference).await;
        }
    }

    /// Replaces the data key by age and by count, ahead of either limit. Never returns.
    pub async fn follow(self) {
        match &self.0.resident {
            Some(resident) => resident.follow().await,
            None => std::future::pending().await,
        }
    }

    /// What has been done so far, and the state of things.
    #[must_use]
    pub fn status(&self) -> Status {
        let mut status = Status::default();
        self.0.unwrapper.report(&mut status);
        if let Some(resident) = &self.0.resident {
            resident.report(&mut status);
        }
        status
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("uris", self.uris())
            .field("encodes", &self.0.resident.is_some())
            .finish_non_exhaustive()
    }
}
