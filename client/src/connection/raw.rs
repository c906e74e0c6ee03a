//! Requests and answers as bytes, where a field that this build does not know must not get lost.
//!
//! Goes the way of every other request, past [`Egress`] as well; only the SDK's client is left out,
//! with its retries.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use sealane_codec::EncryptionCodec;
use sealane_service::settings::Temporal;
use temporalio_client::callback_based::{CallbackBasedGrpcService, GrpcRequest};
use tonic::Status;

use super::{ConnectError, Egress, Extras, Polls, Sizes, api_key, headers, transport, unreachable};

/// Temporal's service, as gRPC names it.
const SERVICE: &str = "temporal.api.workflowservice.v1.WorkflowService";

/// Header that names the namespace to a proxy, as the SDK sends it.
const NAMESPACE: &str = "temporal-namespace";

/// Longer than any of these calls takes, on a server that answers at all.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection that carries bytes.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    service: CallbackBasedGrpcService,
    headers: HeaderMap,
}

impl Raw {
    /// Connects as `settings` say, encrypting with `codec` what is still plain.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Unreachable`], and what keeps the API key from being had.
    pub(crate) async fn connect(
        settings: &Temporal,
        codec: EncryptionCodec,
    ) -> Result<Self, ConnectError> {
        let channel = transport::connect(settings)
            .await
            .map_err(|error| unreachable(settings, &error))?;
        let service = transport::service(
            channel,
            settings.compression,
            Some(Egress::new(codec)),
            Polls::default(),
            None,
            Sizes::new(None),
        );
        Ok(Self {
            service,
            headers: all_headers(settings).await?,
        })
    }

    /// Sends the message `request` and returns the message that answers it.
    ///
    /// # Errors
    ///
    /// What the server or the connection objects to, and `DeadlineExceeded` after half a minute.
    pub(crate) async fn call(
        &self,
        rpc: &str,
        request: impl Into<Bytes>,
    ) -> Result<Vec<u8>, Status> {
        let request = GrpcRequest {
            service: SERVICE.to_owned(),
            rpc: rpc.to_owned(),
            headers: self.headers.clone(),
            proto: request.into(),
        };
        let answer = tokio::time::timeout(CALL_TIMEOUT, (self.service.callback)(request)).await;
        match answer {
            Ok(answer) => Ok(answer?.proto),
            Err(_) => Err(Status::deadline_exceeded("the server took too long")),
        }
    }
}

/// What the SDK adds to a request. Names and values that HTTP has no words for are left out, as the
/// connection of the SDK, which is made first, has refused them.
async fn all_headers(settings: &Temporal) -> Result<HeaderMap, ConnectError> {
    let mut all = headers(settings);
    all.insert(NAMESPACE.to_owned(), settings.namespace.clone());
    let api_key = api_key::current(&settings.api_key, &Extras::default()).await?;
    if let Some(key) = api_key.key {
        all.insert("authorization".to_owned(), format!("Bearer {key}"));
    }
    let mut map = HeaderMap::new();
    for (name, value) in all {
        if let (Ok(name), Ok(mut value)) =
            (HeaderName::try_from(name), HeaderValue::try_from(value))
        {
            // Keeps credentials out of `Debug`.
            value.set_sensitive(true);
            map.insert(name, value);
        }
    }
    Ok(map)
}
