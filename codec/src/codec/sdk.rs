//! The codec as the SDK sees it, which may wait.

use futures_util::future::{BoxFuture, FutureExt, ready, try_join_all};
use temporalio_common::{
    data_converters::{PayloadCodec, PayloadConversionError, SerializationContextData},
    protos::temporal::api::common::v1::Payload,
};

use super::EncryptionCodec;
use crate::{envelope::Envelope, is_stored};

impl EncryptionCodec {
    /// Whether decoding `payload` takes neither a key that is not here nor a blob.
    fn is_at_hand(&self, payload: &Payload) -> bool {
        let is_stored = self.large.is_some() && is_stored(payload);
        !is_stored && self.missing(payload).is_none() && !Envelope::is_enveloped(payload)
    }

    async fn fetch_all(
        &self,
        payloads: Vec<Payload>,
    ) -> Result<Vec<Payload>, PayloadConversionError> {
        let fetched = payloads.into_iter().map(|payload| self.fetch(payload));
        try_join_all(fetched).await.map_err(conversion_error)
    }

    fn decode_all(&self, payloads: Vec<Payload>) -> Result<Vec<Payload>, PayloadConversionError> {
        let decoded = payloads.into_iter().map(|p| self.decode_payload(p));
        decoded.collect::<Result<_, _>>().map_err(conversion_error)
    }
}

impl PayloadCodec for EncryptionCodec {
    fn encode(
        &self,
        _context: &SerializationContextData,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        let encoded = payloads.into_iter().map(|p| self.encode_payload(p));
        let encoded = encoded
            .collect::<Result<Vec<_>, _>>()
            .map_err(conversion_error);
        match (encoded, &self.large) {
            (Ok(sealed), Some(large)) if sealed.iter().any(|it| large.takes(it)) => {
                let large = large.clone();
                async move { large.store_all(sealed).await.map_err(conversion_error) }.boxed()
            }
            (encoded, _) => ready(encoded).boxed(),
        }
    }

    fn decode(
        &self,
        _context: &SerializationContextData,
        payloads: Vec<Payload>,
    ) -> BoxFuture<'static, Result<Vec<Payload>, PayloadConversionError>> {
        if payloads.iter().all(|payload| self.is_at_hand(payload)) {
            return ready(self.decode_all(payloads)).boxed();
        }
        let codec = self.clone();
        async move {
            let payloads = codec.fetch_all(payloads).await?;
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
