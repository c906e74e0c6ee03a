//! One data key, wrapped and ready to seal.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use temporalio_common::protos::temporal::api::common::v1::Payload;
use tokio::time::Instant;

use super::{
    Reference, StartError,
    wrapping::{Refusal, Wrapping},
};
use crate::{
    Key, SealError,
    key::random,
    metadata::{ENCODING, ENCRYPTED, KEY_ID, WRAPPED_KEY},
    sealed,
};

/// A data key of this process. What it sealed stays readable as long as its wrapping key is there.
pub(super) struct DataKey {
    pub(super) key: Arc<Key>,
    pub(super) reference: Reference,
    pub(super) made: Instant,
    metadata: HashMap<String, Vec<u8>>,
}

impl DataKey {
    /// Makes a key, has it wrapped, and has it unwrapped again: without that, a process that lacks
    /// one permission would write what nobody can read.
    pub(super) async fn make(wrapping: &Wrapping) -> Result<Self, StartError> {
        let (key, made) = (Key::generate()?, Instant::now());
        let uri = wrapping.uris().wrapping();
        let wrapped = wrapping.wrap(&key).await?;
        let again = wrapping.unwrap(uri, &wrapped).await;
        match again {
            Ok(again) if again.same_as(&key) => Ok(Self::new(key, uri.as_str(), &wrapped, made)),
            Err(Refusal::Azure(error)) => Err(error.into()),
            _ => Err(StartError::Unequal {
                uri: uri.to_string(),
            }),
        }
    }

    fn new(key: Key, uri: &str, wrapped: &[u8], made: Instant) -> Self {
        let wrapped = BASE64_STANDARD.encode(wrapped);
        let metadata = HashMap::from([
            (ENCODING.to_owned(), ENCRYPTED.into()),
            (KEY_ID.to_owned(), uri.into()),
            (WRAPPED_KEY.to_owned(), wrapped.clone().into_bytes()),
        ]);
        Self {
            key: Arc::new(key),
            reference: Reference::new(uri.as_bytes(), wrapped.as_bytes()),
            made,
            metadata,
        }
    }

    /// Encrypts the whole of `payload`. Counting is up to the caller.
    pub(super) fn seal(&self, payload: &Payload) -> Result<Payload, SealError> {
        Ok(Payload {
            metadata: self.metadata.clone(),
            data: sealed::seal(&self.key, &random()?, payload)?,
            ..Payload::default()
        })
    }
}
